import { describe, expect, it } from "vitest";

import type { AgentRecord } from "../../src/dispatch/agents.ts";
import { pushBody, pushId, verdictOf } from "../../src/dispatch/push/push-answer.ts";
import type { PushAnswer } from "../../src/dispatch/push/push-answer.ts";
import { push } from "../../src/dispatch/push/push.ts";
import type { PushPorts, SignedPost } from "../../src/dispatch/push/push.ts";
import { ok, refuse } from "../../src/lib/result.ts";
import { spanIdOf } from "../../src/lib/trace-context.ts";
import { agentRegistrationSchema } from "../../src/protocol/agent.ts";
import { assignedTask } from "../assigned-task.ts";
import { fakePool, offer } from "./fake-pool.ts";
import type { FakePool } from "./fake-pool.ts";

const NOW = Date.parse("2026-11-22T10:00:00Z");
const LEASE = { token: "tok-1", attempt: 2, expires_at: "2026-11-22T10:01:00.000Z" };
const MESSAGE = { tenant: "acme", pool: "default", task_id: "t1", agent_id: "ann" };
const URL = "https://ann.example/tasks";
const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";

function agentWith(url: string | undefined): AgentRecord {
  const registration = agentRegistrationSchema.parse(url === undefined ? {} : { url });
  return {
    agent_id: "ann",
    registration,
    secret: "sealed",
    key_id: "k1",
    is_draining: false,
    updated_at: "",
  };
}

const answered = (status_code: number | null, response_body: string | null = null): PushAnswer => ({
  status_code,
  fault: status_code === null ? "timeout" : null,
  response_body,
});

/** One push, with what was posted and what was given back. */
function pushing(more: Omit<Partial<PushPorts>, "pool"> & { answer?: PushAnswer } = {}) {
  const { answer = answered(202), ...ports } = more;
  const pool: FakePool = fakePool({ reservation: async () => offer("t1") });
  const posted: SignedPost[] = [];
  const declined: unknown[][] = [];
  const withheld: unknown[] = [];
  const run = () =>
    push(MESSAGE, {
      now: () => NOW,
      log: () => {},
      pool: () => pool,
      known: async () => agentWith(URL),
      take: async () =>
        ok({
          task: JSON.stringify(assignedTask("t1", 2)),
          lease: LEASE,
          deadline_at: 0,
          budget_ends_at: null,
          trace_id: TRACE,
        }),
      decline: async (...parameters) => {
        declined.push(parameters);
        return ok(null);
      },
      post: async (request) => {
        posted.push(request);
        return answer;
      },
      tellWithheld: async (told) => void withheld.push(told),
      ...ports,
    });
  return { run, pool, posted, declined, withheld };
}

describe("a push", () => {
  it("that broke its schema goes to nobody: the task goes back, and it is told of", async () => {
    const task = JSON.stringify({ ...assignedTask("t1", 2), lease_secret: "s3cret" });
    const lines: unknown[] = [];
    const { run, posted, declined, withheld, pool } = pushing({
      log: (_level, event, fields) => void lines.push([event, fields]),
      take: async () =>
        ok({ task, lease: LEASE, deadline_at: 0, budget_ends_at: null, trace_id: TRACE }),
    });

    await run();

    expect(posted).toEqual([]);
    expect(declined).toMatchObject([
      [{ task_id: "t1", token: "tok-1" }, expect.stringMatching(/^withheld/)],
    ]);
    expect(withheld).toEqual([
      {
        tenant: "acme",
        route: "push:task_execution",
        places: [{ pointer: "/data/task", code: "unrecognized_keys" }],
      },
    ]);
    expect(pool.calls).toContainEqual(["pushed", "ann", "declined"]);
    expect(lines).toMatchObject([
      ["push_invalid", { task_id: "t1", correlation_id: TRACE }],
      ["task_pushed", { task_id: "t1", correlation_id: TRACE }],
    ]);
  });

  it("posts the task and its lease once, and counts what was accepted", async () => {
    const { run, pool, posted, declined } = pushing();

    await run();

    expect(posted).toMatchObject([
      {
        url: URL,
        tenant: "acme",
        id: "push_t1_2",
        task_id: "t1",
        attempt: 2,
        trace_id: TRACE,
        span_id: await spanIdOf(TRACE, "task/t1/attempt/2"),
        timeoutMs: 10_000,
      },
    ]);
    expect(JSON.parse(posted[0]?.body ?? "")).toEqual({
      type: "task_execution",
      timestamp: "2026-11-22T10:00:00.000Z",
      data: { task: assignedTask("t1", 2), lease: LEASE },
    });
    expect(declined).toEqual([]);
    expect(pool.calls).toEqual([["pushed", "ann", "accepted"]]);
  });

  it("gives back what is declined, with the executor's reason and without a fault", async () => {
    const { run, pool, declined } = pushing({ answer: answered(409, '{"reason":"no GPU free"}') });

    await run();

    const at = { tenant: "acme", task_id: "t1", token: "tok-1" };
    expect(declined).toEqual([[at, "no GPU free"]]);
    expect(pool.calls).toEqual([["pushed", "ann", "declined"]]);
  });

  it.each([
    ["silence", answered(null)],
    ["a redirect", answered(302)],
    ["a mere 200", answered(200)],
    ["an error", answered(500)],
  ])("gives back what is met with %s, as a failure of the executor", async (_what, answer) => {
    const { run, pool, declined } = pushing({ answer });

    await run();

    expect(declined).toEqual([[expect.anything(), expect.stringMatching(/^unreachable: /)]]);
    expect(pool.calls).toEqual([["pushed", "ann", "failed"]]);
  });

  it.each<[string, Awaited<ReturnType<PushPorts["take"]>>]>([
    ["is not reserved any more", ok(null)],
    ["is at work already", refuse({ code: "transition_refused", detail: "" })],
  ])("sends nothing when the task %s", async (_what, taken) => {
    const { run, pool, posted } = pushing({ take: async () => taken });

    await run();

    expect(posted).toEqual([]);
    expect(pool.calls).toEqual([]);
  });

  it.each([
    ["is gone", null, "deregister"],
    ["takes no pushes any more", agentWith(undefined), "register"],
  ])(
    "puts the task back when its executor %s, and tells the pool first",
    async (_what, agent, told) => {
      const { run, pool, posted } = pushing({ known: async () => agent });

      await run();

      expect(posted).toEqual([]);
      expect(pool.calls.map(([name]) => name)).toEqual([told, "giveBack"]);
      expect(pool.calls[1]).toEqual(["giveBack", "t1", 1, "ann"]);
    },
  );

  it("ends in peace when the task is nobody's by the time it is given back", async () => {
    const { run, pool } = pushing({
      answer: answered(503),
      decline: async () => refuse({ code: "lease_lost", detail: "" }),
    });

    await run();

    expect(pool.calls).toEqual([["pushed", "ann", "failed"]]);
  });
});

describe("an answer to a push", () => {
  it.each([
    ["{}", "declined without a reason"],
    ["no JSON", "declined without a reason"],
    ['{"reason":"  "}', "declined without a reason"],
    ['{"reason":" full "}', "full"],
    [`{"reason":"${"x".repeat(2_000)}"}`, "x".repeat(1_000)],
  ])("gives a reason for declining: %.30s", (body, reason) => {
    expect(verdictOf(answered(409, body))).toEqual({ outcome: "declined", reason });
  });

  it("tells silence from a missing connection", () => {
    const silent = verdictOf(answered(null));
    const refused = verdictOf({ status_code: null, fault: "network", response_body: null });

    expect(silent).toMatchObject({ reason: "unreachable: no answer to the push in 10 s" });
    expect(refused).toMatchObject({ reason: "unreachable: the push found no connection" });
  });

  it("names a push equally whenever it is repeated, and makes JSON of whatever the task holds", () => {
    const body = pushBody(JSON.stringify({ description: '"} ✓' }), LEASE, NOW);

    expect(pushId("t1", 2)).toBe("push_t1_2");
    expect(JSON.parse(body)).toMatchObject({ data: { task: { description: '"} ✓' } } });
  });
});
