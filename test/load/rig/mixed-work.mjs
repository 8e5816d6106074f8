/** Work as a tenant has it: tasks from their submission to the last webhook, and people who look at them. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import { Client } from "../client.mjs";
import { ADMIN_KEY } from "../servers.mjs";
import { ANSWER_WITHIN_MS, Caller } from "./caller.mjs";
import { Worker } from "./worker.mjs";

/** Executors, and the tasks that each may have at one time. */
const AGENTS = 8;
const SLOTS = 1_000;

/** One in so many submissions comes a second time, and one in so many again with another body. */
const REPEAT_EVERY = 10;
const CONFLICT_EVERY = 20;

/** Reads of which one is made of each arrival, in turns. */
const READS = ["read", "list", "events", "missing"];

/** How often it is looked whether all has come, milliseconds. */
const LOOK_EVERY_MS = 100;

/** Webhooks come within this, milliseconds: before that nothing is taken for left over. */
const UNTOUCHED_MS = 3_000;

/** A machine that is busy with something else may take so long to answer where time does not count, milliseconds. */
const PATIENT_MS = 120_000;

/** A submission whose answer never came is made again: the same key gives the same task. */
const SUBMIT_TRIES = 2;

/** One tenant with executors and a webhook, and all that it has been promised. */
export class MixedWork {
  /** Tasks that were accepted and are not yet over for the receiver. */
  open = new Set();
  /** Tasks that were accepted, in all. */
  accepted = 0;
  /** Ids of submissions that have no answer: accepted or not, that is to be found out. */
  unsure = new Set();
  worker;
  #caller;
  #submitter;
  #recorder;
  #receipts;
  #capability;
  #taskFields;
  #last = null;

  /**
   * @param {{ receipts: object, recorder: object, tenant: string, task?: object, submitKey?: boolean, isTimed?: boolean, clock?: () => number }} of
   *   `task` are fields that all tasks get; with `submitKey` what submits has a key of its own, whose id is `submitter_id`
   */
  static async open(batuta, of) {
    const admin = new Client(batuta.url, ADMIN_KEY);
    const scopes = ["orchestrate", "execute", "observe"];
    const newKey = (name) => admin.call("POST", "/v1/keys", { name, tenant: of.tenant, scopes });
    const own = await newKey(of.tenant);
    const submitting = of.submitKey ? await newKey(`${of.tenant}-submits`) : own;
    admin.close();
    const how = { withinMs: of.isTimed === false ? PATIENT_MS : ANSWER_WITHIN_MS };
    const work = new MixedWork(of, {
      caller: new Caller(batuta.url, own.key, how),
      submitter: new Caller(batuta.url, submitting.key, how),
    });
    work.submitter_id = submitting.key_id;
    const registration = { url: `${of.receipts.url}/load`, events: ["task_lifecycle"] };
    const webhook = await work.#caller.call("POST", "/v1/webhooks", registration);
    work.webhook_id = webhook.webhook_id;
    await work.register();
    return work;
  }

  constructor({ receipts, recorder, tenant, task = {}, clock }, { caller, submitter }) {
    this.#receipts = receipts;
    this.#recorder = recorder;
    this.#capability = tenant;
    this.#taskFields = task;
    this.#caller = caller;
    this.#submitter = submitter;
    this.agents = Array.from({ length: AGENTS }, (_, index) => `${tenant}-${index}`);
    const parts = { caller, recorder, agents: this.agents };
    this.worker = new Worker(clock === undefined ? parts : { ...parts, clock });
  }

  /** Makes the executors known, also again. */
  async register() {
    const registration = { capabilities: [this.#capability], slots: SLOTS };
    for (const agent_id of this.agents) {
      // oxlint-disable-next-line no-await-in-loop
      await this.#caller.call("PUT", `/v1/agents/${agent_id}`, registration);
    }
  }

  /** From now on what is measured is noted here. */
  set recorder(recorder) {
    this.#recorder = recorder;
    this.worker.recorder = recorder;
  }

  get caller() {
    return this.#caller;
  }

  /**
   * Submits a task and takes one, which may be another's, to its end.
   *
   * @returns {Promise<boolean>} whether both came off
   */
  async live(index, dueAt = performance.now()) {
    if ((await this.submit(index, dueAt)) === null) return false;
    return this.worker.work({ index });
  }

  /** The id of an accepted task; null when it was refused, or when nobody knows. */
  async submit(index, dueAt = performance.now()) {
    const task = this.#taskOf(index);
    const headers = { "idempotency-key": randomUUID() };
    const request = ["POST", "/v1/tasks", task, headers];
    const answer = await this.#order("submit", request, { from: dueAt });
    if (answer.status === null) this.unsure.add(task.task_id);
    if (answer.outcome !== "ok") return null;
    this.#accept(task.task_id);
    if (index % REPEAT_EVERY === 0) await this.#order("submit again", request);
    if (index % CONFLICT_EVERY === CONFLICT_EVERY - 1) {
      const other = { ...task, description: `${task.description}, or so` };
      await this.#order("other body, refused", ["POST", "/v1/tasks", other, headers], {
        asked: "409 idempotency_conflict",
      });
    }
    return task.task_id;
  }

  /** Looks at what there is, as people and programs do. */
  async read(index, dueAt = performance.now()) {
    const kind = READS[index % READS.length];
    const task_id = this.#last ?? "none";
    if (kind === "missing" || this.#last === null) {
      const request = ["GET", `/v1/tasks/missing-${index}`];
      return this.worker.step("missing, refused", request, {
        from: dueAt,
        asked: "404 task_not_found",
      });
    }
    const paths = { read: `/v1/tasks/${task_id}`, list: "/v1/tasks?limit=20" };
    const path = paths[kind] ?? `/v1/tasks/${task_id}/events`;
    return this.worker.step(kind, ["GET", path], { from: dueAt });
  }

  /**
   * Waits until everything that was accepted is over for the receiver; after a while takes what nobody has taken.
   *
   * @returns {Promise<string[]>} ids of those that are not, when the patience is over
   */
  async settle(patienceMs) {
    const until = performance.now() + patienceMs;
    await this.#findOut();
    await this.untilOver(Math.min(patienceMs, UNTOUCHED_MS));
    for (let turn = 0; this.#prune() > 0 && performance.now() < until; turn += 1) {
      const mayWait = Array.from({ length: AGENTS }, (_, lane) =>
        this.worker.work({ index: turn * AGENTS + lane, waitS: 1, op: "claim of the rest" }),
      );
      // What is left may also be waiting for its own retry, its webhook or its report.
      // oxlint-disable-next-line no-await-in-loop
      await Promise.all([...mayWait, sleep(LOOK_EVERY_MS)]);
    }
    return [...this.open];
  }

  /** Waits without taking any more. As `settle`. */
  async untilOver(patienceMs) {
    const until = performance.now() + patienceMs;
    // oxlint-disable-next-line no-await-in-loop
    while (this.#prune() > 0 && performance.now() < until) await sleep(LOOK_EVERY_MS);
    return [...this.open];
  }

  /** Acknowledged notifications that the receiver has not got. */
  unseen() {
    return [...this.worker.acknowledged].flatMap(([task_id, seqs]) => {
      const seen = new Set(this.#receipts.seqsOf(task_id));
      return seqs.filter((seq) => !seen.has(seq)).map((seq) => `${task_id} seq ${seq}`);
    });
  }

  /** Slots that the tenant's executors have in use, by the API. */
  async slotsInUse() {
    const { items } = await this.#caller.call("GET", "/v1/agents?limit=200");
    return items
      .filter(({ agent_id }) => this.agents.includes(agent_id))
      .reduce((sum, { slots_in_use }) => sum + slots_in_use, 0);
  }

  /** Reads no task any more of those before. */
  forgetLast() {
    this.#last = null;
  }

  close() {
    this.#caller.close();
    this.#submitter.close();
  }

  #taskOf(index) {
    return {
      task_id: `load-${randomUUID()}`,
      task_type: "general",
      description: `A task of the load, number ${index}`,
      requires: { capabilities: [this.#capability] },
      tags: ["load"],
      ...this.#taskFields,
    };
  }

  #accept(task_id) {
    this.accepted += 1;
    this.open.add(task_id);
    this.#last = task_id;
  }

  /** One request of who submits, noted. A refusal is final: whoever is told to come later has not been accepted. */
  async #order(op, request, { from = performance.now(), asked = null } = {}) {
    for (let intendedAt = from, tries = 1; ; tries += 1) {
      const answer = await this.#submitter.send(...request);
      this.#recorder.note({ op, ms: performance.now() - intendedAt, answer, asked });
      if (answer.status !== null || tries === SUBMIT_TRIES) return answer;
      intendedAt = performance.now();
    }
  }

  /** What became of submissions without an answer. */
  async #findOut() {
    for (const task_id of this.unsure) {
      // oxlint-disable-next-line no-await-in-loop
      const { outcome } = await this.#caller.send("GET", `/v1/tasks/${task_id}`);
      if (outcome === "ok") this.#accept(task_id);
      if (outcome === "ok" || outcome.startsWith("404")) this.unsure.delete(task_id);
    }
  }

  /** Takes away what is over. How many are not. */
  #prune() {
    for (const task_id of this.open) if (this.#receipts.isOver(task_id)) this.open.delete(task_id);
    return this.open.size;
  }
}
