import { describe, expect, it } from "vitest";

import { createAttempts } from "../../src/dispatch/attempts.ts";
import { assess } from "../../src/dispatch/complexity.ts";
import { createInterventions } from "../../src/dispatch/interventions.ts";
import { actorOf } from "../../src/dispatch/submission.ts";
import { createTasks } from "../../src/dispatch/tasks.ts";
import type { TaskDoor, TasksParts } from "../../src/dispatch/tasks.ts";
import { ok, refuse } from "../../src/lib/result.ts";
import type { Principal } from "../../src/protocol/access.ts";
import type { Refusal } from "../../src/protocol/refusal.ts";
import { taskExecutionSchema } from "../../src/protocol/task-execution.ts";
import type { Submission } from "../../src/task/ports.ts";

const ORCHESTRATOR: Principal = {
  key_id: "key_o",
  tenant: "acme",
  scopes: ["orchestrate"],
  isBootstrap: false,
};
const EXECUTOR: Principal = { ...ORCHESTRATOR, key_id: "key_e", scopes: ["execute"] };
const TASK = taskExecutionSchema.parse({ task_type: "general", description: "a task to submit" });
const REQUEST = {
  body: { any: "body" },
  idempotencyKey: null,
  traceId: "trace",
  origin: "https://batuta.example.com",
};
const UNKNOWN: Refusal = { code: "task_not_found", detail: "" };

function parts(
  more: Partial<TasksParts> = {},
): TasksParts & { submissions: [string, Submission][] } {
  const submissions: [string, Submission][] = [];
  const door = (tenant: string, task_id: string): TaskDoor => ({
    submit: async (submission) => {
      submissions.push([`${tenant}/${task_id}`, submission]);
      return ok({ view: JSON.stringify({ task_id }), isNew: true });
    },
    view: async () => ok({ view: JSON.stringify({ task_id, pool: "p" }), holders: ["mine"] }),
    events: async () => ok({ events: "[]", isMore: false }),
    report: async () => ok("{}"),
  });
  return {
    submissions,
    now: () => 0,
    newId: () => "NEW",
    task: door,
    askKin: async () => refuse(UNKNOWN),
    assess: async (_tenant, task) => assess(task, new Map()),
    contractFaults: () => [],
    archive: {
      view: async () => ok(null),
      events: async () => ok({ items: [], next_cursor: null }),
      report: async () => ok(null),
      trace: async () => null,
      former: async () => null,
      isKnown: async () => false,
    },
    formerOrNone: async () => null,
    urlFault: async () => null,
    unknownWebhooks: async () => [],
    keyOfAgent: async () => null,
    ...more,
  };
}

describe("submitting a task", () => {
  it("names its object by tenant and id, and fills in who asks", async () => {
    const own = parts();

    await createTasks(own).submit(ORCHESTRATOR, { ...TASK, task_id: "mine" }, REQUEST);

    expect(own.submissions[0]?.[0]).toBe("acme/mine");
    expect(JSON.parse(own.submissions[0]?.[1].task ?? "")).toMatchObject({
      orchestrator_info: { agent_id: "key_o", timestamp: "1970-01-01T00:00:00.000Z" },
    });
  });

  it("derives the same id from the same idempotency key, and another one for another tenant", async () => {
    const own = parts();
    const tasks = createTasks(own);
    const request = { ...REQUEST, idempotencyKey: "once" };

    await tasks.submit(ORCHESTRATOR, TASK, request);
    await tasks.submit(ORCHESTRATOR, TASK, request);
    await tasks.submit({ ...ORCHESTRATOR, tenant: "other" }, TASK, request);

    const ids = own.submissions.map(([name]) => name.split("/")[1]);
    expect(ids[0]).toBe(ids[1]);
    expect(ids[2]).not.toBe(ids[0]);
  });

  it("gives equal bodies equal hashes whatever the order of their fields", async () => {
    const own = parts();
    const tasks = createTasks(own);

    await tasks.submit(ORCHESTRATOR, TASK, { ...REQUEST, body: { a: 1, b: [1, { c: 2, d: 3 }] } });
    await tasks.submit(ORCHESTRATOR, TASK, { ...REQUEST, body: { b: [1, { d: 3, c: 2 }], a: 1 } });

    const [first, second] = own.submissions.map(([, { origin }]) => origin.body_hash);
    expect(first).toBe(second);
  });

  it.each([
    [
      { parameters: { dependencies: ["t1"] } },
      {},
      "dependency_not_found",
      "/parameters/dependencies/0",
    ],
    [{ parent_task_id: "t1" }, {}, "parent_refused", "/parent_task_id"],
    [
      { orchestrator_info: { callback_url: "http://10.0.0.1/" } },
      { urlFault: async () => "must use https" },
      "endpoint_refused",
      "/orchestrator_info/callback_url",
    ],
    [
      { stakeholders: ["wh_0000000000000000000000"] },
      { unknownWebhooks: async (_: string, ids: readonly string[]) => [...ids] },
      "endpoint_refused",
      "/stakeholders/0",
    ],
  ])("refuses %j before anything is written", async (fields, faults, code, pointer) => {
    const own = parts(faults);

    const done = await createTasks(own).submit(ORCHESTRATOR, { ...TASK, ...fields }, REQUEST);

    expect(done).toMatchObject({ ok: false, refusal: { code, errors: [{ pointer }] } });
    expect(own.submissions).toEqual([]);
  });
});

describe("reading a task", () => {
  it("shows an executor's key only what its agents hold or held", async () => {
    const mine = createTasks(parts({ keyOfAgent: async () => "key_e" }));
    const theirs = createTasks(parts({ keyOfAgent: async () => "key_x" }));

    expect(await mine.view(EXECUTOR, "t")).toMatchObject({ ok: true });
    expect(await theirs.view(EXECUTOR, "t")).toMatchObject({ refusal: { code: "task_not_found" } });
    expect(await theirs.events(EXECUTOR, "t", { after: 0, limit: 1 })).toMatchObject({ ok: false });
    expect(await theirs.view(ORCHESTRATOR, "t")).toMatchObject({ ok: true });
  });

  it("answers from history when the task's object is empty", async () => {
    const gone: TaskDoor = {
      ...parts().task("", ""),
      view: async () => refuse(UNKNOWN),
      events: async () => refuse(UNKNOWN),
      report: async () => refuse(UNKNOWN),
    };
    const view = { task_id: "old" } as never;
    const archive = {
      view: async () => ok(view),
      events: async () => ok({ items: [], next_cursor: "9" }),
      report: async () => ok({ task_id: "old" } as never),
      trace: async () => ({ holders: ["ann"], decision: null }),
      former: async () => ({ body_hash: null }),
      isKnown: async () => true,
    };
    const tasks = createTasks(parts({ task: () => gone, archive }));

    expect(await tasks.view(ORCHESTRATOR, "old")).toEqual(ok({ task_id: "old" }));
    expect(await tasks.events(ORCHESTRATOR, "old", { after: 0, limit: 1 })).toMatchObject({
      value: { next_cursor: "9" },
    });
    expect(await tasks.report(ORCHESTRATOR, "old")).toEqual(ok({ task_id: "old" }));
    expect(await tasks.view(EXECUTOR, "old")).toMatchObject({ ok: false });
  });
});

describe("attempts", () => {
  const LEASE = { token: "secret", attempt: 1, expires_at: "2026-11-22T10:01:00.000Z" };

  it("address the task's object with the lease token and the message as text", async () => {
    const calls: unknown[] = [];
    const attempts = createAttempts((tenant, task_id) => ({
      decline: async (...given) => ok(void calls.push([tenant, task_id, ...given]) as never),
      heartbeat: async (...given) => {
        calls.push([tenant, task_id, ...given]);
        return ok(JSON.stringify({ lease: LEASE, commands: [] }));
      },
      notify: async (...given) => ok(calls.push([tenant, task_id, ...given]) as never),
      end: async (...given) => ok(calls.push([tenant, task_id, ...given]) as never),
    }));
    const at = { tenant: "acme", task_id: "t", token: "secret" };
    const signer = { agent_id: "ann", id: "m1", timestamp: 1 };

    await attempts.decline(at, "busy");
    const beaten = await attempts.heartbeat({ ...at, signer }, { schema_version: "2.0" });

    expect(beaten).toEqual(ok({ lease: LEASE, commands: [] }));
    expect(calls).toEqual([
      ["acme", "t", "secret", "busy", null],
      ["acme", "t", "secret", '{"schema_version":"2.0"}', signer],
    ]);
  });
});

describe("interventions", () => {
  const place = {
    state: "ready" as const,
    position: 3,
    candidates: [
      {
        agent_id: "a",
        fits: false,
        free_slots: 0,
        score: 1.5,
        parts: null,
        reasons: ["no free slot"],
      },
    ],
    decision: null,
    estimated_start: Date.parse("2026-11-22T10:00:00.000Z"),
    unblocked_by: ["a frees a slot"],
  };

  function interventions(phase: string, isReadable = true) {
    return createInterventions({
      pastView: async () => ok(null),
      archive: { list: async () => ok({ items: [], next_cursor: null }), get: async () => null },
      keyOfAgent: async () => null,
      task: () => ({
        command: async (_request, actor) => ok({ actor } as never),
        commands: async () => ok("[]"),
        escalation: async () => refuse(UNKNOWN),
        resolve: async () => refuse(UNKNOWN),
        explain: async () => ok(JSON.stringify({ phase, waiting_for: [] })),
        view: async () => ok({ view: JSON.stringify({ pool: "p" }), holders: [] }),
        rebuild: async () => ok({ seq: 1 }),
      }),
      readable: async () => (isReadable ? ok({}) : refuse(UNKNOWN)),
      placeInPool: async () => place,
    });
  }

  it("name the one who steps in by the scope of the key", async () => {
    const admin: Principal = { ...ORCHESTRATOR, scopes: ["admin"] };

    expect(actorOf(ORCHESTRATOR).kind).toBe("orchestrator");
    expect(actorOf(admin).kind).toBe("operator");
  });

  it("explain a queued task by its place and by why each executor does not take it", async () => {
    const done = await interventions("queued").explain(ORCHESTRATOR, "t");

    expect(done).toMatchObject({
      value: {
        waiting_for: [
          { kind: "queue", detail: "place 3 in the pool's order" },
          { kind: "candidate", detail: "a: no free slot, score 1.5" },
        ],
        unblocked_by: ["a frees a slot"],
        estimated_start: "2026-11-22T10:00:00.000Z",
      },
    });
    expect(await interventions("executing").explain(ORCHESTRATOR, "t")).toMatchObject({
      value: { waiting_for: [] },
    });
  });

  it("explain nothing to a key that may not read the task", async () => {
    const done = await interventions("queued", false).explain(ORCHESTRATOR, "t");

    expect(done).toMatchObject({ ok: false, refusal: { code: "task_not_found" } });
  });

  it.each(["nonsense", "esc_1_", "esc_1_unknown"])("do not find the escalation %s", async (id) => {
    const answer = { schema_version: "2.0", decision: "resume" as const };

    const done = await interventions("queued").resolve(ORCHESTRATOR, id, answer);

    expect(done).toMatchObject({ ok: false, refusal: { code: "escalation_not_found" } });
  });
});
