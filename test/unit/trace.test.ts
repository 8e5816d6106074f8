import { createHash } from "node:crypto";

import { describe, expect, it } from "vitest";

import { spanIdOf, traceparentOf } from "../../src/lib/trace-context.ts";
import { deliveryDrafts } from "../../src/observe/trace/deliveries.ts";
import { shown, type Draft } from "../../src/observe/trace/draft.ts";
import { slowestPath } from "../../src/observe/trace/slowest-path.ts";
import { traceOf } from "../../src/observe/trace/trace.ts";
import { traceSchema } from "../../src/protocol/trace.ts";
import type { Trace } from "../../src/protocol/trace.ts";
import { at, eventOf, T0, viewOf } from "../task-news.ts";
import {
  CALLER,
  delivery,
  ENDED,
  LIFE,
  lifeOf,
  logOf,
  OURS,
  post,
  round,
  TRACE_ID,
} from "./trace-world.ts";
import type { Said } from "./trace-world.ts";

const trace = (said: readonly Said[], more: Partial<Parameters<typeof traceOf>[0]> = {}) =>
  traceOf(
    {
      view: ENDED,
      life: lifeOf(more.view ?? ENDED, logOf(said)),
      deliveries: [],
      missing: [],
      ...more,
    },
    T0 + 200_000,
  );

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
    const life = lifeOf(ENDED, [eventOf(1, { correlation_id: "" })]);
    const found = await traceOf({ view: ENDED, life, deliveries: [], missing: ["x"] }, T0);

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
