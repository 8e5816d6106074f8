import { poolAgentOf } from "../../../src/dispatch/agents.ts";
import type { EndReason } from "../../../src/protocol/enums.ts";
import type { JsonObject } from "../../../src/protocol/primitives.ts";
import type { Command } from "../../../src/task/machine/commands.ts";
import type { LoggedEvent } from "../../../src/task/machine/state.ts";
import { TaskKeeper } from "../../../src/task/task-keeper.ts";
import { ORCHESTRATOR, ORIGIN, assign, beat, request } from "../../task-life.ts";
import { Executor } from "../executor.ts";
import { must } from "../laws.ts";
import { MemoryObject } from "../memory-object.ts";
import { PoolNode } from "../pool-node.ts";
import { OF_RETENTION_MS } from "../task-node.ts";
import type { WorldClock } from "./clock.ts";
import { Fate } from "./fate.ts";
import { Incarnation } from "./incarnation.ts";
import type { Grain } from "./incarnation.ts";
import { Neighbours } from "./neighbours.ts";
import { isDone, isLogged, storedLog } from "./stored-log.ts";
import type { StageName } from "./stored-log.ts";

/** An alarm whose handler did not come to its end is delivered again after this (facts/platform.md §4). */
const ALARM_AGAIN_MS = 2_000;

/** A call that was under way when the machine went down arrives this much later. */
const LATE_MS = 5_000;

/** Whoever got no answer asks again after this. */
const ASK_AGAIN_MS = 1_000;

/** The sweeper comes by this often, for a task that nothing else would wake. */
const SWEEP_MS = 60_000;

/** So many things happen at most in one run: more is a task that never comes to rest. */
const MOST_HAPPENINGS = 2_000;

const LINEAGE = {
  parent_task_id: "parent",
  root_task_id: "parent",
  depth: 1,
  levels_left: 3,
  deadline_at: null,
  allowance: { cost_usd: null, tokens: null, attempts: null, children: null },
};

/** How a run differs from a calm one. */
export interface Manner {
  fate: Fate;
  grain: Grain;
  /** Whether who got no answer asks again although the verdict is spoken. */
  isPersistent: boolean;
  /** Whether the object has been idle when the way to the end begins. */
  isCold: boolean;
}

/** The manner of a run in which nothing happens to the machine. */
export function calmly(): Manner {
  return { fate: new Fate(), grain: "turn", isPersistent: false, isCold: false };
}

/** One task with everybody around it, on a machine that goes down when its fate says so. */
export class CrashWorld {
  readonly clock: WorldClock;
  readonly object = new MemoryObject();
  readonly pool: PoolNode;
  readonly neighbours: Neighbours;
  readonly manner: Manner;
  /** End stages that were run although the log had them as done. */
  readonly ranAgain: string[] = [];
  /** How often each end stage was run, by its name. */
  readonly runs = new Map<string, number>();
  /** How often nothing but the sweeper would have woken the task. */
  sweeps = 0;
  #life: Incarnation;
  #keeper: TaskKeeper;
  #isRinging = false;
  #isEvictionDue = false;
  #underWay = 0;
  #late: { due: number; call: () => Promise<unknown> }[] = [];
  #fault: unknown = null;
  #endedAt: number | null = null;

  constructor(clock: WorldClock, manner: Manner) {
    this.clock = clock;
    this.manner = manner;
    this.pool = new PoolNode(`${ORIGIN.tenant}/default`, () => clock.now);
    this.neighbours = new Neighbours({
      pool: this.pool,
      log: () => this.log(),
      ran: (stage) => this.ran(stage),
    });
    this.#life = this.#newLife();
    this.#keeper = this.#wake(this.#life);
  }

  /** The whole log as stored. */
  log(): LoggedEvent[] {
    return storedLog(this.object);
  }

  /** An end stage is being run: never once it is recorded as done. */
  ran(stage: StageName): void {
    this.runs.set(stage.name, (this.runs.get(stage.name) ?? 0) + 1);
    if (isDone(this.object, stage)) this.ranAgain.push(stage.name);
  }

  /** Submits the task: a child, and one of a batch, for whose end another task waits. */
  async submit(changes: JsonObject): Promise<void> {
    const origin = { ...ORIGIN, lineage: LINEAGE, batch_id: "batch" };
    await this.say(() => ({
      type: "submit",
      origin,
      task: request(changes),
      actor: ORCHESTRATOR,
    }));
    await this.#ask(async (keeper) => keeper.kin.outcome("waiter"));
  }

  /** The executor registers, and claims the task. */
  async claim(): Promise<void> {
    const ann = new Executor("ann", { slots: 1, skewMs: 0, isCounting: false });
    await this.pool.port.register(poolAgentOf(this.pool.recordOf(ann)));
    const order = { agent_id: "ann", max_tasks: 1, wait_ms: 0 };
    const { offers } = await this.pool.port.claim(order);
    const [offer] = offers;
    if (offer === undefined) throw new Error("the pool has no task");
    await this.say(() => assign(offer.attempt));
  }

  /** Whoever is outside says something to the task, until he has an answer; after the verdict only if he insists. */
  async say(command: () => Command, isInsisting = this.manner.isPersistent): Promise<void> {
    for (let tries = 0; tries < 5; tries += 1) {
      const said = command();
      const answer = await this.#ask((keeper) =>
        said.type === "notify"
          ? keeper.applyNotification(said.token, said.notification)
          : keeper.apply(said),
      );
      if (answer !== null || (this.hasVerdict() && !isInsisting)) return;
      await this.pass(ASK_AGAIN_MS);
    }
  }

  /** The executor acknowledges what it is told, and insists on it. */
  async obey(): Promise<void> {
    const state = await this.#ask((keeper) => keeper.current());
    const open = (state?.value?.commands ?? []).filter((known) => known.state === "requested");
    const acknowledged = open.map(({ command_id }) => command_id);
    await this.say(() => beat({ acknowledged }), true);
  }

  /** Its parent is over, and stops it. */
  async stop(reason: EndReason): Promise<void> {
    const stop = { type: "stop", command_id: "stop-1", reason, message: "over" } as const;
    await this.say(() => stop);
  }

  /** Forgets what is in memory, as an object does that was idle. */
  evict(): void {
    this.#life.die();
  }

  /** Whether the outcome is frozen. */
  hasVerdict(): boolean {
    return isLogged(this.object, "verdict");
  }

  /** When the task was over, epoch milliseconds, or null. */
  endedAt(): number | null {
    if (this.#endedAt !== null || !isLogged(this.object, "agent_end_task")) return this.#endedAt;
    this.#endedAt = this.log().at(-1)?.at ?? null;
    return this.#endedAt;
  }

  /** Lets time pass, and everything happen that is due. */
  async pass(ms: number): Promise<void> {
    const until = this.clock.now + ms;
    for (let next = this.#nextAt(); next !== null && next <= until; next = this.#nextAt()) {
      await this.#happen(next);
    }
    this.clock.now = until;
  }

  /** Lets time pass until nothing more will happen that has to do with the end. */
  async untilQuiet(): Promise<void> {
    for (let count = 0; count < MOST_HAPPENINGS; count += 1) {
      const next = this.#nextAt();
      const endedAt = this.endedAt();
      if (endedAt === null && next === null) await this.#sweep();
      else if (next === null || next >= (endedAt ?? Infinity) + OF_RETENTION_MS) return;
      else await this.#happen(next);
    }
    must(false, "a task comes to rest");
  }

  /** Frees the memory. */
  close(): void {
    this.#life.die();
    this.clock.forget();
    this.object.close();
    this.pool.close();
  }

  #newLife(): Incarnation {
    const { fate, grain } = this.manner;
    const life = new Incarnation({
      object: this.object,
      fate,
      grain,
      onDeath: () => this.#fell(),
      onEviction: () => (this.#isEvictionDue = true),
      onLate: (call) => this.#late.push({ due: this.clock.now + LATE_MS, call }),
    });
    return life;
  }

  #wake(life: Incarnation): TaskKeeper {
    return new TaskKeeper(life.state, this.neighbours.portsOf(life), () => this.clock.now);
  }

  #fell(): void {
    this.clock.forget();
    if (this.#isRinging) this.object.alarmAt ??= this.clock.now + ALARM_AGAIN_MS;
    this.#isRinging = false;
    this.#isEvictionDue = false;
    this.#underWay = 0;
    this.#life = this.#newLife();
    this.#keeper = this.#wake(this.#life);
  }

  /** Asks something of the task as it lives now; null when it does not live to answer. */
  async #ask<Value>(
    work: (keeper: TaskKeeper) => Promise<Value>,
    onAnswer: () => void = () => {},
  ): Promise<{ value: Value } | null> {
    const life = this.#life;
    let answer: { value: Value } | null = null;
    this.#underWay += 1;
    const done = (value: Value): void => {
      if (life.isDead) return;
      answer = { value };
      this.#underWay -= 1;
      onAnswer();
    };
    const failed = (cause: unknown): void => {
      if (!life.isDead) this.#fault = cause;
    };
    void work(this.#keeper).then(done, failed);
    await this.#settle();
    return answer;
  }

  /** Everything that can happen without the clock happens. */
  async #settle(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#fault !== null) throw new Error("the task broke", { cause: this.#fault });
    if (this.#isEvictionDue && this.#underWay === 0) this.#life.die();
  }

  #nextAt(): number | null {
    const alarmAt = this.#isRinging ? null : this.object.alarmAt;
    const all = [
      alarmAt,
      this.pool.alarmAt,
      this.clock.nextAt,
      ...this.#late.map(({ due }) => due),
    ];
    const dues = all.filter((due) => due !== null);
    return dues.length === 0 ? null : Math.min(...dues);
  }

  async #happen(at: number): Promise<void> {
    const { clock, object } = this;
    clock.now = Math.max(clock.now, at);
    const late = this.#late.filter(({ due }) => due <= clock.now);
    this.#late = this.#late.filter(({ due }) => due > clock.now);
    // Nobody waits for what comes of them.
    for (const { call } of late) void call().catch(() => {});
    clock.ring();
    await this.#settle();
    await this.pool.wakeIfDue(clock.now);
    if (this.#isRinging || object.alarmAt === null || object.alarmAt > clock.now) return;
    object.alarmAt = null;
    this.#isRinging = true;
    await this.#ask(
      (keeper) => keeper.wake({ hasAlarmFired: true }),
      () => (this.#isRinging = false),
    );
  }

  async #sweep(): Promise<void> {
    this.sweeps += 1;
    await this.pass(SWEEP_MS);
    await this.#ask((keeper) => keeper.wake({ hasAlarmFired: false }));
  }
}
