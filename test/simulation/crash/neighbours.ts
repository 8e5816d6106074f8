import type { ChildReport, Outcome } from "../../../src/protocol/kin.ts";
import type { TaskEvent } from "../../../src/protocol/task-view.ts";
import type { LoggedEvent } from "../../../src/task/machine/state.ts";
import type { TaskPorts } from "../../../src/task/ports.ts";
import type { PoolNode } from "../pool-node.ts";
import { RETENTION_MS } from "../task-node.ts";
import type { Incarnation } from "./incarnation.ts";
import type { StageName } from "./stored-log.ts";

/** The end stage that releases the slot. */
export const SLOT: StageName = { name: "slot", check: "slot released" };

/** What is wrong with the pool, as the end of a task sees it. */
export type Trouble = "none" | "hangs" | "fails";

/** What neighbours need to know of the task. */
interface Sight {
  pool: PoolNode;
  log: () => LoggedEvent[];
  /** An end stage is being run. */
  ran: (stage: StageName) => void;
}

/** Everybody that a task tells something: they take what they get and remember it, repetitions too. */
export class Neighbours {
  /** By event id: an endpoint that recognises repetitions. */
  readonly received = new Map<string, TaskEvent>();
  /** Events that came again with other content. */
  readonly contradictions: string[] = [];
  readonly history = new Set<number>();
  readonly childReports: ChildReport[] = [];
  readonly batchOutcomes: Outcome[] = [];
  readonly poked: string[] = [];
  readonly stopped: string[] = [];
  trouble: Trouble = "none";
  readonly #sight: Sight;

  constructor(sight: Sight) {
    this.#sight = sight;
  }

  /** The neighbours as one incarnation of the task reaches them. */
  portsOf(life: Incarnation): TaskPorts {
    const { pool } = this.#sight;
    return {
      announce: (_tenant, _pool, item) =>
        life.call("announce", async () => {
          await pool.port.announce(item);
        }),
      release: (_tenant, _pool, freed) => {
        if (!life.isDead) this.#sight.ran(SLOT);
        return life.call("release", () => this.#release(freed));
      },
      publish: ({ events }) => life.call("publish", async () => this.#receive(events)),
      record: (message) =>
        life.call("record", async () => {
          const seqs =
            message.form === "whole"
              ? message.events.map(({ seq }) => seq)
              : this.#sight.log().flatMap(({ seq }) => (seq > message.after ? [seq] : []));
          for (const seq of seqs) this.history.add(seq);
        }),
      retentionMs: RETENTION_MS,
      forgottenMs: null,
      recordedTo: () => life.call("recordedTo", async () => this.#historyTo()),
      missingStakeholders: () => life.call("missingStakeholders", async () => []),
      remember: () => life.call("remember", async () => {}),
      endPhases: {},
      outcomeOf: () => life.call("outcomeOf", async () => null),
      poke: (_tenant, task_id) =>
        life.call("poke", async () => {
          this.poked.push(task_id);
        }),
      tellParent: (_tenant, _parent, report) =>
        life.call("tellParent", async () => {
          this.childReports.push(report);
          return true;
        }),
      stop: (_tenant, task_id) =>
        life.call("stop", async () => {
          this.stopped.push(task_id);
        }),
      gateOfBatch: () => life.call("gateOfBatch", async () => ({ is_open: true })),
      tellBatch: (_tenant, _batch_id, outcome) =>
        life.call("tellBatch", async () => {
          this.batchOutcomes.push(outcome);
        }),
      log: () => {},
    };
  }

  /** Whether history has everything up to a seq. */
  hasHistoryTo(seq: number): boolean {
    return this.#historyTo() >= seq;
  }

  #historyTo(): number {
    let to = 0;
    while (this.history.has(to + 1)) to += 1;
    return to;
  }

  #release({ task_id, attempt, outcome }: Parameters<TaskPorts["release"]>[2]): Promise<void> {
    if (this.trouble === "hangs") return new Promise(() => {});
    if (this.trouble === "fails") return Promise.reject(new Error("the pool is not there"));
    return this.#sight.pool.port.release(task_id, attempt, undefined, outcome ?? undefined);
  }

  #receive(events: readonly TaskEvent[]): void {
    for (const event of events) {
      const before = this.received.get(event.event_id);
      const isSame = before === undefined || JSON.stringify(before) === JSON.stringify(event);
      if (!isSame) this.contradictions.push(`${event.type} ${event.event_id}`);
      this.received.set(event.event_id, event);
    }
  }
}
