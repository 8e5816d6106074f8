/** Executors as they would be written by anybody, which do not give up when they are told to wait. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import { isPassing } from "./caller.mjs";

/** Seconds that a claim waits for a task. */
const CLAIM_WAIT_S = 10;

/** How often a step is tried, and the pause where nobody names one, milliseconds. */
const MOST_TRIES = 8;
const PAUSE_MS = 500;

/** One in so many lives fails, and one in so many has somebody write who holds no lease. */
const FAIL_EVERY = 10;
const ZOMBIE_EVERY = 25;

/** Percentages that are reported on the way. */
const PROGRESS = [30, 70];

/** What an executor says when all went well, and when nothing more can be done. */
const COMPLETED = {
  result: { answer: 42 },
  execution_summary: "Done as the load asks",
  metrics: { execution_time: 1, tokens_used: 10, cost: 0.01, quality_score: 0.9 },
  quality_assessment: { overall_score: 0.9 },
};
const FAILED = {
  error_type: "load_failure",
  error_message: "Some of the load fails",
  root_cause: { class: "tool", detail: "the load wants it so", evidence: "a fixed share" },
  retry_recommended: false,
};

const { quality_assessment } = COMPLETED;
const error_information = { error_code: "load_failure", error_message: "Some of the load fails" };

/** Takes tasks and does them, over HTTP alone. */
export class Worker {
  /** Seqs that were acknowledged, by task. */
  acknowledged = new Map();
  #caller;
  #recorder;
  #clock;
  #agents;

  /**
   * @param {{ caller: object, recorder: object, agents: string[], clock?: () => number }} parts `clock` is the instant on the
   *   server's clock, epoch milliseconds
   */
  constructor({ caller, recorder, agents, clock = () => Date.now() }) {
    this.#caller = caller;
    this.#recorder = recorder;
    this.#agents = agents;
    this.#clock = clock;
  }

  /** From now on what is measured is noted here. */
  set recorder(recorder) {
    this.#recorder = recorder;
  }

  /**
   * Takes one task, if there is one, and does all of it.
   *
   * @param {{ index: number, waitS?: number, op?: string }} how `index` decides what kind of life it is, `op` is the claim's name
   * @returns {Promise<boolean>} whether there was one and it was brought to its end
   */
  async work({ index, waitS = CLAIM_WAIT_S, op = "claim" }) {
    const agent_id = this.#agents[index % this.#agents.length];
    const path = `/v1/agents/${agent_id}/claim`;
    const claim = { max_tasks: 1, wait_seconds: waitS };
    const { body } = await this.step(op, ["POST", path, claim]);
    const taken = body?.tasks?.[0];
    if (taken === undefined) return false;
    const job = { task_id: taken.task.task_id, agent_id, lease: taken.lease.token, sequence: 0 };
    return this.#carryOut(job, index);
  }

  async #carryOut(job, index) {
    const started = { task_type: "general", estimated_duration: 60, complexity: "low" };
    if (!(await this.#notify("started", job, ["task_started", started]))) return false;
    for (const percentage of PROGRESS) {
      const data = { progress_percentage: percentage, current_step: `step at ${percentage}` };
      // What is said of one task is said in order.
      // oxlint-disable-next-line no-await-in-loop
      if (!(await this.#notify("progress", job, ["task_progress", data]))) return false;
    }
    if (index % ZOMBIE_EVERY === 0) await this.#speakWithoutLease(job);
    const isFailing = index % FAIL_EVERY === FAIL_EVERY - 1;
    const verdict = isFailing ? ["task_failed", FAILED] : ["task_completed", COMPLETED];
    if (!(await this.#notify(isFailing ? "failed" : "completed", job, verdict))) return false;
    return this.#end(job, isFailing ? "failure" : "success");
  }

  async #notify(op, job, [type, data]) {
    job.sequence += 1;
    const headers = { "lease-token": job.lease };
    const message = this.#message(job, { type, data, sequence: job.sequence });
    const answer = await this.step(op, ["POST", "/v1/notifications", message, headers]);
    if (answer.outcome !== "ok") return false;
    const seqs = this.acknowledged.get(job.task_id) ?? [];
    seqs.push(answer.body.seq);
    this.acknowledged.set(job.task_id, seqs);
    return true;
  }

  /** A message of one that lost its lease: refused, and nothing of it is seen by anybody. */
  async #speakWithoutLease(job) {
    const data = { progress_percentage: 99, current_step: "not mine any more" };
    const message = this.#message(job, { type: "task_progress", data, sequence: 99 });
    const headers = { "lease-token": "token-of-an-earlier-attempt" };
    const request = ["POST", "/v1/notifications", message, headers];
    await this.step("stale lease, refused", request, { asked: "409 lease_lost" });
  }

  #message(job, { type, data, sequence }) {
    return {
      notification_id: randomUUID(),
      notification_type: type,
      task_id: job.task_id,
      agent_id: job.agent_id,
      timestamp: new Date(this.#clock()).toISOString(),
      sequence,
      data,
    };
  }

  async #end({ task_id, agent_id, lease }, reason) {
    const end = {
      task_id,
      agent_id,
      reason,
      timestamp: new Date(this.#clock()).toISOString(),
      ...(reason === "success" ? { quality_assessment } : { error_information }),
    };
    const headers = { "lease-token": lease };
    const answer = await this.step("end", ["POST", `/v1/tasks/${task_id}/end`, end, headers]);
    return answer.outcome === "ok";
  }

  /**
   * One request, noted; one that may go well later is made again when the server says, or soon.
   *
   * @param {[string, string, unknown?, object?]} request as `Caller.send` takes it: the same each time, so that it counts once
   * @param {{ from?: number, asked?: string | null, tries?: number }} how `from` is the instant for which it was intended
   */
  async step(op, request, { from = performance.now(), asked = null, tries = MOST_TRIES } = {}) {
    for (let intendedAt = from, left = tries - 1; ; left -= 1) {
      const answer = await this.#caller.send(...request);
      this.#recorder.note({ op, ms: performance.now() - intendedAt, answer, asked });
      if (answer.outcome === (asked ?? "ok") || !isPassing(answer) || left <= 0) return answer;
      await sleep(answer.retryAfterS === null ? PAUSE_MS : answer.retryAfterS * 1_000);
      intendedAt = performance.now();
    }
  }
}
