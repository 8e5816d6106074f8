/**
 * An executor that does all the conformance kit asks for: by claim, or with PUSH=1 by push. BREAK names the one thing
 * that it does wrong.
 */
import { createServer } from "node:http";
import { buffer } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";

import { Webhook } from "standardwebhooks";

const { BATUTA_URL, BATUTA_KEY, AGENT_ID, PORT, PUSH, BREAK } = process.env;
const breaks = (what) => BREAK === what;

/** How long a piece of work takes, milliseconds. */
const STEP_MS = 20;

/** So often what nobody takes any more is said again by one that does not stop. */
const MOST_IN_VAIN = 4;

/** A refusal that no repetition changes. */
class Refused extends Error {
  constructor(status, text) {
    super(`${status} ${text}`);
    this.status = status;
    this.code = JSON.parse(text).code;
  }
}

function renewed(content) {
  const isNews = breaks("fresh id on retry") && content.notification_id !== undefined;
  return isNews ? { ...content, notification_id: crypto.randomUUID() } : content;
}

async function once(path, { content, lease, method }) {
  const headers = { authorization: `Bearer ${BATUTA_KEY}`, "content-type": "application/json" };
  if (lease !== undefined && !breaks("no lease token")) headers["lease-token"] = lease.token;
  const body = JSON.stringify(content);
  const signal = AbortSignal.timeout(60_000);
  const answer = await fetch(BATUTA_URL + path, { method, headers, body, signal });
  return {
    status: answer.status,
    text: await answer.text(),
    wait: answer.headers.get("retry-after"),
  };
}

/** The refusal that an answer is; null where it is none, or one that another try may change. */
function refusalIn({ status, text }, { path, tries }) {
  const isRepeat = status === 200 && tries === 0 && path === "/v1/notifications";
  if (isRepeat && breaks("knows only 202")) return new Refused(409, '{"code":"not_202"}');
  if (status < 400 || status === 429 || status >= 500) return null;
  const refused = new Refused(status, text);
  const isInVain = refused.code === "lease_lost" && tries < MOST_IN_VAIN;
  return breaks("repeats after lease_lost") && isInVain ? null : refused;
}

async function attempted(path, request) {
  try {
    return await once(path, request);
  } catch {
    // A claim that dies is the end of an executor that expects none to.
    if (breaks("dies of a lost claim") && path.endsWith("/claim")) process.exit(3);
    return { status: 503, text: "", wait: null };
  }
}

async function call(path, request) {
  let { content } = request;
  for (let tries = 0; ; tries += 1) {
    const answer = await attempted(path, { ...request, content });
    const refused = refusalIn(answer, { path, tries });
    if (refused !== null) throw refused;
    if (answer.status < 300) return JSON.parse(answer.text);
    const wait = breaks("ignores Retry-After") ? null : answer.wait;
    await pause(Number(wait ?? "0.3") * 1_000);
    content = renewed(content);
  }
}

/** What has been taken: an offer that comes again is none. */
const taken = new Set();

/** One attempt at a task. */
class Attempt {
  #sequence = 0;
  #pausing = Promise.resolve();
  #resume = () => {};
  #acknowledged = [];
  /** @type {Error | null} */
  #stop = null;
  #isOver = false;

  constructor({ task, lease }) {
    this.task = task;
    this.lease = lease;
  }

  async run() {
    const { task_type, task_id } = this.task;
    this.#beat().catch((error) => {
      if (!breaks("begins again") || error.code !== "task_ended") this.#stop = error;
    });
    try {
      await this.#say("task_started", { task_type, estimated_duration: 1, complexity: "low" });
      for (const progress_percentage of [30, 60]) {
        await this.#goOn();
        await this.#say("task_progress", { progress_percentage, current_step: "a step" });
        await pause(STEP_MS);
      }
      await this.#goOn();
      await this.#say("task_completed", {
        result: { done: true },
        execution_summary: "Done",
        metrics: { execution_time: 1, tokens_used: 0, cost: 0, quality_score: 1 },
        quality_assessment: { overall_score: 1 },
      });
      const content = {
        ...this.#about(),
        reason: "success",
        quality_assessment: { overall_score: 1 },
      };
      await this.#call(`/v1/tasks/${task_id}/end`, content);
    } catch (error) {
      await this.#fail(error);
    } finally {
      this.#isOver = true;
    }
  }

  async #fail(error) {
    const isOver = error.status === 409 && error.code !== "not_202";
    if (isOver && !(breaks("reports a refusal as a failure") && error.code === "task_ended"))
      return;
    const root_cause = { class: "executor", detail: error.message, evidence: "none" };
    const { message: error_message } = error;
    await this.#say("task_failed", { error_type: "error", error_message, root_cause });
  }

  #about() {
    const { task_id } = this.task;
    return { task_id, agent_id: AGENT_ID, timestamp: new Date().toISOString() };
  }

  #call(path, content) {
    return call(path, { content, lease: this.lease, method: "POST" });
  }

  async #say(notification_type, data) {
    this.#sequence += 1;
    const receipt = await this.#notify({
      ...this.#about(),
      notification_id: crypto.randomUUID(),
      notification_type,
      sequence: this.#sequence,
      data,
    });
    if (receipt.held && breaks("takes held for a failure")) throw new Error("held");
  }

  async #notify(content) {
    try {
      return await this.#call("/v1/notifications", content);
    } catch (error) {
      if (breaks("begins again") && error.code === "task_ended") return {};
      throw error;
    }
  }

  async #goOn() {
    await this.#pausing;
    if (this.#stop !== null) throw this.#stop;
  }

  #betweenBeats() {
    const { heartbeat_timeout } = this.task;
    if (breaks("beats too rarely")) return 20_000;
    const left = Date.parse(this.lease.expires_at) - Date.now();
    return breaks("trusts its clock") ? Math.max(left / 3, 50) : (heartbeat_timeout * 1_000) / 3;
  }

  async #beat() {
    for (;;) {
      await pause(this.#betweenBeats());
      if (this.#isOver) return;
      const acknowledged = this.#acknowledged;
      const path = `/v1/tasks/${this.task.task_id}/heartbeat`;
      const answer = await this.#call(path, { acknowledged });
      this.lease = { ...this.lease, expires_at: answer.lease.expires_at };
      for (const command of answer.commands) this.#obey(command);
    }
  }

  #obey({ command_id, command }) {
    if (command === "cancel" && !breaks("ignores cancel")) throw new Error("cancelled");
    if (command === "pause" || command === "resume") this.#acknowledged.push(command_id);
    if (command === "pause" && !breaks("goes on while paused")) {
      this.#pausing = new Promise((resolve) => (this.#resume = resolve));
    }
    if (command === "resume") this.#resume();
  }
}

async function take(offer) {
  const { task, lease } = offer;
  const name = breaks("knows no attempts") ? task.task_id : `${task.task_id} ${lease.attempt}`;
  if (taken.has(name) && !breaks("begins again")) return;
  taken.add(name);
  await new Attempt(offer).run().catch((error) => console.error(error.message));
}

const registration = {
  capabilities: ["kit"],
  slots: breaks("hoards") ? 3 : 1,
  ...(PUSH && { url: `http://127.0.0.1:${PORT}/` }),
};
const registered = () => call(`/v1/agents/${AGENT_ID}`, { content: registration, method: "PUT" });

async function claimForEver() {
  await registered();
  const content = { wait_seconds: 25, max_tasks: registration.slots };
  for (;;) {
    const { tasks } = await call(`/v1/agents/${AGENT_ID}/claim`, { content, method: "POST" });
    for (const offer of tasks) await take(offer);
  }
}

async function receive(webhook, request, response) {
  const body = await buffer(request);
  try {
    if (!breaks("believes every push")) webhook.verify(body, request.headers);
  } catch {
    response.writeHead(401).end();
    return;
  }
  response.writeHead(202).end();
  await take(JSON.parse(body.toString()).data);
}

async function listen() {
  const { secret } = await registered();
  const webhook = new Webhook(secret);
  const server = createServer((request, response) => {
    receive(webhook, request, response).catch((error) => response.destroy(error));
  });
  server.listen(Number(PORT), "127.0.0.1");
}

await (PUSH ? listen() : claimForEver());
