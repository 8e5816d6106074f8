import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { deliveryDrafts } from "../../src/observe/trace/deliveries.ts";
import type { Draft } from "../../src/observe/trace/draft.ts";
import { fitted } from "../../src/observe/trace/fit.ts";
import { traceOf } from "../../src/observe/trace/trace.ts";
import type { EventType } from "../../src/protocol/enums.ts";
import { at, T0 } from "../task-news.ts";
import {
  assigned,
  delivery,
  ENDED,
  lifeOf,
  logOf,
  OURS,
  phase,
  post,
  round,
} from "./trace-world.ts";
import type { Said } from "./trace-world.ts";

/** Events at any time, with an end phase or a request that says any other. */
function eventsOf(drawn: readonly [number, EventType, number][]) {
  const names = ["cleanup", "reporting", "notification"];
  return logOf(
    drawn.map(([time, type, other], index): Said => {
      if (type === "task_assigned") return [time, type, assigned(index)];
      if (type === "task_progress") return [time, type, round(Math.abs(other) * 1_000)];
      if (type === "finalization_phase") {
        return [time, type, phase(names.pop() ?? "none", time, other)];
      }
      if (type === "task_submitted") {
        const request = { span_id: OURS, parent_id: null, received_at: at(other) };
        return [time, type, { request }];
      }
      return [time, type];
    }),
  );
}

interface Around {
  index: number;
  drafts: readonly Draft[];
  byKey: ReadonlyMap<string, Draft>;
}

const failed = (rules: Record<string, boolean>) => Object.keys(rules).filter((rule) => rules[rule]);

/** What is wrong with a span and its parent, in words. */
function faultsBelow(draft: Draft, parent: Draft | undefined): string[] {
  const late = (draft.end ?? 0) - (parent?.end ?? Infinity);
  return failed({
    "has no parent": draft.parent !== null && parent === undefined,
    "begins before its parent": draft.start < (parent?.start ?? -Infinity),
    "ends late in silence": late > 0 !== "after_parent_ms" in draft.attributes,
    "ends late": late > 0 && !draft.kind.startsWith("delivery"),
  });
}

/** What is wrong with a span in its place, in words. */
function faultsOf(draft: Draft, { index, drafts, byKey }: Around): string[] {
  const told = drafts[index] ?? draft;
  const isMoved = told.start !== draft.start || (told.end !== null && told.end !== draft.end);
  const itself = failed({
    "ends before it begins": draft.end !== null && draft.end < draft.start,
    "was moved in silence": isMoved !== "clock_skew_ms" in draft.attributes,
    "stands before its parent": drafts.findIndex(({ key }) => key === draft.parent) >= index,
  });
  return [...itself, ...faultsBelow(draft, byKey.get(draft.parent ?? ""))];
}

describe("clocks that disagree", () => {
  const { created_at } = ENDED;

  it("never put a span outside its parent or end one before it began, and are told of", () => {
    const types = fc.constantFrom<EventType>(
      "task_submitted",
      "task_ready",
      "task_assigned",
      "task_progress",
      "task_failed",
      "retry_scheduled",
      "task_escalated",
      "escalation_resolved",
      "verdict",
      "finalization_phase",
    );
    const second = fc.integer({ min: -1_000, max: 1_000 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(second, types, second), { maxLength: 30 }),
        fc.array(fc.tuple(second, second, fc.integer({ min: 1, max: 30 })), { maxLength: 5 }),
        fc.option(second),
        (said, sent, end) => {
          const events = eventsOf(said);
          const view = { ...ENDED, created_at, ended_at: end === null ? null : at(end) };
          const life = lifeOf(view, events);
          const deliveries = sent.flatMap(([created, delivered, seq], index) =>
            deliveryDrafts(
              delivery({
                delivery_id: `dlv_${index}`,
                created_at: at(created),
                delivered_at: at(delivered),
                attempts: [post({ started_at: at(delivered - created) })],
              }),
              life.causes.get(seq) ?? "task/task-1",
            ),
          );
          const drafts = [...life.drafts, ...deliveries];
          const places = fitted(drafts);
          const byKey = new Map(places.map((draft) => [draft.key, draft]));
          expect(
            places.flatMap((draft, index) => faultsOf(draft, { index, drafts, byKey })),
          ).toEqual([]);
        },
      ),
    );
  });

  it("leave what they were told as beside what was made of it", async () => {
    const events = logOf([
      [5, "task_submitted", { request: { span_id: OURS, parent_id: null, received_at: at(9) } }],
      [6, "task_ready"],
    ]);
    const view = { ...ENDED, created_at: at(5) };
    const { spans } = await traceOf(
      { view, life: lifeOf(view, events), deliveries: [], missing: [] },
      T0,
    );

    expect(spans.find(({ kind }) => kind === "request")).toMatchObject({
      started_at: at(9),
      ended_at: at(9),
      duration_ms: 0,
      attributes: { clock_skew_ms: 4_000, told_started_at: at(9), told_ended_at: at(5) },
    });
  });
});
