import { describe, expect, it } from "vitest";

import { ok, refuse } from "../../src/lib/result.ts";
import type { Escalation, Explanation, Report, TaskEvent } from "../../src/protocol/task-view.ts";
import type { RestPorts } from "../../src/rest/ports.ts";
import { createFakeApp, send, TASK, TASK_VIEW } from "./rest-fakes.ts";

const AT = "2026-11-22T10:00:00.000Z";

const EVENT: TaskEvent = {
  seq: 1,
  event_id: "e1",
  type: "task_submitted",
  at: AT,
  actor: { kind: "orchestrator", id: "o1" },
  correlation_id: "c1",
  data: {},
};

const ESCALATION: Escalation = {
  escalation_id: "esc_1",
  task_id: "t1",
  kind: "question",
  state: "open",
  question: "Which one?",
  options: ["a", "b"],
  evidence: null,
  urgency: "low",
  deadline: null,
  default_option: null,
  created_at: AT,
  resolved_at: null,
  decision: null,
  answer: null,
  actor: null,
};

const EXPLANATION: Explanation = {
  task_id: "t1",
  phase: "queued",
  waiting_for: [{ kind: "executor", detail: "none is online" }],
  decision: null,
  unblocked_by: ["register an executor"],
  estimated_start: null,
};

const REPORT: Report = {
  task_id: "t1",
  reason: "success",
  completion_status: "success",
  partial: false,
  timeline: [],
  metrics: {
    duration_s: 1,
    queued_s: null,
    executing_s: null,
    attempts: 1,
    retries: 0,
    notifications: 2,
    cost_usd: 0,
    tokens: 0,
    executor: null,
  },
  quality_assessment: null,
  post_mortem: [],
  finalization: { phases: [], problems: [], recommendations: [] },
  cleanup_debt: [],
  next_actions: null,
};

type Submit = RestPorts["tasks"]["submit"];

async function submit(outcome: Awaited<ReturnType<Submit>>, headers: Record<string, string> = {}) {
  const seen: Parameters<Submit>[] = [];
  const fake: Submit = async (...input) => {
    seen.push(input);
    return outcome;
  };
  const { app } = createFakeApp({ tasks: { submit: fake } });
  return { response: await send(app, "/v1/tasks", { body: TASK, headers }), seen };
}

describe("POST /v1/tasks", () => {
  it("answers 202 and where the task is", async () => {
    const { response } = await submit(ok({ view: TASK_VIEW, isNew: true }));

    expect(response.status).toBe(202);
    expect(response.headers.get("Location")).toBe("/v1/tasks/t1");
    expect(response.headers.get("Idempotency-Replayed")).toBeNull();
    expect(await response.json()).toEqual(TASK_VIEW);
  });

  it("answers 200 and says so when the task was there", async () => {
    const { response } = await submit(ok({ view: TASK_VIEW, isNew: false }));

    expect(response.status).toBe(200);
    expect(response.headers.get("Idempotency-Replayed")).toBe("true");
  });

  it("answers 409 with the existing id on another body", async () => {
    const { response } = await submit(
      refuse({ code: "idempotency_conflict", detail: "another body", extra: { task_id: "t0" } }),
    );

    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({ code: "idempotency_conflict", task_id: "t0" });
  });

  it("hands on who asks, the task with its defaults, the body as sent, and the key", async () => {
    const { seen } = await submit(ok({ view: TASK_VIEW, isNew: true }), {
      "Idempotency-Key": "k-1",
    });

    const [by, task, request] = seen[0] ?? [];
    expect(by?.tenant).toBe("acme");
    expect(task).toMatchObject({ ...TASK, priority: "normal", timeout: 300, pool: "default" });
    expect(request).toEqual({
      body: TASK,
      idempotencyKey: "k-1",
      traceId: "ab".repeat(16),
      hop: { span_id: "ab".repeat(8), parent_id: null, received_at: expect.any(Number) },
      origin: "http://localhost",
    });
  });

  it.each(["a\tb", "with space", "x".repeat(256), "ümlaut"])(
    "refuses the Idempotency-Key %j",
    async (key) => {
      const { app, calls } = createFakeApp();
      const headers = { "Idempotency-Key": key };

      const response = await send(app, "/v1/tasks", { body: TASK, headers });

      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({
        errors: [{ pointer: "/headers/Idempotency-Key" }],
      });
      expect(calls).toEqual([]);
    },
  );

  it("accepts an Idempotency-Key of 255 characters", async () => {
    const { response } = await submit(ok({ view: TASK_VIEW, isNew: true }), {
      "Idempotency-Key": "~".repeat(255),
    });

    expect(response.status).toBe(202);
  });
});

describe("reading tasks", () => {
  it("lists with the given filters", async () => {
    let query: unknown;
    const { app } = createFakeApp({
      tasks: {
        list: async (_tenant, asked) => {
          query = asked;
          return ok({ items: [TASK_VIEW], next_cursor: "c2" });
        },
      },
    });

    const response = await send(app, "/v1/tasks?status=running&tag=a%20b&limit=7&cursor=c1");

    expect(query).toEqual({ status: "running", tag: "a b", limit: 7, cursor: "c1" });
    expect(await response.json()).toEqual({ items: [TASK_VIEW], next_cursor: "c2" });
  });

  it.each([
    "status=done",
    "phase=lost",
    "task_type=cooking",
    "created_after=yesterday",
    "colour=red",
  ])("refuses the filter %s", async (filter) => {
    const { app } = createFakeApp();

    const response = await send(app, `/v1/tasks?${filter}`);

    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      errors: [{ pointer: `/query/${filter.split("=")[0]}` }],
    });
  });

  it("reads the log after a seq", async () => {
    let page: unknown;
    const { app } = createFakeApp({
      tasks: {
        events: async (_by, _id, asked) => {
          page = asked;
          return ok({ items: [EVENT], next_cursor: null });
        },
      },
    });

    const response = await send(app, "/v1/tasks/t1/events?after=3&limit=2");

    expect(page).toEqual({ after: 3, limit: 2 });
    expect(response.status).toBe(200);
  });

  it("answers with the report, and 404 while there is none", async () => {
    const ended = createFakeApp({ tasks: { report: async () => ok(REPORT) } });
    const running = createFakeApp({
      tasks: { report: async () => refuse({ code: "report_not_ready", detail: "runs" }) },
    });

    expect(await (await send(ended.app, "/v1/tasks/t1/report")).json()).toEqual(REPORT);
    expect((await send(running.app, "/v1/tasks/t1/report")).status).toBe(404);
  });

  it("explains", async () => {
    const { app } = createFakeApp({ tasks: { explain: async () => ok(EXPLANATION) } });

    expect(await (await send(app, "/v1/tasks/t1/explain")).json()).toEqual(EXPLANATION);
  });

  it("answers 404 for a task that does not exist", async () => {
    const { app } = createFakeApp({
      tasks: { view: async () => refuse({ code: "task_not_found", detail: "no task t9" }) },
    });

    const response = await send(app, "/v1/tasks/t9");

    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({
      code: "task_not_found",
      instance: "/v1/tasks/t9",
    });
  });
});

describe("commanding tasks", () => {
  it("answers 202 with the command's id and state", async () => {
    const { app } = createFakeApp({
      tasks: {
        command: async (_by, _id, { command }) =>
          ok({ command_id: "cmd_1", command, state: "requested", requested_at: AT }),
      },
    });

    const response = await send(app, "/v1/tasks/t1/commands", { body: { command: "cancel" } });

    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({ command_id: "cmd_1", state: "requested" });
  });

  it("refuses a command on an ended task with 409", async () => {
    const { app } = createFakeApp({
      tasks: { command: async () => refuse({ code: "task_ended", detail: "it has ended" }) },
    });

    const response = await send(app, "/v1/tasks/t1/commands", { body: { command: "cancel" } });

    expect(response.status).toBe(409);
  });

  it("rebuilds for an admin, without a body", async () => {
    const { app } = createFakeApp({ tasks: { rebuild: async () => ok({ seq: 9 }) } });

    const response = await send(app, "/v1/tasks/t1/rebuild", { method: "POST", key: "admin" });

    expect(response.status).toBe(202);
    expect(await response.json()).toEqual({ seq: 9 });
  });
});

describe("escalations", () => {
  it("lists by state", async () => {
    let query: unknown;
    const { app } = createFakeApp({
      escalations: {
        list: async (_tenant, asked) => {
          query = asked;
          return ok({ items: [ESCALATION], next_cursor: null });
        },
      },
    });

    const response = await send(app, "/v1/escalations?state=open");

    expect(query).toEqual({ state: "open", limit: 50 });
    expect(await response.json()).toEqual({ items: [ESCALATION], next_cursor: null });
  });

  it("resolves once, and refuses the second time", async () => {
    const body = { decision: "resume", answer: "a" };
    const first = createFakeApp({
      escalations: { resolve: async () => ok({ ...ESCALATION, state: "resolved" }) },
    });
    const second = createFakeApp({
      escalations: { resolve: async () => refuse({ code: "escalation_closed", detail: "done" }) },
    });

    expect((await send(first.app, "/v1/escalations/esc_1/resolve", { body })).status).toBe(200);
    expect((await send(second.app, "/v1/escalations/esc_1/resolve", { body })).status).toBe(409);
  });
});
