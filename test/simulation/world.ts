import { createDispatcher } from "../../src/dispatch/dispatcher.ts";
import type { Dispatcher } from "../../src/dispatch/dispatcher.ts";
import { ok, refuse } from "../../src/lib/result.ts";
import { commandRequestSchema } from "../../src/protocol/agent.ts";
import type { CommandRequest } from "../../src/protocol/agent.ts";
import type { JsonObject } from "../../src/protocol/primitives.ts";
import { taskExecutionSchema } from "../../src/protocol/task-execution.ts";
import type { Actor } from "../../src/protocol/task-view.ts";
import { assignedAnswer } from "../../src/task/answers.ts";
import type { Command } from "../../src/task/machine/commands.ts";
import type { TaskState } from "../../src/task/machine/state.ts";
import type { Announcement, KinPorts, TaskPorts } from "../../src/task/ports.ts";
import type { Draw } from "./draw.ts";
import { Executor } from "./executor.ts";
import { checkLog, latestEnd, must, turnOf } from "./laws.ts";
import { Listener } from "./listener.ts";
import { Network } from "./network.ts";
import { PoolNode } from "./pool-node.ts";
import { RETENTION_MS, TaskNode } from "./task-node.ts";

const TENANT = "acme";
export const BY = {
  key_id: "key",
  tenant: TENANT,
  scopes: ["execute" as const],
  isBootstrap: false,
};

export const ORCHESTRATOR: Actor = { kind: "orchestrator", id: "manus" };

const COMMANDS: readonly CommandRequest[] = [
  { command: "cancel", reason: "not needed any more" },
  { command: "set_priority", priority: "critical" },
  { command: "set_priority", priority: "low" },
  { command: "grant_resources", grant: { cost_usd: 1 } },
  { command: "request_update" },
  { command: "retry" },
  { command: "escalate" },
  { command: "pause" },
  { command: "resume" },
].map((command) => commandRequestSchema.parse(command));

/** A pool, tasks and executors on a network that loses calls, with a clock that only this world moves. */
export class World {
  now = Date.parse("2026-11-26T00:00:00.000Z");
  readonly draw: Draw;
  protected readonly network: Network;
  /** An endpoint of all its tasks. */
  protected readonly listener = new Listener();
  /** Tasks that the last claim took. */
  protected readonly handedOut: TaskNode[] = [];
  readonly pool: PoolNode;
  readonly executors: Executor[];
  readonly tasks = new Map<string, TaskNode>();
  /** The last token that each task has minted. */
  readonly #minted = new Map<string, string>();
  readonly #dispatcher: Dispatcher;
  #ids = 0;
  ended = 0;

  constructor(draw: Draw) {
    this.draw = draw;
    this.network = new Network(draw);
    this.pool = new PoolNode(`${TENANT}/default`, () => this.now);
    this.executors = Array.from({ length: 5 }, (_, index) => {
      const of = {
        slots: draw.between(1, 4),
        skewMs: draw.between(-600_000, 250_000),
        isCounting: draw.happens(0.5),
      };
      return new Executor(`agent-${index}`, of);
    });
    this.#dispatcher = createDispatcher({
      now: () => this.now,
      newId: () => this.newId(),
      log: () => {},
      pool: () => this.pool.port,
      claimant: async (_by, agent_id) => {
        const found = this.executors.find((executor) => executor.agent_id === agent_id);
        if (found === undefined) return refuse({ code: "agent_not_found", detail: "" });
        return ok(this.pool.recordOf(found));
      },
      assign: (_tenant, task_id, to) => this.#assign(task_id, to),
    });
  }

  /** Lets every call through from now on. */
  calm(): void {
    this.network.isFaulty = false;
  }

  /** Submits a task. */
  async submit(request: JsonObject): Promise<TaskNode> {
    const task_id = `t${this.newId()}`;
    const task = taskExecutionSchema.parse({
      task_type: "general",
      description: "Do what is to be done",
      ...request,
    });
    const node = new TaskNode(task_id, this.taskPorts(), () => this.now);
    this.tasks.set(task_id, node);
    const origin = {
      tenant: TENANT,
      task_id,
      uid: task_id,
      trace_id: "",
      body_hash: "",
      submitted_by: "",
    };
    const actor = ORCHESTRATOR;
    await node.keeper.apply({ type: "submit", origin, task: { ...task, task_id }, actor });
    return node;
  }

  /** An executor asks for tasks; the answer may be lost on its way. */
  async claim(executor: Executor): Promise<void> {
    const before = this.pool.waitingFor();
    const wanted = this.draw.between(1, 3);
    this.handedOut.length = 0;
    const claimed = await this.#dispatcher.claim(BY, executor.agent_id, {
      schema_version: "2.0",
      max_tasks: wanted,
      wait_seconds: 0,
    });
    this.#checkOrder(before.filter(({ declined_by }) => !declined_by.includes(executor.agent_id)));
    if (!claimed.ok || (this.network.isFaulty && this.draw.happens(0.05))) return;
    for (const { task, lease } of claimed.value.tasks) {
      const { task_id } = task as { task_id: string };
      executor.take(task_id, lease.token);
    }
  }

  /** An executor says something of one of its jobs, or as a zombie of one that it has lost. */
  async work(executor: Executor, isZombie: boolean): Promise<void> {
    const job = this.draw.oneOf(isZombie ? executor.stale : executor.jobs);
    if (job === undefined) return;
    const node = this.tasks.get(job.task_id);
    if (node === undefined) return executor.drop(job);
    const { command, isLast } = executor.move(job, this.draw, this.now);
    const before = await node.state();
    const applied = await this.#send(node, command);
    if (applied.ok && applied.value.events.length > 0) {
      const isLatest = this.#minted.get(job.task_id) === job.token;
      must(isLatest, `a stale token writes nothing: ${job.task_id} ${command.type}`);
    }
    if (applied.ok) this.heard(command, before, applied.value.state);
    const isOver = !applied.ok && ["lease_lost", "task_ended"].includes(applied.refusal.code);
    if ((isLast || isOver) && !isZombie) executor.drop(job);
  }

  /** The orchestrator, or a person, steps in at some task. */
  async stepIn(): Promise<void> {
    const node = this.draw.oneOf([...this.tasks.values()]);
    if (node === undefined) return;
    const { escalation } = await node.state();
    if (escalation?.state === "open" && this.draw.happens(0.7)) {
      const decision = this.draw.oneOf(["resume", "resume", "cancel"] as const) ?? "resume";
      const { escalation_id } = escalation;
      const resolution = { schema_version: "2.0", decision };
      await node.keeper.apply({ type: "resolve", escalation_id, resolution, actor: ORCHESTRATOR });
      return;
    }
    const request = this.draw.oneOf(COMMANDS);
    if (request === undefined) return;
    const command_id = `cmd_${this.newId()}`;
    await node.keeper.apply({ type: "order", command_id, request, actor: ORCHESTRATOR });
  }

  /** Something breaks: an object is evicted, an executor crashes. */
  async breakSomething(): Promise<void> {
    const kind = this.draw.weighted({ task: 6, pool: 2, executor: 1 });
    if (kind === "pool") this.pool.evict();
    else if (kind === "task") this.draw.oneOf([...this.tasks.values()])?.evict();
    else this.draw.oneOf(this.executors)?.crash();
  }

  /** Moves the clock on and lets ring what is due. */
  async pass(ms: number): Promise<void> {
    this.now += ms;
    for (const node of this.tasks.values()) {
      if (await node.wakeIfDue(this.now)) await this.bury(node);
    }
    await this.pool.wakeIfDue(this.now);
  }

  /** What holds at every moment, whatever happened. */
  async check(): Promise<void> {
    const held = new Map<string, number>();
    const states = new Map<string, TaskState>();
    for (const node of this.tasks.values()) states.set(node.task_id, await node.state());
    for (const [task_id, state] of states) {
      const latest = this.latestEnd(state, (other) => states.get(other));
      must(this.now <= latest || state.phase === "ended", `${task_id} ends in time`);
      const agent = state.verdict === null ? state.holder?.agent_id : undefined;
      if (agent !== undefined) held.set(agent, (held.get(agent) ?? 0) + 1);
    }
    for (const { agent_id, slots } of this.executors) {
      const inUse = held.get(agent_id) ?? 0;
      must(inUse <= slots, `${agent_id} holds ${inUse} tasks in ${slots} slots`);
    }
  }

  #send(node: TaskNode, command: Command) {
    return command.type === "notify"
      ? node.keeper.applyNotification(command.token, command.notification)
      : node.keeper.apply(command);
  }

  /** Takes leave of a task that is over. */
  protected async bury(node: TaskNode): Promise<void> {
    if (!node.isAtRest(await node.state())) return;
    checkLog(node.task_id, node.log());
    must(this.listener.early.length === 0, `in order: ${this.listener.early.join(", ")}`);
    node.object.close();
    this.tasks.delete(node.task_id);
    this.ended += 1;
  }

  protected newId(): string {
    this.#ids += 1;
    return String(this.#ids).padStart(6, "0");
  }

  async #assign(task_id: string, to: { agent_id: string; attempt: number; decision: string }) {
    const node = this.tasks.get(task_id);
    if (node === undefined) return refuse({ code: "task_not_found" as const, detail: "" });
    const { agent_id, attempt } = to;
    const decision: JsonObject = JSON.parse(to.decision);
    const token = `token-${this.newId()}`;
    this.network.mayFail();
    const done = await node.keeper.apply({ type: "assign", agent_id, attempt, decision, token });
    if (!done.ok) return done;
    this.#minted.set(task_id, token);
    this.handedOut.push(node);
    this.network.mayFail();
    return ok(assignedAnswer(done.value.state));
  }

  protected taskPorts(): TaskPorts {
    return {
      announce: (_tenant, _pool, item: Announcement) =>
        this.network.call(() => this.pool.port.announce(item)),
      release: (_tenant, _pool, { task_id, attempt, outcome }) =>
        this.network.call(() =>
          this.pool.port.release(task_id, attempt, undefined, outcome ?? undefined),
        ),
      publish: (news) => this.network.call(async () => this.listener.hear(news)),
      record: async () => this.network.mayFail(),
      recordedTo: async () => Infinity,
      missingStakeholders: async () => [],
      remember: async () => this.network.mayFail(),
      endPhases: {},
      retentionMs: RETENTION_MS,
      forgottenMs: null,
      ...this.kinPorts(),
      log: () => {},
    };
  }

  /** What its tasks have to do with each other: nothing. */
  protected kinPorts(): KinPorts {
    return {
      outcomeOf: async () => null,
      poke: async () => {},
      tellParent: async () => true,
      stop: async () => {},
      gateOfBatch: async () => ({ is_open: true }),
      tellBatch: async () => {},
    };
  }

  /** By when a task must be over, epoch milliseconds. */
  protected latestEnd(state: TaskState, _find: (task_id: string) => TaskState | undefined): number {
    return latestEnd(state);
  }

  /** What an executor said was taken. */
  protected heard({ type }: Command, before: TaskState, _after: TaskState): void {
    if (type !== "heartbeat") return;
    const limit = before.task.contract?.budget?.max_cost_usd ?? Infinity;
    const used = (before.memo?.cost_usd ?? 0) + (before.memo?.earlier.cost_usd ?? 0);
    const { task_id } = before.task;
    // 0.1 + 0.2 is more than 0.3 in binary.
    const most = limit + before.granted.cost_usd + 1e-6;
    must(used <= most, `${task_id} goes on over its budget`);
  }

  /** Nothing that was handed out came after something that was left and fits the same executors. */
  #checkOrder(before: readonly { task_id: string; priority: string; ready_at: number }[]): void {
    const left = new Set(this.pool.waitingFor().map(({ task_id }) => task_id));
    const taken = before.filter(({ task_id }) => !left.has(task_id));
    const passedOver = before.filter(({ task_id }) => left.has(task_id));
    const last = Math.max(...taken.map(turnOf));
    const first = Math.min(...passedOver.map(turnOf));
    must(
      taken.length === 0 || last <= first,
      `priority and age give the order: ${last} after ${first}`,
    );
  }
}
