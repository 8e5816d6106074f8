// A complete executor. Node 20 or newer, nothing to install: BATUTA_KEY=bk_… node executor.mjs
const { BATUTA_URL = "http://127.0.0.1:8787", BATUTA_KEY, AGENT_ID = "word-counter" } = process.env;

/** The work: put yours here. `step` reports progress; whatever is thrown fails the attempt. */
async function perform({ parameters }, step) {
  const words = parameters.input_data.text.toLowerCase().match(/\p{L}+/gu) ?? [];
  await step(50, `Read ${words.length} words`);
  return { words: words.length, different: new Set(words).size };
}

async function call(path, body, lease, method = "POST") {
  const headers = { authorization: `Bearer ${BATUTA_KEY}`, "content-type": "application/json" };
  if (lease) headers["lease-token"] = lease.token; // the right to write about this task
  const answer = await fetch(BATUTA_URL + path, { method, headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

async function run({ task, lease }) {
  const { task_id, task_type } = task;
  const about = () => ({ task_id, agent_id: AGENT_ID, timestamp: new Date().toISOString() });
  const notify = (notification_type, data, notification_id = crypto.randomUUID()) =>
    call("/v1/notifications", { ...about(), notification_id, notification_type, data }, lease);
  const beat = async () => {
    const { commands } = await call(`/v1/tasks/${task_id}/heartbeat`, {}, lease);
    if (commands.some(({ command }) => command === "cancel")) throw new Error("cancelled");
  };
  const step = (progress_percentage, current_step) =>
    beat().then(() => notify("task_progress", { progress_percentage, current_step }));
  const begun = performance.now();
  await notify("task_started", { task_type, estimated_duration: 1, complexity: "low" });
  const heart = setInterval(() => beat().catch(console.error), 20_000); // a lease lasts 60 s
  try {
    const result = await perform(task, step);
    const execution_time = (performance.now() - begun) / 1_000;
    const metrics = { execution_time, tokens_used: 0, cost: 0, quality_score: 1 };
    const quality_assessment = { overall_score: 1 };
    const done = { result, execution_summary: "Counted", metrics, quality_assessment };
    await notify("task_completed", done);
    const end = { ...about(), reason: "success", quality_assessment };
    await call(`/v1/tasks/${task_id}/end`, end, lease);
  } catch ({ name, message, stack }) {
    const root_cause = { class: "executor", detail: message, evidence: stack };
    await notify("task_failed", { error_type: name, error_message: message, root_cause });
  } finally {
    clearInterval(heart);
  }
}

const registration = { capabilities: ["word_count"], pools: ["words"] };
await call(`/v1/agents/${AGENT_ID}`, registration, null, "PUT");
for (;;) {
  const { tasks } = await call(`/v1/agents/${AGENT_ID}/claim`, { wait_seconds: 25 });
  for (const claimed of tasks) await run(claimed).catch(console.error);
}
