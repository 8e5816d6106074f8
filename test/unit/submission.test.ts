import { describe, expect, it } from "vitest";

import { assess } from "../../src/dispatch/complexity.ts";
import { createSubmissions } from "../../src/dispatch/submission.ts";
import type { SubmissionParts } from "../../src/dispatch/submission.ts";
import { canonicalJson, derivedId, sha256Hex } from "../../src/lib/ports.ts";
import { ok, refuse } from "../../src/lib/result.ts";
import type { Principal } from "../../src/protocol/access.ts";
import type { KinCall, Ties } from "../../src/protocol/kin.ts";
import { taskExecutionSchema } from "../../src/protocol/task-execution.ts";
import type { Submission } from "../../src/task/ports.ts";

const BY: Principal = {
  key_id: "key_o",
  tenant: "acme",
  scopes: ["orchestrate"],
  isBootstrap: false,
};
const BODY = { any: "body" };
const REQUEST = { body: BODY, idempotencyKey: null, traceId: "t", origin: "https://b.example" };

function task(more: Record<string, unknown> = {}) {
  return taskExecutionSchema.parse({
    task_type: "general",
    description: "a task to submit",
    ...more,
  });
}

const TIES: Ties = {
  is_ended: false,
  body_hash: "another",
  parent_task_id: null,
  waits_for: [],
  is_holder: false,
};

/** Tasks that exist, by what they are tied to; everything that is asked and submitted is noted. */
function world(existing: Record<string, Partial<Ties>>, more: Partial<SubmissionParts> = {}) {
  const calls: string[] = [];
  const submitted: Submission[] = [];
  const lineage = { parent_task_id: "p", root_task_id: "p", depth: 1, levels_left: 3 };
  const parts: SubmissionParts = {
    now: () => 0,
    newId: () => "NEW",
    task: () => ({
      submit: async (submission) => {
        submitted.push(submission);
        return ok({ view: "{}", isNew: true });
      },
    }),
    askKin: async (_tenant, task_id, call: KinCall) => {
      calls.push(`${call.call}${call.call === "adopt" && call.is_trial ? "?" : ""} ${task_id}`);
      const ties = existing[task_id];
      if (ties === undefined) return refuse({ code: "task_not_found", detail: "" });
      if (call.call === "ties") return ok(JSON.stringify({ ...TIES, ...ties }));
      const births = [{ lineage, gates: [{ kind: "task", task_id: "before", needs: "success" }] }];
      return ok(JSON.stringify({ births, fresh: [] }));
    },
    isArchived: async (_tenant, task_id) => task_id === "archived",
    past: { former: async () => null, view: async () => ok(null) },
    assess: async (_tenant, asked) => assess(asked, new Map()),
    contractFaults: () => [],
    urlFault: async () => null,
    unknownWebhooks: async () => [],
    ...more,
  };
  return { ...createSubmissions(parts), calls, submitted };
}

const after = (...dependencies: string[]) => ({ parameters: { dependencies } });

describe("checking a submission", () => {
  it("finds nothing wrong with prerequisites in objects, in history, or in the same batch", async () => {
    const { check, submitted } = world({ here: {} });
    const group = { batch_id: "b", gates: [], known: ["sibling"] };

    const refusal = await check(BY, task(after("here", "archived", "sibling")), REQUEST, { group });

    expect([refusal, submitted]).toEqual([null, []]);
  });

  it("names every prerequisite that does not exist, at its place", async () => {
    const { check } = world({ here: {} });

    const refusal = await check(BY, task(after("gone", "here", "lost")), REQUEST);

    expect(refusal).toMatchObject({
      code: "dependency_not_found",
      errors: [
        { pointer: "/parameters/dependencies/0" },
        { pointer: "/parameters/dependencies/2" },
      ],
    });
  });

  it("looks at no task twice for circles, and at no more than 500", async () => {
    const chain = Array.from({ length: 700 }, (_, index) => `c${index}`);
    const existing = Object.fromEntries(
      chain.map((id, index) => [id, { waits_for: chain.slice(index + 1, index + 3) }]),
    );
    const { check, calls } = world({ ...existing, p: {} });
    const dependencies = after("c0", "c1", "c2", "c690");
    const request = task({ parent_task_id: "p", ...dependencies });

    expect(await check(BY, request, REQUEST)).toBeNull();

    // Whether they exist is asked before.
    const asked = calls.slice(4).filter((call) => call.startsWith("ties"));
    expect(asked).toHaveLength(500);
    expect(new Set(asked).size).toBe(500);
  });

  it("knows no task that whoever submits may not know of", async () => {
    const { check, create, submitted } = world({ mine: {}, theirs: {} });
    const mayName = async (task_id: string) => task_id === "mine";

    const refusal = await check(BY, task(after("mine", "theirs")), REQUEST, { mayName });
    const context = { previous_tasks: ["mine", "theirs"] };
    await create(BY, task({ context }), REQUEST, { mayName });

    expect(refusal).toMatchObject({
      code: "dependency_not_found",
      errors: [{ pointer: "/parameters/dependencies/1" }],
    });
    expect(submitted[0]?.origin.gates).toEqual([{ kind: "task", task_id: "mine", needs: "end" }]);
  });

  it("finds the task itself among its prerequisites, by the id that its key gives it", async () => {
    const own = `task_${await derivedId("acme/once")}`;
    const { check } = world({ [own]: { body_hash: "" } });
    const known = [own];

    const refusal = await check(
      BY,
      task(after(own)),
      { ...REQUEST, idempotencyKey: "once" },
      { known },
    );

    expect(refusal?.code).toBe("idempotency_conflict");
    const fresh = world({});
    expect(
      await fresh.check(BY, task(after(own)), { ...REQUEST, idempotencyKey: "once" }, { known }),
    ).toMatchObject({ code: "dependency_cycle" });
  });

  it("asks no task about ids that are surely nobody's", async () => {
    const { check } = world({ own: { body_hash: "another" } });
    const group = { batch_id: "b", gates: [], known: ["own"] };
    const named = task({ task_id: "own" });

    expect(await check(BY, named, REQUEST, { group })).not.toBeNull();
    expect(await check(BY, named, REQUEST, { group: { ...group, areNew: true } })).toBeNull();
  });

  it.each([
    ["its parent", { p: {} }, "p"],
    ["an ancestor", { p: { parent_task_id: "g" }, g: {} }, "g"],
    ["what waits for its parent", { p: {}, x: { waits_for: ["p"] } }, "x"],
    ["what waits for what waits", { p: {}, x: { waits_for: ["y"] }, y: { waits_for: ["p"] } }, "x"],
  ])("refuses a child that waits for %s", async (_who, existing, dependency) => {
    const { check } = world(existing);

    const refusal = await check(BY, task({ parent_task_id: "p", ...after(dependency) }), REQUEST);

    expect(refusal).toMatchObject({
      code: "dependency_cycle",
      errors: [{ pointer: "/parameters/dependencies/0" }],
    });
  });

  it("lets a child wait for a task that waits for others, or has ended", async () => {
    const { check } = world({
      p: {},
      x: { waits_for: ["y"] },
      y: {},
      z: { is_ended: true, waits_for: ["p"] },
    });

    expect(await check(BY, task({ parent_task_id: "p", ...after("x", "z") }), REQUEST)).toBeNull();
  });

  it("asks the parent whether it could, and refuses a parent that is not there", async () => {
    const { check, calls } = world({ p: {} });

    expect(await check(BY, task({ parent_task_id: "p" }), REQUEST)).toBeNull();
    expect(calls).toEqual(["adopt? p"]);
    expect(await check(BY, task({ parent_task_id: "q" }), REQUEST)).toMatchObject({
      code: "parent_refused",
      errors: [{ pointer: "/parent_task_id" }],
    });
  });

  it("says of a repetition nothing, whatever has become of its relations, and tells a conflict", async () => {
    const body_hash = await sha256Hex(canonicalJson(BODY));
    const { check } = world({ same: { body_hash }, other: {} });
    const gone = { parent_task_id: "gone" };

    expect(await check(BY, task({ task_id: "same", ...gone }), REQUEST)).toBeNull();
    expect(await check(BY, task({ task_id: "other", ...gone }), REQUEST)).toMatchObject({
      code: "idempotency_conflict",
      extra: { existing_task_id: "other" },
    });
  });

  it("judges the contract before anything is asked of anyone", async () => {
    const fault = { pointer: "/contract/output_schema", code: "invalid", detail: "no schema" };
    const { check, calls } = world({}, { contractFaults: () => [fault] });

    expect(await check(BY, task(), REQUEST)).toMatchObject({ errors: [fault] });
    expect(calls).toEqual([]);
  });
});

describe("creating a task that was checked", () => {
  it("asks nobody anything for a task without relations", async () => {
    const { create, calls, submitted } = world({});

    await create(BY, task(), REQUEST);

    expect(calls).toEqual([]);
    expect(submitted[0]?.origin).not.toHaveProperty("gates");
    expect(submitted[0]?.origin).not.toHaveProperty("lineage");
  });

  it("gives it the gates of its prerequisites, its context, its batch and its parent, each once", async () => {
    const { create, submitted } = world({ p: {}, a: {}, hint: {} });
    const gates = [{ kind: "batch" as const, batch_id: "b" }];
    const group = { batch_id: "b", gates, known: [] };
    const child = task({
      parent_task_id: "p",
      parameters: { dependencies: ["a", "a"], on_failed_dependency: "continue" },
      context: { previous_tasks: ["hint", "a", "unknown", "p"] },
    });

    await create(BY, child, REQUEST, { group });

    expect(submitted[0]?.origin).toMatchObject({
      batch_id: "b",
      lineage: { parent_task_id: "p" },
      gates: [
        { kind: "task", task_id: "a", needs: "end" },
        { kind: "task", task_id: "hint", needs: "end" },
        { kind: "batch", batch_id: "b" },
        { kind: "task", task_id: "before", needs: "success" },
      ],
    });
  });

  it("has the parent forget a child that was refused after all", async () => {
    const conflict = refuse({ code: "idempotency_conflict" as const, detail: "" });
    const { create, calls } = world({ p: {} }, { task: () => ({ submit: async () => conflict }) });

    const done = await create(BY, task({ parent_task_id: "p" }), REQUEST);

    expect(done).toEqual(conflict);
    expect(calls).toEqual(["adopt p", "disown p"]);
  });
});
