import { mergePatch } from "../../lib/merge-patch.ts";
import type { Clock } from "../../lib/ports.ts";
import { ok, refuse } from "../../lib/result.ts";
import type { Result } from "../../lib/result.ts";
import type { ChildOffer, ChildReport, Ties } from "../../protocol/kin.ts";
import type { JsonObject } from "../../protocol/primitives.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import { LARGEST_SHARED_CONTEXT } from "../../protocol/subtasks.ts";
import type { SubtaskView } from "../../protocol/subtasks.ts";
import type { Command } from "../machine/commands.ts";
import { fence } from "../machine/lease.ts";
import type { TaskState } from "../machine/state.ts";
import { adopt, birthrightOf } from "./adoption.ts";
import type { Adoption } from "./adoption.ts";
import { familyJoin } from "./decide-family.ts";
import { withReport } from "./family.ts";
import type { Family } from "./family.ts";
import { prerequisitesIn } from "./gates.ts";
import {
  readReports,
  readShared,
  writeChildren,
  writeReport,
  writeShared,
} from "./relation-store.ts";
import { subtaskViewOf } from "./subtask-view.ts";

/** Bytes of what all subtasks have made in one answer; larger ones are read at their own addresses. */
const LARGEST_VIEW = 2_000_000;

/** What a keeper of a family works on. */
export interface FamilyParts {
  sql: SqlStorage;
  now: Clock;
  /** As it is now: what was read before an await may be out of date. */
  state: () => TaskState | null;
  setFamily: (family: Family) => void;
  apply: (command: Command) => Promise<unknown>;
  /** Sees to it that the alarm comes for what is due now. */
  arm: () => Promise<void>;
  /** A child has reported for the first time. */
  firstHeard: (task_id: string) => unknown;
}

/** Keeps the children of one task: adopts them, hears them, and holds what their executors share. */
export class FamilyKeeper {
  readonly #parts: FamilyParts;

  constructor(parts: FamilyParts) {
    this.#parts = parts;
  }

  /**
   * Sets aside what these children need, all or none; with `isTrial` it only says whether that is possible.
   *
   * Refused with task_ended, parent_refused or budget_exceeded, and for the holder with what a fence says.
   *
   * @param token of the holder who hands out work; undefined for an orchestrator
   */
  async adopt(
    offers: readonly ChildOffer[],
    { token, isTrial }: { token?: string | null | undefined; isTrial: boolean },
  ): Promise<Result<Adoption, Refusal>> {
    const state = this.#state();
    const fenced = token === undefined ? null : fence(state, token, null);
    if (fenced !== null && !fenced.ok) return fenced;
    const adopted = adopt(state, offers, this.#parts.now());
    if (!adopted.ok) return adopted;
    const family = { children: [...(state.family?.children ?? []), ...adopted.value] };
    if (!isTrial && adopted.value.length > 0) {
      writeChildren(this.#parts.sql, adopted.value);
      this.#parts.setFamily(family);
      await this.#parts.arm();
    }
    const births = offers.flatMap((offer) => {
      const child = family.children.find(({ task_id }) => task_id === offer.task_id);
      return child === undefined ? [] : [birthrightOf(state, child, offer.max_depth)];
    });
    return ok({ births, fresh: adopted.value.map(({ task_id }) => task_id) });
  }

  /** A child says how it stands; false when it is not a child of this task. */
  async hear(report: ChildReport): Promise<boolean> {
    const { sql, setFamily, apply, firstHeard } = this.#parts;
    const state = this.#state();
    const { family } = state;
    const before = family?.children.find(({ task_id }) => task_id === report.task_id);
    if (family === null || before === undefined) return false;
    if (before.report === null) firstHeard(report.task_id);
    const next = withReport(family, report);
    if (next === family) return true;
    const child = next.children.find(({ task_id }) => task_id === report.task_id);
    // No await from here to the commit of what follows: both are written, or neither.
    if (child !== undefined) writeReport(sql, child, report);
    setFamily(next);
    const isJoined = familyJoin({ ...state, family: next }).kind === "success";
    await apply({ type: "family", results: isJoined ? readReports(sql) : [] });
    return true;
  }

  #state(): TaskState {
    const state = this.#parts.state();
    if (state === null) throw new Error("a task that is not there has no family");
    return state;
  }

  /** The children, and how far they are. */
  view(): SubtaskView {
    return subtaskViewOf(this.#state(), readReports(this.#parts.sql, LARGEST_VIEW));
  }

  /**
   * What the executors of this task and of its children share. Refused when it would become too large.
   *
   * @param patch merged into it first; null to read it only
   */
  share(patch: JsonObject | null): Result<JsonObject, Refusal> {
    const before = readShared(this.#parts.sql);
    if (patch === null) return ok(before);
    const merged = mergePatch(before, patch);
    const size = new TextEncoder().encode(JSON.stringify(merged)).length;
    if (size > LARGEST_SHARED_CONTEXT || merged === null || typeof merged !== "object") {
      return refuse({
        code: "validation_failed",
        detail: "The shared context would become too large.",
        errors: [
          {
            pointer: "/patch",
            code: "too_big",
            detail: "remove what nobody needs any more by setting it to null",
            expected: `at most ${LARGEST_SHARED_CONTEXT} bytes after merging`,
            received: `${size} bytes`,
          },
        ],
      });
    }
    const context: JsonObject = { ...merged };
    writeShared(this.#parts.sql, context);
    return ok(context);
  }
}

/**
 * Whom a task waits for or belongs to.
 *
 * @param token of whoever says that he holds it
 */
export function tiesOf(state: TaskState, token: string | null): Ties {
  const gates = prerequisitesIn(state.origin.gates ?? []);
  return {
    is_ended: state.phase === "ended",
    body_hash: state.origin.body_hash,
    parent_task_id: state.origin.lineage?.parent_task_id ?? null,
    is_holder: fence(state, token, null).ok,
    waits_for: [...gates, ...(state.family?.children ?? []).map(({ task_id }) => task_id)],
  };
}
