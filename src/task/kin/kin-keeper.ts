import { inTurn } from "../../lib/in-turn.ts";
import type { Log } from "../../lib/log.ts";
import type { Clock } from "../../lib/ports.ts";
import type { Outcome } from "../../protocol/kin.ts";
import { FLUSH_PAUSE_MS, reminderDelayMs, repeatDelayMs } from "../alarm-plan.ts";
import type { Command } from "../machine/commands.ts";
import type { Gate, TaskState } from "../machine/state.ts";
import { hasVerdict } from "../machine/state.ts";
import { openCancels } from "../machine/verdict.ts";
import type { KinPorts } from "../ports.ts";
import { ChildOrders } from "./child-orders.ts";
import { familyJoin } from "./decide-family.ts";
import { FamilyKeeper } from "./family-keeper.ts";
import type { Family } from "./family.ts";
import { gateNews, isHeldBack } from "./gates.ts";
import type { AskedGate } from "./gates.ts";
import { childReportOf, digestOf, outcomeOf } from "./outcome.ts";
import { readReports, removeChild } from "./relation-store.ts";
import { newCommandId } from "./stop-order.ts";
import { WaiterKeeper } from "./waiter-keeper.ts";

/** An adopted child that has not reported after this long may never have come to be. Milliseconds. */
const ADOPTION_GRACE_MS = 30_000;

/** Tasks that come in together may name each other before they exist, for so long. Milliseconds. */
const ARRIVAL_GRACE_MS = 60_000;

/** Calls to other objects at the same time: the platform lets six connections of one call be open. */
const MOST_CALLS = 6;

/** What a keeper of kin works on. */
export interface KinParts {
  sql: SqlStorage;
  ports: KinPorts & { log: Log };
  now: Clock;
  state: () => TaskState | null;
  /** Replaces the family in memory, in the turn in which storage was written. */
  setFamily: (family: Family) => void;
  apply: (command: Command) => Promise<unknown>;
  /** Sees to it that the alarm comes for what is due now. */
  arm: () => Promise<void>;
}

/**
 * What one task has to do with others: asks what it waits for, tells its parent and its batch, stops its
 * children, and pokes those that wait for it.
 *
 * All of it may be repeated. Its fields hold only what asking or telling again would replace.
 */
export class KinKeeper {
  readonly #parts: KinParts;
  /** Its children. */
  readonly family: FamilyKeeper;
  #askAt: number | null = null;
  #tellAt: number | null = null;
  #told = "";
  #isBatchTold = false;
  readonly #waiters: WaiterKeeper;
  readonly #orders: ChildOrders;
  readonly #verified = new Set<string>();
  /** The state whose outcome was judged: a second time would say the same. */
  #judged: TaskState | null = null;
  #failures = 0;
  #pausedUntil = 0;

  constructor(parts: KinParts) {
    this.#parts = parts;
    this.#waiters = new WaiterKeeper(parts);
    this.#orders = new ChildOrders(parts.ports);
    this.family = new FamilyKeeper({
      ...parts,
      firstHeard: (task_id) => this.#orders.firstHeard(task_id),
    });
  }

  /** When something is to be done, epoch milliseconds; null for a task without kin. */
  due(state: TaskState): number | null {
    const now = this.#parts.now();
    const dues = [
      this.#isAsking(state) ? (this.#askAt ?? now) : null,
      this.#tellDue(state, now),
      this.#owesBatch(state) || this.#waiters.owes(state) ? now : null,
      this.#orders.owes(state) || this.#isJoinDue(state) ? now : null,
      ...this.#doubtful(state).map(({ adopted_at }) => adopted_at + ADOPTION_GRACE_MS),
    ].filter((due) => due !== null);
    return dues.length === 0 ? null : Math.max(Math.min(...dues), this.#pausedUntil);
  }

  /** Does what is due. Never throws: what failed is repeated after a pause that grows. */
  async run(): Promise<void> {
    const state = this.#parts.state();
    const due = state === null ? null : this.due(state);
    if (state === null || due === null || due > this.#parts.now()) return;
    const failures: string[] = [];
    const duties = [
      () => this.#ask(),
      () => this.#join(),
      () => this.#orders.stop(this.#parts.state() ?? state),
      () => this.#orders.letGo(this.#parts.state() ?? state),
      () => this.#verifyChildren(),
      () => this.#tellParent(),
      () => this.#tellBatch(),
      () => this.#waiters.poke(this.#parts.state() ?? state),
    ];
    for (const duty of duties) {
      try {
        await duty();
      } catch (cause) {
        failures.push(String(cause));
      }
    }
    this.#failures = failures.length === 0 ? 0 : this.#failures + 1;
    this.#pausedUntil =
      failures.length === 0 ? 0 : this.#parts.now() + repeatDelayMs(this.#failures);
    if (failures.length > 0) this.#warn(failures.join("; "));
  }

  /** Something that it waits for may have changed, or its parent has not heard of it. */
  poked(): void {
    this.#askAt = this.#parts.now();
    this.#told = "";
  }

  /**
   * How the task stands, or null when there is none.
   *
   * @param waiter is remembered until this task's end, when it is poked; nothing is written when that has come
   */
  outcome(waiter: string | null): Outcome | null {
    const state = this.#parts.state();
    if (state !== null && waiter !== null && state.phase !== "ended")
      this.#waiters.remember(waiter);
    return state === null ? null : outcomeOf(state);
  }

  /** How its gates stand, without leaving a trace at them. */
  async askedGates(state: TaskState): Promise<AskedGate[]> {
    if (!isHeldBack(state)) return [];
    return inTurn(state.origin.gates ?? [], MOST_CALLS, (gate) => this.#asked(state, gate, null));
  }

  /** Asks whether a child that was adopted exists and is this task's, and disowns it if not. */
  async verify(child_id: string): Promise<void> {
    const state = this.#parts.state();
    const { sql, ports, setFamily, apply } = this.#parts;
    if (state?.family == null) return;
    const { tenant } = state.origin;
    const outcome = await ports.outcomeOf(tenant, child_id, null);
    // It may have been disowned and adopted again: what it told before was not taken.
    if (outcome !== null) await ports.poke(tenant, child_id);
    this.#verified.add(child_id);
    const children = this.#parts.state()?.family?.children ?? [];
    const known = children.find(({ task_id }) => task_id === child_id);
    const isOwn = outcome?.parent_task_id === state.origin.task_id;
    if (isOwn || known === undefined || known.report !== null) return;
    this.#verified.delete(child_id);
    removeChild(sql, child_id);
    setFamily({ children: children.filter((child) => child !== known) });
    await apply({ type: "family", results: [] });
  }

  #warn(detail: string): void {
    const { tenant, task_id } = this.#parts.state()?.origin ?? { tenant: "", task_id: "" };
    this.#parts.ports.log("warning", "kin_unreachable", { tenant, task_id, detail });
  }

  #isAsking(state: TaskState): boolean {
    const isWaiting = state.phase === "waiting_dependencies" && openCancels(state).length === 0;
    return isWaiting && isHeldBack(state);
  }

  #tellDue(state: TaskState, now: number): number | null {
    if (state.origin.lineage === undefined || digestOf(state) === this.#told) {
      this.#tellAt = null;
    } else {
      const wait = state.phase === "ended" ? 0 : FLUSH_PAUSE_MS;
      this.#tellAt = Math.min(this.#tellAt ?? Infinity, now + wait);
    }
    return this.#tellAt;
  }

  #owesBatch(state: TaskState): boolean {
    return state.phase === "ended" && state.origin.batch_id !== undefined && !this.#isBatchTold;
  }

  #doubtful(state: TaskState) {
    return (state.family?.children ?? []).filter(
      ({ task_id, report }) => report === null && !this.#verified.has(task_id),
    );
  }

  async #asked(state: TaskState, gate: Gate, waiter: string | null): Promise<AskedGate> {
    const { ports } = this.#parts;
    const { tenant, task_id } = state.origin;
    if (gate.kind === "batch") {
      const answer = await ports.gateOfBatch(tenant, gate.batch_id, task_id);
      return { gate, answer: { kind: "batch", ...answer } };
    }
    // A parent knows its children, and pokes them when it is let go itself.
    const noted = gate.kind === "parent" ? null : waiter;
    const outcome = await ports.outcomeOf(tenant, gate.task_id, noted);
    return { gate, answer: { kind: "task", outcome } };
  }

  async #ask(): Promise<void> {
    const state = this.#parts.state();
    const now = this.#parts.now();
    if (state === null || !this.#isAsking(state) || (this.#askAt ?? now) > now) return;
    // Set first: a poke that comes while the gates are being asked must not be forgotten.
    this.#askAt = now + reminderDelayMs(now - state.created_at);
    const { gates = [], task_id } = state.origin;
    const asked = await inTurn(gates, MOST_CALLS, (gate) => this.#asked(state, gate, task_id));
    const news = gateNews(asked, {
      isExcused: state.excuse === "granted",
      mayStillCome: now - state.created_at < ARRIVAL_GRACE_MS,
    });
    if (news === null) return;
    await this.#parts.apply({ type: "gates", news });
    // Whoever waits again afterwards does so for another reason, and asks at once.
    this.#askAt = null;
  }

  /** An outcome that was certain while something else was in the way. */
  async #join(): Promise<void> {
    const state = this.#parts.state();
    if (state === null || !this.#isJoinDue(state)) return;
    await this.#parts.apply({ type: "family", results: readReports(this.#parts.sql) });
    this.#judged = this.#parts.state();
  }

  #isJoinDue(state: TaskState): boolean {
    return familyJoin(state).kind !== "open" && state !== this.#judged;
  }

  async #verifyChildren(): Promise<void> {
    const state = this.#parts.state();
    if (state === null) return;
    const limit = this.#parts.now() - ADOPTION_GRACE_MS;
    const late = this.#doubtful(state).filter(({ adopted_at }) => adopted_at <= limit);
    await inTurn(late, MOST_CALLS, ({ task_id }) => this.verify(task_id));
  }

  async #tellParent(): Promise<void> {
    const state = this.#parts.state();
    const { ports, now, apply } = this.#parts;
    const parent = state?.origin.lineage?.parent_task_id;
    if (state === null || parent === undefined) return;
    const due = this.#tellDue(state, now());
    if (due === null || due > now()) return;
    const digest = digestOf(state);
    const isTaken = await ports.tellParent(state.origin.tenant, parent, childReportOf(state));
    this.#told = digest;
    this.#tellAt = null;
    if (isTaken || hasVerdict(state)) return;
    const message = `Parent ${parent} has no such child`;
    await apply({ type: "stop", command_id: newCommandId(), reason: "cancelled", message });
  }

  async #tellBatch(): Promise<void> {
    const state = this.#parts.state();
    const batch_id = state?.origin.batch_id;
    if (state === null || batch_id === undefined || !this.#owesBatch(state)) return;
    await this.#parts.ports.tellBatch(state.origin.tenant, batch_id, outcomeOf(state));
    this.#isBatchTold = true;
  }
}
