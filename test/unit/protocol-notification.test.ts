import { describe, expect, it } from "vitest";

import { executorNotificationTypeSchema, taskStatusSchema } from "../../src/protocol/enums.ts";
import type { ExecutorNotificationType } from "../../src/protocol/enums.ts";
import { faultsOf } from "../../src/protocol/faults.ts";
import { notificationSchema, STATUS_OF_NOTIFICATION } from "../../src/protocol/notification.ts";

const TYPES = executorNotificationTypeSchema.options;

/** The least data of each type. */
const DATA: Record<ExecutorNotificationType, Record<string, unknown>> = {
  task_started: { task_type: "general", estimated_duration: 60, complexity: "low" },
  task_progress: { progress_percentage: 40, current_step: "reading" },
  task_completed: {
    result: { summary: "short" },
    execution_summary: "Read and summarised",
    metrics: { execution_time: 12, tokens_used: 0, cost: 0, quality_score: 0.9 },
    quality_assessment: { overall_score: 0.9 },
  },
  task_failed: {
    error_type: "timeout",
    error_message: "The source did not answer",
    root_cause: {
      class: "network",
      detail: "None of three attempts was answered",
      evidence: ["503"],
    },
  },
  task_escalated: {
    escalation_reason: "Two sources disagree",
    escalation_level: "human",
    question: "Which one counts?",
    urgency: "medium",
  },
};

/** What each type may carry besides. */
const MORE: Record<ExecutorNotificationType, Record<string, unknown>> = {
  task_started: {
    description: "Begin",
    model_selected: "none",
    required_resources: { memory_mb: 1 },
  },
  task_progress: {
    steps_completed: 2,
    total_steps: 5,
    intermediate_results: { rows: 10 },
    estimated_remaining: 30,
    challenges: ["slow source", { description: "no index", severity: "warning", blocking: true }],
    opportunities: ["cache it"],
  },
  task_completed: {
    output_files: ["out.csv"],
    next_steps: ["publish"],
    related_tasks: ["t0"],
    lessons_learned: ["read the header first"],
  },
  task_failed: {
    error_details: { status: 503 },
    partial_results: { steps: [1, 2] },
    recovery_suggestions: ["wait"],
    retry_recommended: true,
    suggested_modifications: { timeout: 600 },
  },
  task_escalated: {
    context: { a: 1 },
    options: ["a", "b"],
    attempted_solutions: ["asked twice"],
    recommended_actions: ["ask a person"],
    deadline: "2026-11-22T11:00:00Z",
    default_option: "a",
  },
};

const notification = (type: string, data: unknown, more: object = {}): Record<string, unknown> => ({
  notification_id: "n1",
  notification_type: type,
  task_id: "t1",
  agent_id: "a1",
  timestamp: "2026-11-22T10:00:00Z",
  data,
  ...more,
});

function pointersOf(message: unknown): string[] {
  const { error } = notificationSchema.safeParse(message);
  return error === undefined ? [] : faultsOf(error, message).map(({ pointer }) => pointer);
}

describe("notification data", () => {
  const cross = TYPES.flatMap((type) => TYPES.map((dataOf) => ({ type, dataOf })));

  it.each(cross)("of $dataOf fits $type on the diagonal only", ({ type, dataOf }) => {
    const pointers = pointersOf(notification(type, DATA[dataOf]));

    expect(pointers.length === 0).toBe(type === dataOf);
    // Whatever is wrong is said of data, field by field.
    for (const pointer of pointers) expect(pointer).toMatch(/^\/data\/\w+/);
  });

  it.each(TYPES)("of %s takes every field of its own", (type) => {
    expect(pointersOf(notification(type, { ...DATA[type], ...MORE[type] }))).toEqual([]);
  });

  const foreign = TYPES.flatMap((type) =>
    TYPES.filter((other) => other !== type).flatMap((other) =>
      [...Object.keys(DATA[other]), ...Object.keys(MORE[other])]
        .filter((field) => !(field in DATA[type]) && !(field in MORE[type]))
        .map((field) => ({ type, field, value: { ...DATA[other], ...MORE[other] }[field] })),
    ),
  );

  it.each(foreign)(
    "of $type refuses the field $field of another type",
    ({ type, field, value }) => {
      expect(pointersOf(notification(type, { ...DATA[type], [field]: value }))).toEqual([
        `/data/${field}`,
      ]);
    },
  );

  const mandatory = TYPES.flatMap((type) =>
    Object.keys(DATA[type]).map((field) => ({ type, field })),
  );

  it.each(mandatory)("of $type needs $field", ({ type, field }) => {
    const { [field]: _left, ...rest } = DATA[type];

    expect(pointersOf(notification(type, rest))).toEqual([`/data/${field}`]);
  });

  it.each<[type: ExecutorNotificationType, change: object, pointer: string]>([
    ["task_started", { complexity: "huge" }, "/data/complexity"],
    ["task_progress", { progress_percentage: 101 }, "/data/progress_percentage"],
    ["task_progress", { progress_percentage: -1 }, "/data/progress_percentage"],
    ["task_progress", { challenges: [{ severity: "error" }] }, "/data/challenges/0/description"],
    ["task_progress", { steps_completed: 6, total_steps: 5 }, "/data/steps_completed"],
    [
      "task_completed",
      { quality_assessment: { overall_score: 2 } },
      "/data/quality_assessment/overall_score",
    ],
    ["task_completed", { metrics: { execution_time: 1 } }, "/data/metrics/tokens_used"],
    ["task_failed", { root_cause: { class: "a", detail: "b" } }, "/data/root_cause/evidence"],
    ["task_escalated", { escalation_level: "boss" }, "/data/escalation_level"],
  ])("of %s refuses %j", (type, change, pointer) => {
    expect(pointersOf(notification(type, { ...DATA[type], ...change }))).toContain(pointer);
  });
});

describe("a notification", () => {
  it.each(TYPES)("of %s may say its status, and no other", (type) => {
    const accepted = taskStatusSchema.options.filter(
      (status) => pointersOf(notification(type, DATA[type], { status })).length === 0,
    );

    expect(accepted).toEqual([STATUS_OF_NOTIFICATION[type]]);
  });

  it.each(["notification_id", "notification_type", "task_id", "agent_id", "timestamp", "data"])(
    "needs %s",
    (field) => {
      const { [field]: _left, ...rest } = notification("task_progress", DATA.task_progress);

      expect(pointersOf(rest)).toContain(`/${field}`);
    },
  );

  it.each(["task_paused", "agent_end_task", "system_alert", ""])("is never of type %j", (type) => {
    expect(pointersOf(notification(type, {}))).toEqual(["/notification_type"]);
  });

  it("takes the generic metadata and more", () => {
    const metadata = {
      agent_version: "1",
      resource_usage: { memory_mb: 1, cpu_seconds: 1, disk_mb: 1 },
      performance_metrics: { latency_ms: 1, throughput: 1, error_rate: 0 },
      mood: "good",
    };

    expect(pointersOf(notification("task_progress", DATA.task_progress, { metadata }))).toEqual([]);
  });

  it("is told every fault at once, relations among them", () => {
    const data = { current_step: "", steps_completed: 6, total_steps: 5 };

    expect(pointersOf(notification("task_progress", data, { mood: "good" })).toSorted()).toEqual([
      "/data/current_step",
      "/data/progress_percentage",
      "/data/steps_completed",
      "/mood",
    ]);
  });

  it("refuses an unknown field beside data", () => {
    expect(pointersOf(notification("task_progress", DATA.task_progress, { mood: "good" }))).toEqual(
      ["/mood"],
    );
  });
});

describe("what is added up or becomes an instant", () => {
  const metrics = { execution_time: 1, tokens_used: 0, cost: 0, quality_score: 1 };
  const completed = (changes: object) => ({
    ...DATA.task_completed,
    metrics: { ...metrics, ...changes },
  });
  const sent = (type: ExecutorNotificationType, data: object, more: object = {}) =>
    notificationSchema.safeParse(notification(type, data, more)).success;

  it.each<[what: string, most: boolean, more: boolean]>([
    [
      "cost",
      sent("task_completed", completed({ cost: 1e9 })),
      sent("task_completed", completed({ cost: 1e300 })),
    ],
    [
      "tokens",
      sent("task_completed", completed({ tokens_used: 1e12 })),
      sent("task_completed", completed({ tokens_used: Number.MAX_SAFE_INTEGER })),
    ],
    [
      "the time it took",
      sent("task_completed", completed({ execution_time: 31_536_000 })),
      sent("task_completed", completed({ execution_time: 1e18 })),
    ],
    [
      "the time it will take",
      sent("task_progress", { ...DATA.task_progress, estimated_remaining: 31_536_000 }),
      sent("task_progress", { ...DATA.task_progress, estimated_remaining: 31_536_001 }),
    ],
    [
      "the executor's count",
      sent("task_progress", DATA.task_progress, { sequence: 1e15 }),
      sent("task_progress", DATA.task_progress, { sequence: Number.MAX_SAFE_INTEGER }),
    ],
  ])("has a bound: %s", (_what, most, more) => {
    expect([most, more]).toEqual([true, false]);
  });
});
