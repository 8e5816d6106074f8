import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";

import { ok } from "../../src/lib/result.ts";
import type { Result } from "../../src/lib/result.ts";
import { heartbeatAnswerSchema } from "../../src/protocol/agent.ts";
import type { EndedRun } from "../../src/protocol/ended-run.ts";
import type { HistoryMessage } from "../../src/protocol/queue-messages.ts";
import type { Refusal } from "../../src/protocol/refusal.ts";
import { endReceiptSchema } from "../../src/protocol/task-view.ts";
import type { TaskEvent, TaskView } from "../../src/protocol/task-view.ts";
import type { Announcement, KinPorts, News, TaskPorts } from "../../src/task/ports.ts";
import { TaskObject } from "../../src/task/task-object.ts";
import { ORCHESTRATOR, ORIGIN, endOf, notificationOf, orderOf, request } from "../task-life.ts";

type Stub = DurableObjectStub<TaskObject>;

/** Tomorrow, so that no alarm that a test sets goes off by itself. */
export const START = Date.now() + 86_400_000;

/** How long these objects keep a task after its end. */
export const RETENTION_MS = 7 * 86_400_000;

/** The neighbours of a task's object: they note what they are told, and fail when a test says so. */
export interface Neighbours {
  announced: Announcement[];
  released: number[];
  published: News[];
  recorded: HistoryMessage[];
  logged: string[];
  /** The same lines with their fields. */
  lines: { level: string; event: string; fields: Record<string, unknown> }[];
  /** Replaces a port's own answer; undefined lets it succeed. */
  announce: () => Promise<void> | undefined;
  release: () => Promise<void> | undefined;
  publish: () => Promise<void> | undefined;
  record: () => Promise<void> | undefined;
  isRecorded: () => Promise<boolean>;
  /** What tasks of the built-in executor told its memory; `remember` may fail. */
  remembered: EndedRun[];
  remember: () => Promise<void> | undefined;
  /** How long the object keeps an ended task. */
  retentionMs: number;
  /** Stakeholders that do not exist any more. */
  missing: string[];
  endPhases: TaskPorts["endPhases"];
  /** Other tasks and the batch; a task without kin calls none of them. */
  kin: KinPorts;
}

function newNeighbours(): Neighbours {
  return {
    announced: [],
    released: [],
    published: [],
    recorded: [],
    logged: [],
    lines: [],
    announce: () => undefined,
    release: () => undefined,
    publish: () => undefined,
    record: () => undefined,
    isRecorded: async () => true,
    remembered: [],
    remember: () => undefined,
    retentionMs: RETENTION_MS,
    missing: [],
    endPhases: {},
    kin: {
      outcomeOf: async () => null,
      poke: async () => {},
      tellParent: async () => true,
      stop: async () => {},
      gateOfBatch: async () => ({ is_open: true }),
      tellBatch: async () => {},
    },
  };
}

function portsOf(all: Neighbours): TaskPorts {
  return {
    announce: async (_tenant, _pool, announcement) => {
      await all.announce();
      all.announced.push(announcement);
    },
    release: async (_tenant, _pool, { attempt }) => {
      await all.release();
      all.released.push(attempt);
    },
    publish: async (news) => {
      await all.publish();
      all.published.push(news);
    },
    record: async (message) => {
      await all.record();
      all.recorded.push(message);
    },
    recordedTo: async () => ((await all.isRecorded()) ? Infinity : 0),
    missingStakeholders: async () => all.missing,
    remember: async (_tenant, run) => {
      await all.remember();
      all.remembered.push(run);
    },
    get endPhases() {
      return all.endPhases;
    },
    get retentionMs() {
      return all.retentionMs;
    },
    forgottenMs: null,
    ...all.kin,
    log: (level, event, fields = {}) => {
      all.logged.push(event);
      all.lines.push({ level, event, fields: { ...fields } });
    },
  };
}

/** The value of an accepted call. */
export function accepted<Value>(result: Result<Value, Refusal>): Value {
  if (!result.ok) throw new Error(`refused: ${JSON.stringify(result.refusal)}`);
  return result.value;
}

/** The code of a refused call, or null when it was accepted. */
export function codeOf(result: Result<unknown, Refusal>): string | null {
  return result.ok ? null : result.refusal.code;
}

/**
 * One task's real object among recorded neighbours, with a clock that a test turns by hand.
 *
 * Every test has a tenant of its own, so that the task has the id that the samples name.
 */
export class Subject {
  readonly neighbours = newNeighbours();
  readonly #name = `${crypto.randomUUID()}/${ORIGIN.task_id}`;
  stub: Stub = env.TASK.getByName(this.#name);
  now = START;
  token = "";

  async begin(): Promise<this> {
    TaskObject.connect = () => portsOf(this.neighbours);
    await this.inside((instance) => {
      instance.now = () => this.now;
    });
    return this;
  }

  inside<Value>(
    look: (instance: TaskObject, state: DurableObjectState) => Value | Promise<Value>,
  ): Promise<Value> {
    return runInDurableObject(this.stub, look);
  }

  /** Takes the object out of memory, as the platform may at any time; it wakes up again at the next call. */
  async evict(): Promise<void> {
    await evictDurableObject(this.stub);
    this.stub = env.TASK.getByName(this.#name);
    await this.begin();
  }

  submit(
    changes: Record<string, unknown> = {},
    body_hash = ORIGIN.body_hash,
    { batch_id, is_known }: { batch_id?: string; is_known?: true } = {},
  ) {
    const tenant = this.#name.split("/")[0] ?? "";
    return this.stub.submit({
      ...(is_known && { is_known }),
      origin: { ...ORIGIN, tenant, body_hash, ...(batch_id !== undefined && { batch_id }) },
      task: JSON.stringify(request(changes)),
      actor: ORCHESTRATOR,
    });
  }

  async assign(attempt = 1, agent_id = "ann"): Promise<Record<string, unknown>> {
    const given = accepted(await this.stub.assign({ agent_id, attempt, decision: "{}" }));
    this.token = given.lease.token;
    return JSON.parse(given.task);
  }

  notify(...[type, data, envelope]: Parameters<typeof notificationOf>) {
    const timestamp = new Date(this.now).toISOString();
    const notification = notificationOf(type, data, { timestamp, ...envelope });
    return this.stub.notify(this.token, JSON.stringify(notification));
  }

  async end(...parameters: Parameters<typeof endOf>) {
    const ended = await this.stub.end(this.token, JSON.stringify(endOf(...parameters)));
    if (!ended.ok) return ended;
    return ok({ ...ended.value, receipt: endReceiptSchema.parse(JSON.parse(ended.value.receipt)) });
  }

  order(...parameters: Parameters<typeof orderOf>) {
    return this.stub.command(JSON.stringify(orderOf(...parameters)), ORCHESTRATOR);
  }

  async beat(token = this.token, beat = {}) {
    const beaten = await this.stub.heartbeat(token, JSON.stringify(beat));
    return beaten.ok ? ok(heartbeatAnswerSchema.parse(JSON.parse(beaten.value))) : beaten;
  }

  /** Submitted, assigned and started. */
  async execute(changes: Record<string, unknown> = {}): Promise<void> {
    accepted(await this.submit(changes));
    await this.assign();
    accepted(await this.notify("task_started"));
  }

  async view(): Promise<TaskView> {
    return JSON.parse(accepted(await this.stub.view()).view);
  }

  async events(): Promise<TaskEvent[]> {
    return JSON.parse(accepted(await this.stub.events(0, 10_000)).events);
  }

  async types(): Promise<string[]> {
    return (await this.events()).map(({ type }) => type);
  }

  alarm(): Promise<number | null> {
    return this.inside((_instance, { storage }) => storage.getAlarm());
  }

  /** Fires the alarm, whatever time it is. */
  ring(): Promise<boolean> {
    return runDurableObjectAlarm(this.stub);
  }

  /** Lets time pass: the alarm fires whenever the clock comes to it. */
  async pass(ms: number): Promise<void> {
    const until = this.now + ms;
    for (let turn = 0; turn < 100; turn += 1) {
      const due = await this.alarm();
      if (due === null || due > until) {
        this.now = until;
        return;
      }
      this.now = Math.max(this.now, due);
      await this.ring();
    }
    throw new Error("the alarm never rests");
  }

  /** Seqs that left the house, as the endpoints were told them. */
  published(): number[] {
    return this.neighbours.published.flatMap(({ events }) => events.map(({ seq }) => seq));
  }
}

/** A task's object that nobody else uses. */
export function newSubject(): Promise<Subject> {
  return new Subject().begin();
}
