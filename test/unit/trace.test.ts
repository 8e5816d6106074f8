import { createHash } from "node:crypto";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { spanIdOf, traceparentOf } from "../../src/lib/trace-context.ts";
import { deliveryDrafts } from "../../src/observe/trace/deliveries.ts";
import { shown, type Draft } from "../../src/observe/trace/draft.ts";
import { fitted } from "../../src/observe/trace/fit.ts";
import { lifeOf } from "../../src/observe/trace/life.ts";
import { slowestPath } from "../../src/observe/trace/slowest-path.ts";
import { traceOf } from "../../src/observe/trace/trace.ts";
import type { EventType } from "../../src/protocol/enums.ts";
import type { JsonObject } from "../../src/protocol/primitives.ts";
import type { TaskEvent } from "../../src/protocol/task-view.ts";
import { traceSchema } from "../../src/protocol/trace.ts";
import type { Trace } from "../../src/protocol/trace.ts";
import type { Attempt, DeliveryView } from "../../src/protocol/webhook.ts";
import { at, eventOf, T0, viewOf } from "../task-news.ts";

const TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER = "00f067aa0ba902b7";
const OURS = "1111111111111111";

type Said = [second: number, type: EventType, data?: JsonObject];

function logOf(said: readonly Said[]): TaskEvent[] {
  return said.map(([second, type, data = {}], index) =>
    eventOf(index + 1, { type, at: at(second), correlation_id: TRACE_ID, data }),
  );
}

const assigned = (attempt: number): JsonObject => ({ agent_id: "ann", attempt });
const phase = (name: string, from: number, to: number): JsonObject => ({
  name,
  outcome: "done",
  started_at: at(from),
  ended_at: at(to),
  attempts: 1,
  checks: [],
});

const round = (duration_ms: unknown): JsonObject => ({
  data: {
    progress_percentage: 50,
    current_step: "Round 1",
    intermediate_results: {
      quality_round: 1,
      model_id: "small",
      model_call: {
        finish_reason: "stop",
        tokens: 7,
        cost_usd: 0.1,
        duration_ms,
        tools_called: [],
      },
    },
  },
});

/** Two attempts, a question between them, and the end. */
const LIFE: Said[] = [
  [1, "task_submitted", { request: { span_id: OURS, parent_id: CALLER, received_at: at(0) } }],
  [1, "task_ready"],
  [4, "task_routed"],
  [4, "task_assigned", assigned(1)],
  [5, "task_started"],
  [9, "task_progress", round(3_000)],
  [10, "task_failed", { data: { error_type: "broken" } }],
  [10, "retry_scheduled"],
  [20, "task_ready"],
  [21, "task_assigned", assigned(2)],
  [
    30,
    "task_escalated",
    { data: { question: "Go on?", escalation_level: "human", urgency: "low" } },
  ],
  [90, "escalation_resolved", { state: "resolved", decision: "resume" }],
  [90, "task_ready"],
  [91, "task_assigned", assigned(3)],
  [120, "task_completed"],
  [120, "verdict", { reason: "success" }],
  [122, "finalization_phase", phase("cleanup", 121, 122)],
  [123, "finalization_phase", phase("reporting", 122, 123)],
  [124, "agent_end_task"],
];

const ENDED = viewOf({
  status: "completed",
  phase: "ended",
  created_at: at(1),
  ended_at: at(124),
  end_reason: "success",
});

const post = (changes: Partial<Attempt> = {}): Attempt => ({
  attempt: 1,
  trigger: "scheduled",
  due_at: at(120),
  started_at: at(121),
  duration_ms: 500,
  status_code: 200,
  error_class: null,
  response_body: "untold",
  level: 0,
  ...changes,
});

const delivery = (changes: Partial<DeliveryView> = {}): DeliveryView => ({
  delivery_id: "dlv_whx_15_task-1",
  webhook_id: "wh_0123456789abcdefABCDEF",
  message_id: "msg_whx_15_task-1",
  task_id: "task-1",
  seq: 15,
  prev_seq: null,
  type: "task_completed",
  priority: "normal",
  state: "delivered",
  attempts_made: 1,
  next_attempt_at: null,
  created_at: at(120),
  delivered_at: at(130),
  delay_reason: null,
  attempts: [post()],
  ...changes,
});

const trace = (said: readonly Said[], more: Partial<Parameters<typeof traceOf>[0]> = {}) =>
  traceOf({ view: ENDED, events: logOf(said), deliveries: [], missing: [], ...more }, T0 + 200_000);

/** The tree in words: kind, from, to, and the kind that it hangs below. */
function tree({ spans }: Trace) {
  const kindOf = new Map(spans.map(({ span_id, kind }) => [span_id, kind]));
  return spans.map(({ kind, parent_id, started_at, ended_at }) =>
    [
      kind,
      (Date.parse(started_at) - T0) / 1_000,
      ended_at === null ? "on" : (Date.parse(ended_at) - T0) / 1_000,
      parent_id === null ? "-" : (kindOf.get(parent_id) ?? "?"),
    ].join(" "),
  );
}

const pathOf = ({ spans, slowest_path }: Trace) =>
  slowest_path.map((id) => spans.find(({ span_id }) => span_id === id)?.name);

describe("the spans of a task", () => {
  it("are its submission, waits, attempts, calls, questions and end phases, each below its own parent", async () => {
    const found = await trace(LIFE, { deliveries: [delivery()] });

    expect(traceSchema.parse(found)).toEqual(found);
    expect(tree(found)).toEqual([
      "task 0 124 -",
      "request 0 1 task",
      "queue_wait 1 4 task",
      "attempt 4 10 task",
      "model_call 6 9 attempt",
      "queue_wait 10 20 task",
      "queue_wait 20 21 task",
      "attempt 21 30 task",
      "escalation 30 90 task",
      "queue_wait 90 91 task",
      "attempt 91 120 task",
      "delivery 120 130 attempt",
      "end_phase 121 122 task",
      "delivery_attempt 121 121.5 delivery",
      "end_phase 122 123 task",
    ]);
    expect(found).toMatchObject({
      trace_id: TRACE_ID,
      remote_parent: CALLER,
      started_at: at(0),
      ended_at: at(124),
      duration_ms: 124_000,
      is_complete: true,
      missing: [],
    });
    expect(found.spans[1]?.span_id).toBe(OURS);
    expect(JSON.stringify(found)).not.toContain("untold");
  });

  it("say how each attempt ended", async () => {
    const { spans } = await trace(LIFE);

    expect(
      spans.flatMap(({ kind, status, attributes }) =>
        kind === "attempt" ? [[status, attributes["outcome"], attributes["error_type"]]] : [],
      ),
    ).toEqual([
      ["error", "failed", "broken"],
      ["unset", "escalated", undefined],
      ["ok", "completed", undefined],
    ]);
  });

  it("have ids that anybody can compute: 8 bytes of SHA-256 of the trace id and what it is", async () => {
    const hash = (name: string) =>
      createHash("sha256").update(`${TRACE_ID}/${name}`).digest("hex").slice(0, 16);
    const { spans } = await trace(LIFE, { deliveries: [delivery()] });
    const ids = (kind: string) =>
      spans.flatMap((span) => (span.kind === kind ? [span.span_id] : []));

    expect(ids("task")).toEqual([hash("task/task-1")]);
    expect(ids("attempt")).toEqual([1, 2, 3].map((n) => hash(`task/task-1/attempt/${n}`)));
    expect(ids("delivery_attempt")).toEqual([hash("delivery/dlv_whx_15_task-1/attempt/1")]);
    expect(new Set(spans.map(({ span_id }) => span_id)).size).toBe(spans.length);
    expect(traceparentOf(TRACE_ID, await spanIdOf(TRACE_ID, "x"))).toBe(
      `00-${TRACE_ID}-${hash("x")}-01`,
    );
    expect(traceparentOf("none", hash("x"))).toBeNull();
  });

  it("go on where the task does", async () => {
    const view = viewOf({ status: "running", phase: "executing", created_at: at(1) });
    const found = await trace(LIFE.slice(0, 5), { view });

    expect(tree(found)).toEqual([
      "task 0 on -",
      "request 0 1 task",
      "queue_wait 1 4 task",
      "attempt 4 on task",
    ]);
    expect(found).toMatchObject({ ended_at: null, duration_ms: null });
    expect(pathOf(found)).toEqual(["Task task-1", "Attempt 1 by ann"]);
  });

  it("take nothing of what an executor only pretends to be a call of a model", async () => {
    const lies = [-1, 1e300, "1", null].map((lie): Said => [9, "task_progress", round(lie)]);

    const found = await trace([...LIFE.slice(0, 5), ...lies]);

    expect(tree(found).some((line) => line.startsWith("model_call"))).toBe(false);
  });

  it("tell of a task that somebody stopped while it waited for an answer", async () => {
    const found = await trace([
      ...LIFE.slice(0, 11),
      [60, "verdict", { reason: "cancelled" }],
      [124, "agent_end_task"],
    ]);

    expect(tree(found).slice(-1)).toEqual(["escalation 30 60 task"]);
  });

  it("have a trace id of their own where the log names none of the standard's form", async () => {
    const events = [eventOf(1, { correlation_id: "" })];
    const found = await traceOf({ view: ENDED, events, deliveries: [], missing: ["x"] }, T0);

    expect(traceSchema.parse(found)).toMatchObject({ is_complete: false, missing: ["x"] });
  });

  it("show no more of a text than can be read at a glance", () => {
    expect(shown("x".repeat(1_000))).toHaveLength(200);
  });
});

describe("deliveries of a task", () => {
  it("may end after the task, and say by how much", async () => {
    const { spans } = await trace(LIFE, {
      deliveries: [
        delivery({
          delivered_at: at(200),
          attempts: [post(), post({ attempt: 2, started_at: at(199) })],
        }),
      ],
    });
    const late = spans.filter(({ attributes }) => "after_parent_ms" in attributes);

    expect(late.map(({ kind, attributes }) => [kind, attributes["after_parent_ms"]])).toEqual([
      ["delivery", 80_000],
    ]);
  });

  it.each([
    ["pending", null, "unset", null],
    ["retrying", null, "unset", null],
    ["exhausted", null, "error", 121_500],
    ["cancelled", null, "error", 121_500],
    ["delivered", at(125), "ok", 125_000],
  ] as const)("%s are told as such", (state, delivered_at, status, end) => {
    const [first] = deliveryDrafts(delivery({ state, delivered_at }), "task/task-1");

    expect([first?.status, first?.end]).toEqual([status, end === null ? null : T0 + end]);
  });
});

describe("the slowest path", () => {
  it("leads to what the end waited for the longest", async () => {
    expect(pathOf(await trace(LIFE))).toEqual(["Task task-1", "Question"]);
  });

  it("goes into an attempt, to the call that held it up", async () => {
    const quick = LIFE.map(([second, ...rest]): Said => [Math.min(second, 12), ...rest]);
    const found = await trace(quick, { view: { ...ENDED, ended_at: at(12) } });

    expect(pathOf(found)).toEqual(["Task task-1", "Attempt 1 by ann", "Model small"]);
    expect(found.spans.filter((span) => span.is_on_slowest_path)).toHaveLength(3);
  });

  it("passes by what lay beside something that took longer, and by deliveries", () => {
    const draft = (key: string, start: number, end: number, kind: Draft["kind"] = "attempt") => ({
      key,
      parent: key === "root" ? null : "root",
      kind,
      name: key,
      start,
      end,
      status: "ok" as const,
      attributes: {},
    });

    expect(
      slowestPath(
        [
          draft("root", 0, 100),
          draft("beside", 40, 89),
          draft("longest", 30, 90),
          draft("last", 90, 100),
          draft("sent", 0, 100, "delivery"),
        ],
        100,
      ),
    ).toEqual(["root", "longest"]);
  });
});

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
          let attempts = 0;
          let phases = 0;
          const events = logOf(
            said.map(([time, type, other]): Said => {
              if (type === "task_assigned") return [time, type, assigned((attempts += 1))];
              if (type === "task_progress") return [time, type, round(Math.abs(other) * 1_000)];
              if (type === "finalization_phase") {
                const names = ["cleanup", "reporting", "notification"];
                return [time, type, phase(names[phases++] ?? "other", time, other)];
              }
              if (type !== "task_submitted") return [time, type];
              const request = { span_id: OURS, parent_id: null, received_at: at(other) };
              return [time, type, { request }];
            }),
          );
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
          for (const [index, draft] of places.entries()) {
            expect(draft.end ?? Infinity).toBeGreaterThanOrEqual(draft.start);
            const told = drafts.find(({ key }) => key === draft.key);
            const isMoved =
              told?.start !== draft.start || (told.end !== null && told.end !== draft.end);
            expect("clock_skew_ms" in draft.attributes).toBe(isMoved);
            if (draft.parent === null) continue;
            const parent = byKey.get(draft.parent);
            expect(parent).toBeDefined();
            expect(places.findIndex(({ key }) => key === draft.parent)).toBeLessThan(index);
            expect(draft.start).toBeGreaterThanOrEqual(parent?.start ?? Infinity);
            const isLate =
              (draft.end ?? Infinity) > (parent?.end ?? Infinity) && draft.end !== null;
            expect("after_parent_ms" in draft.attributes).toBe(isLate);
            if (isLate) expect(draft.kind).toMatch(/^delivery/);
          }
        },
      ),
    );
  });

  it("leave what they were told as beside what was made of it", async () => {
    const events = logOf([
      [5, "task_submitted", { request: { span_id: OURS, parent_id: null, received_at: at(9) } }],
      [6, "task_ready"],
    ]);
    const { spans } = await traceOf(
      { view: { ...ENDED, created_at: at(5) }, events, deliveries: [], missing: [] },
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
