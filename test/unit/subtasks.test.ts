import { describe, expect, it } from "vitest";

import { createSubtasks } from "../../src/dispatch/subtasks.ts";
import { ok, refuse } from "../../src/lib/result.ts";
import type { Principal } from "../../src/protocol/access.ts";
import type { Scope } from "../../src/protocol/enums.ts";
import type { KinCall } from "../../src/protocol/kin.ts";
import type { Refusal } from "../../src/protocol/refusal.ts";
import { taskExecutionSchema } from "../../src/protocol/task-execution.ts";
import type { TaskView } from "../../src/protocol/task-view.ts";
import { TASK_VIEW } from "./rest-fakes.ts";

const keyWith = (scope: Scope): Principal => ({
  key_id: "key",
  tenant: "acme",
  scopes: [scope],
  isBootstrap: false,
});
const REQUEST = { body: {}, idempotencyKey: null, traceId: "t", origin: "https://b.example" };
const MISSING: Refusal = { code: "dependency_not_found", detail: "", errors: [] };
const AT = { task_id: "whole", token: "token" };

function part(more: Record<string, unknown> = {}) {
  return taskExecutionSchema.parse({
    task_type: "general",
    description: "a part of the whole",
    ...more,
  });
}

/** The whole is held with `token`, its part with `part-token`. */
function world({ faultAt = -1, refusedAt = -1 } = {}) {
  let created = -1;
  const named: Record<string, boolean | undefined> = {};
  const calls: string[] = [];
  const view: TaskView = TASK_VIEW;
  let checked = -1;
  const subtasks = createSubtasks({
    newId: () => "NEW",
    readable: async (_by, task_id) =>
      task_id === "secret" ? refuse({ code: "task_not_found", detail: "" }) : ok(null),
    submissions: {
      check: async (_by, { parameters }, _request, kin) => {
        checked += 1;
        for (const task_id of parameters?.dependencies ?? []) {
          named[task_id] = await kin?.mayName?.(task_id);
        }
        return checked === faultAt ? MISSING : null;
      },
      checkChildren: async () => null,
      create: async (_by, task) => {
        created += 1;
        if (created === refusedAt) return refuse(MISSING);
        calls.push(`create ${task.task_id} under ${task.parent_task_id}`);
        return ok({ view, isNew: true });
      },
    },
    askKin: async (_tenant, task_id, call: KinCall) => {
      const isOrder = call.call === "stop" || call.call === "disown";
      if (isOrder) calls.push(`${call.call} ${call.call === "disown" ? call.task_id : task_id}`);
      else if (call.call !== "ties") calls.push(call.call);
      if (call.call === "adopt") {
        return call.token === "token"
          ? ok(JSON.stringify({ births: [], fresh: [] }))
          : refuse({ code: "lease_lost", detail: "" });
      }
      if (call.call !== "ties") return ok("{}");
      const isPart = task_id === "part";
      return ok(
        JSON.stringify({
          is_ended: task_id === "over",
          body_hash: "",
          parent_task_id: isPart ? "whole" : null,
          is_holder: call.token === (isPart ? "part-token" : "token"),
          waits_for: [],
        }),
      );
    },
  });
  return { subtasks, calls, named };
}

describe("offering subtasks", () => {
  const offer = { schema_version: "2.0", subtasks: [part({ task_id: "a" }), part()] };

  it("checks all, adopts all, then creates all, as children of the task of the address", async () => {
    const { subtasks, calls } = world();

    const done = await subtasks.offer(keyWith("execute"), AT, offer, REQUEST);

    expect(done).toMatchObject({ value: { outcomes: [{ index: 0 }, { index: 1 }] } });
    expect(calls).toEqual([
      "adopt",
      "adopt",
      "create a under whole",
      "create task_NEW under whole",
    ]);
  });

  it("creates none when one of them is refused, and says which", async () => {
    const { subtasks, calls } = world({ faultAt: 1 });

    const done = await subtasks.offer(keyWith("execute"), AT, offer, REQUEST);

    expect(done).toMatchObject({ refusal: { code: "dependency_not_found" } });
    expect(calls).toEqual(["adopt"]);
  });

  it("takes back what was created when a later one cannot be", async () => {
    const { subtasks, calls } = world({ refusedAt: 1 });
    const three = { ...offer, subtasks: ["a", "b", "c"].map((task_id) => part({ task_id })) };

    const done = await subtasks.offer(keyWith("execute"), AT, three, REQUEST);

    expect(done).toMatchObject({ refusal: { code: "dependency_not_found" } });
    expect(calls.slice(2)).toEqual(["create a under whole", "stop a", "disown c"]);
  });

  it("lets an executor name what he may read, and the family he works for", async () => {
    const { subtasks, named } = world();
    const dependencies = ["secret", "mine", "whole", "part", "a"];
    const curious = {
      ...offer,
      subtasks: [...offer.subtasks, part({ parameters: { dependencies } })],
    };

    await subtasks.offer(keyWith("execute"), AT, curious, REQUEST);

    expect(named).toEqual({ secret: false, mine: true, whole: true, part: true, a: true });
    const other = world();
    await other.subtasks.offer(keyWith("orchestrate"), AT, curious, REQUEST);
    expect(other.named["secret"]).toBeUndefined();
  });

  it("refuses whoever does not hold the task before it looks at the offer", async () => {
    const { subtasks, calls } = world({ faultAt: 0 });
    const stranger = { ...AT, token: "stale" };

    const done = await subtasks.offer(keyWith("execute"), stranger, offer, REQUEST);

    expect(done).toMatchObject({ refusal: { code: "lease_lost" } });
    expect(calls).toEqual(["adopt"]);
  });

  it("takes prerequisites within one offer in any order, but no circle of them", async () => {
    const { subtasks, calls } = world();
    const after = (task_id: string, ...dependencies: string[]) =>
      part({ task_id, parameters: { dependencies } });
    const submit = (...offered: ReturnType<typeof part>[]) =>
      subtasks.offer(keyWith("execute"), AT, { ...offer, subtasks: offered }, REQUEST);

    expect(await submit(after("late", "early"), after("early"))).toMatchObject({ ok: true });
    calls.length = 0;
    expect(await submit(after("a", "b"), after("b", "a"))).toMatchObject({
      refusal: {
        code: "dependency_cycle",
        errors: [
          { pointer: "/subtasks/0/parameters/dependencies" },
          { pointer: "/subtasks/1/parameters/dependencies" },
        ],
      },
    });
    expect(calls).toEqual(["adopt"]);
  });

  it("refuses a subtask of another parent, at its place", async () => {
    const { subtasks } = world();
    const foreign = { ...offer, subtasks: [part(), part({ parent_task_id: "other" })] };

    const done = await subtasks.offer(keyWith("execute"), AT, foreign, REQUEST);

    expect(done).toMatchObject({
      refusal: { code: "parent_refused", errors: [{ pointer: "/subtasks/1/parent_task_id" }] },
    });
  });
});

describe("the shared context", () => {
  const change = { schema_version: "2.0", patch: {} };

  it.each([
    ["an orchestrator", "orchestrate", [{ task_id: "whole", token: null }, {}], null],
    ["the holder", "execute", [AT, {}], null],
    [
      "the holder of a subtask",
      "execute",
      [{ ...AT, token: "part-token" }, { subtask_id: "part" }],
      null,
    ],
    ["an executor without a token", "execute", [{ ...AT, token: null }, {}], "lease_lost"],
    ["a former holder", "execute", [{ ...AT, token: "stale" }, {}], "lease_lost"],
    ["the holder of no subtask of it", "execute", [AT, { subtask_id: "other" }], "parent_refused"],
    ["the holder of what has ended", "execute", [{ ...AT, task_id: "over" }, {}], "task_ended"],
  ] as const)("is written by %s with an %s key", async (_who, scope, [at, more], code) => {
    const { subtasks } = world();

    const done = await subtasks.share(keyWith(scope), at, { ...change, ...more });

    expect(done.ok ? null : done.refusal.code).toBe(code);
  });

  it("is read by readers of the task or of one of its subtasks, and by nobody else", async () => {
    const { subtasks } = world();
    const by = keyWith("execute");

    const read = await Promise.all([
      subtasks.shared(by, "whole", null),
      subtasks.shared(by, "secret", null),
      subtasks.shared(by, "whole", "part"),
      subtasks.shared(by, "whole", "stranger"),
      subtasks.view(by, "secret"),
    ]);

    expect(read.map(({ ok: isOk }) => isOk)).toEqual([true, false, true, false, false]);
  });
});
