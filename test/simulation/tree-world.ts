import { createBulkCommands } from "../../src/dispatch/bulk-commands.ts";
import type { AskKin } from "../../src/dispatch/kinship.ts";
import { createSubmissions } from "../../src/dispatch/submission.ts";
import type { SubmitRequest } from "../../src/dispatch/submit-request.ts";
import { createSubtasks } from "../../src/dispatch/subtasks.ts";
import { ok, refuse } from "../../src/lib/result.ts";
import { bulkCommandSchema } from "../../src/protocol/bulk-command.ts";
import type { Outcome } from "../../src/protocol/kin.ts";
import { requestedCommand } from "../../src/task/answers.ts";
import { outcomeOf } from "../../src/task/kin/outcome.ts";
import type { Command } from "../../src/task/machine/commands.ts";
import type { TaskState } from "../../src/task/machine/state.ts";
import { usageOf } from "../../src/task/machine/state.ts";
import type { KinPorts, Submission } from "../../src/task/ports.ts";
import type { Draw } from "./draw.ts";
import type { Executor } from "./executor.ts";
import { NO_FAULTS, NO_PAST, kinPortsOf } from "./kin-ports.ts";
import { checkLog, must } from "./laws.ts";
import { Requests } from "./requests.ts";
import { TaskNode } from "./task-node.ts";
import * as laws from "./tree-laws.ts";
import { treeRequest } from "./tree-requests.ts";
import { BY, ORCHESTRATOR, World } from "./world.ts";

const SUBMITTER = { ...BY, key_id: "orchestrator", scopes: ["orchestrate" as const] };
const REQUEST: SubmitRequest = { body: null, idempotencyKey: null, traceId: "", origin: "" };
const UNKNOWN = { code: "task_not_found" as const, detail: "There is no task with this id." };
const NOTHING_USED: laws.Amounts = { cost_usd: 0, tokens: 0, attempts: 0, children: 0 };

/** How often a submission is held up between its parent's word and its own task, and the longest time. */
const IS_HELD_UP = 0.04;
const LONGEST_HOLD_UP_MS = 60_000;

/** A world whose tasks have children and prerequisites, and tell each other over the same bad network. */
export class TreeWorld extends World {
  readonly #requests = new Requests();
  /** Submissions whose answer got lost: whoever sent them sends them again, or not. */
  readonly #unanswered = new Set<string>();
  /** What was made of tasks whose objects are closed. */
  readonly #graves = new Map<string, Outcome>();
  /** What the last message of each task's executor brought. */
  readonly #lastUse = new Map<string, laws.Amounts>();
  readonly #submissions;
  readonly #subtasks;
  readonly #commandAll;
  submitted = 0;
  /** How many tasks have ended for which reason, and how many submissions were refused with which code. */
  readonly tally = new Map<string, number>();

  constructor(draw: Draw) {
    super(draw);
    const askKin: AskKin = (_tenant, task_id, call) =>
      this.network.call(async () => {
        const node = this.tasks.get(task_id);
        if (node === undefined) return refuse(UNKNOWN);
        const before = await node.state();
        const done = await node.kin(call);
        if (call.call === "adopt") laws.checkAdoption(before, await node.state());
        return done;
      });
    this.#submissions = createSubmissions({
      now: () => this.now,
      newId: () => this.newId(),
      askKin,
      past: NO_PAST,
      isArchived: async (_tenant, task_id) => this.#graves.has(task_id),
      task: (_tenant, task_id) => ({
        submit: (submission) => this.network.call(() => this.#create(task_id, submission)),
      }),
      ...NO_FAULTS,
      assess: async () => ({ score: 0, band: "low", features: {}, version: "none" }),
    });
    this.#subtasks = createSubtasks({
      newId: () => this.newId(),
      askKin,
      submissions: this.#submissions,
      readable: async () => ok(null),
    });
    this.#commandAll = createBulkCommands({
      find: async (_tenant, { parent_task_id: parent }) => {
        const items = [...this.tasks.keys()].map((task_id) => ({ task_id }));
        const fits = ({ task_id }: { task_id: string }) =>
          this.#requests.parentOf(task_id) === parent;
        return ok({ items: parent === undefined ? items : items.filter(fits), next_cursor: null });
      },
      command: async (_by, task_id, request) => {
        const node = this.tasks.get(task_id);
        if (node === undefined) return refuse(UNKNOWN);
        const command_id = `cmd_${this.newId()}`;
        const order = { type: "order", command_id, request, actor: ORCHESTRATOR } as const;
        const done = await node.keeper.apply(order);
        return done.ok ? ok(requestedCommand(done.value.state, command_id)) : done;
      },
    });
  }

  /** An orchestrator submits the root of a tree, or a child of some task. */
  async plant(): Promise<void> {
    const parent = this.draw.happens(0.65) ? await this.#likelyParent() : undefined;
    const task_id = this.#draft(parent);
    await this.#send(task_id);
  }

  /** Whoever had no answer to a submission sends it again. */
  async repeat(): Promise<void> {
    const task_id = this.draw.oneOf([...this.#unanswered]);
    if (task_id === undefined) return;
    if (this.draw.happens(0.5)) await this.#send(task_id);
    else this.#unanswered.delete(task_id);
  }

  /** An executor hands out parts of a task that it holds. */
  async offer(executor: Executor): Promise<void> {
    const job = this.draw.oneOf(executor.jobs);
    if (job === undefined || !this.tasks.has(job.task_id)) return;
    const { task_id, token } = job;
    const drafts = Array.from({ length: this.draw.between(1, 3) }, () => this.#draft(task_id));
    const subtasks = drafts.map((draft) => this.#requests.taskOf(draft));
    await this.network.unlessLost(async () => {
      const done = await this.#subtasks.offer(
        BY,
        { task_id, token },
        { schema_version: "2.0", subtasks },
        REQUEST,
      );
      this.#count(done.ok ? "offered" : `offer: ${done.refusal.code}`);
    });
  }

  /** One command for many tasks: all children of one, or everything there is. */
  async stopMany(): Promise<void> {
    const parent_task_id = this.draw.oneOf([...this.tasks.keys()]);
    const bulk = bulkCommandSchema.parse({
      schema_version: "2.0",
      command: "cancel",
      ...(this.draw.happens(0.1) ? { all: true } : { filter: { parent_task_id } }),
    });
    const done = await this.#commandAll({ ...BY, scopes: ["admin"] }, bulk);
    must(done.ok, "a command to many tasks is carried out");
  }

  /** Nothing is handed out before what it waits for. The clock stands still meanwhile. */
  override async claim(executor: Executor): Promise<void> {
    await super.claim(executor);
    if (this.handedOut.length === 0) return;
    const find = await this.#snapshot();
    const endOf = (task_id: string): Outcome | null => {
      const state = find(task_id);
      return state === undefined ? (this.#graves.get(task_id) ?? null) : outcomeOf(state);
    };
    for (const { task_id } of this.handedOut) {
      const line = this.#requests.lineOf(task_id).map((above) => ({
        task: this.#requests.taskOf(above),
        log: () => this.tasks.get(above)?.log() ?? [],
      }));
      laws.checkPrerequisites(task_id, line, endOf);
    }
  }

  /** How many tasks are not over. */
  async open(): Promise<number> {
    let count = 0;
    for (const node of this.tasks.values()) count += (await node.state()).phase === "ended" ? 0 : 1;
    return count;
  }

  /** Lets ring what is due, and what that makes due. */
  override async pass(ms: number): Promise<void> {
    await super.pass(ms);
    await super.pass(0);
    await super.pass(0);
  }

  override async check(): Promise<void> {
    await super.check();
    const find = await this.#snapshot();
    for (const task_id of this.tasks.keys()) {
      const state = find(task_id);
      if (state === undefined) continue;
      laws.checkBudget(state, find, (id) => this.#lastUse.get(id) ?? NOTHING_USED);
      laws.checkLeafFirst(state, find);
      laws.checkDecided(state, find, this.now);
      laws.checkBelongs(state, find(this.#requests.parentOf(task_id) ?? ""), this.now);
    }
  }

  protected override latestEnd(state: TaskState, find: laws.Find): number {
    const line = this.#requests
      .lineOf(state.origin.task_id)
      .flatMap((task_id) => find(task_id) ?? []);
    return laws.latestEndInTree(
      line,
      this.#requests.heightOf(state.origin.task_id, this.tasks.keys()),
    );
  }

  protected override heard(command: Command, before: TaskState, after: TaskState): void {
    super.heard(command, before, after);
    const [was, is] = [usageOf(before), usageOf(after)];
    const cost_usd = is.cost_usd - was.cost_usd;
    const tokens = is.tokens - was.tokens;
    if (cost_usd <= 0 && tokens <= 0) return;
    this.#lastUse.set(after.origin.task_id, { ...NOTHING_USED, cost_usd, tokens });
  }

  /** A tree is taken leave of as a whole: until then its tasks may ask each other. */
  protected override async bury(node: TaskNode): Promise<void> {
    const root = this.#requests.lineOf(node.task_id).at(-1);
    const members = [...this.tasks.values()].filter(
      ({ task_id }) => this.#requests.lineOf(task_id).at(-1) === root,
    );
    const find = await this.#snapshot();
    const states = members.flatMap(({ task_id }) => find(task_id) ?? []);
    if (!states.every((state, index) => members[index]?.isAtRest(state))) return;
    for (const state of states) {
      laws.checkJoin(state, find);
      laws.checkLeafFirst(state, find);
      laws.checkRest(state, find);
      this.#count(`ended: ${state.verdict?.reason} ${state.verdict?.error?.type ?? ""}`);
      this.#graves.set(state.origin.task_id, outcomeOf(state));
    }
    for (const member of members) {
      const { task_id, object } = member;
      checkLog(task_id, member.log());
      object.close();
      this.tasks.delete(task_id);
    }
    this.ended += members.length;
  }

  protected override kinPorts(): KinPorts {
    const find = (task_id: string) => this.tasks.get(task_id);
    return kinPortsOf(this.network, find, (task_id) => this.#graves.get(task_id) ?? null);
  }

  #count(what: string): void {
    this.tally.set(what, (this.tally.get(what) ?? 0) + 1);
  }

  async #snapshot(): Promise<laws.Find> {
    const states = new Map<string, TaskState>();
    for (const node of this.tasks.values()) states.set(node.task_id, await node.state());
    return (task_id) => states.get(task_id);
  }

  /** Mostly a parent that waits for children, sometimes any task. */
  async #likelyParent(): Promise<string | undefined> {
    const open: string[] = [];
    const eager: string[] = [];
    for (const { task_id, keeper } of this.tasks.values()) {
      const state = await keeper.current();
      if (state === null || state.phase === "ended") continue;
      open.push(task_id);
      const { subtasks } = state.task;
      const count = state.family?.children.length ?? 0;
      if (subtasks !== undefined && count < subtasks.expected) eager.push(task_id);
    }
    return this.draw.oneOf(this.draw.happens(0.75) && eager.length > 0 ? eager : open);
  }

  #draft(parent: string | undefined): string {
    const task_id = `t${this.newId()}`;
    const known = [...this.tasks.keys(), ...[...this.#graves.keys()].slice(-5)];
    const depth = parent === undefined ? 0 : this.#requests.lineOf(parent).length;
    this.#requests.add(task_id, parent, treeRequest(this.draw, { known, depth }));
    return task_id;
  }

  async #send(task_id: string): Promise<void> {
    const body = this.#requests.bodyOf(task_id);
    const task = this.#requests.taskOf(task_id);
    this.#unanswered.add(task_id);
    await this.network.unlessLost(async () => {
      const request = { ...REQUEST, body };
      const refusal = await this.#submissions.check(SUBMITTER, task, request);
      const done =
        refusal === null
          ? await this.#submissions.create(SUBMITTER, task, request)
          : refuse(refusal);
      if (!done.ok) this.#count(`submit: ${done.refusal.code}`);
      this.#unanswered.delete(task_id);
    });
  }

  async #create(task_id: string, submission: Submission): ReturnType<TaskNode["submit"]> {
    if (this.network.isFaulty && this.draw.happens(IS_HELD_UP)) {
      await this.pass(this.draw.between(1, LONGEST_HOLD_UP_MS));
    }
    const known = this.tasks.get(task_id);
    if (known !== undefined) return known.submit(submission);
    if (this.#graves.has(task_id)) return ok({ view: "{}", isNew: false });
    const node = new TaskNode(task_id, this.taskPorts(), () => this.now);
    // A task is there from its first commit on, and may be asked while that is still being told.
    this.tasks.set(task_id, node);
    this.submitted += 1;
    return node.submit(submission);
  }
}
