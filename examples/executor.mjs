// A complete executor. Node 20 or newer, nothing to install: BATUTA_KEY=bk_… node executor.mjs
import { setTimeout as pause } from "node:timers/promises";

const { BATUTA_URL = "http://127.0.0.1:8787", BATUTA_KEY, AGENT_ID = "word-counter" } = process.env;

/** The work: put yours here. `step` reports progress; whatever is thrown fails the attempt. */
async function perform({ parameters }, step) {
  const words = parameters.input_data.text.toLowerCase().match(/\p{L}+/gu) ?? [];
  await step(50, `Read ${words.length} words`);
  return { words: words.length, different: new Set(words).size };
}

/** A call, with the same body until it is answered: Batuta knows what it has had before. */
async function call(path, content, lease, method = "POST") {
  const headers = { authorization: `Bearer ${BATUTA_KEY}`, "content-type": "application/json" };
  if (lease) headers["lease-token"] = lease.token; // the right to write about this task
  const body = JSON.stringify(content);
  for (let tries = 0; ; tries += 1) {
    let wait = Math.min(2 ** tries, 30);
    try {
      const signal = AbortSignal.timeout(40_000);
      const answer = await fetch(BATUTA_URL + path, { method, headers, body, signal });
      const { status } = answer;
      const text = await answer.text();
      if (answer.ok) return JSON.parse(text);
      if (status !== 429 && status < 500) {
        throw Object.assign(new Error(`${path}: ${status} ${text}`), { status });
      }
      wait = Number(answer.headers.get("retry-after") ?? wait);
    } catch (error) {
      if (error.status) throw error; // refused, and always will be
    }
    await pause(wait * 1_000);
  }
}

async function run({ task, lease }) {
  const { task_id, task_type } = task;
  const about = () => ({ task_id, agent_id: AGENT_ID, timestamp: new Date().toISOString() });
  const notify = (notification_type, data, notification_id = crypto.randomUUID()) =>
    call("/v1/notifications", { ...about(), notification_id, notification_type, data }, lease);
  const over = new AbortController();
  let stop = null; // why the work must not go on
  const keepBeating = async () => {
    for (;;) {
      // The lease lasts so long from each sign of life; no clock needs to be right for it.
      await pause((task.heartbeat_timeout * 1_000) / 3, null, { signal: over.signal });
      const { commands } = await call(`/v1/tasks/${task_id}/heartbeat`, {}, lease);
      if (commands.some(({ command }) => command === "cancel")) throw new Error("cancelled");
    }
  };
  const step = async (progress_percentage, current_step) => {
    await notify("task_progress", { progress_percentage, current_step });
    if (stop) throw stop;
  };
  const begun = performance.now();
  keepBeating().catch((error) => (stop = error));
  try {
    await notify("task_started", { task_type, estimated_duration: 1, complexity: "low" });
    const result = await perform(task, step);
    if (stop) throw stop;
    const execution_time = (performance.now() - begun) / 1_000;
    const metrics = { execution_time, tokens_used: 0, cost: 0, quality_score: 1 };
    const quality_assessment = { overall_score: 1 };
    const done = { result, execution_summary: "Counted", metrics, quality_assessment };
    await notify("task_completed", done);
    const end = { ...about(), reason: "success", quality_assessment };
    await call(`/v1/tasks/${task_id}/end`, end, lease);
  } catch (error) {
    if (error.status === 409) throw error; // it is over, or somebody else's: not another word
    const root_cause = { class: "executor", detail: error.message, evidence: error.stack };
    const { name: error_type, message: error_message } = error;
    await notify("task_failed", { error_type, error_message, root_cause });
  } finally {
    over.abort();
  }
}

const registration = { capabilities: ["word_count"], pools: ["words"] };
await call(`/v1/agents/${AGENT_ID}`, registration, null, "PUT");
for (;;) {
  const { tasks } = await call(`/v1/agents/${AGENT_ID}/claim`, { wait_seconds: 25 });
  for (const claimed of tasks) await run(claimed).catch(console.error);
}
