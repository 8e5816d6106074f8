import { describe, expect, it } from "vitest";
import { z } from "zod";

import { connect } from "./agent-channel.ts";
import { call, submit } from "./batuta.ts";

/* Versions of the contract through the Worker itself: the header, the notice, and a share of the frozen corpus. */

const frozenSchema = z.object({
  message: z.record(z.string(), z.unknown()),
  refused: z.object({ code: z.string(), pointers: z.array(z.string()) }).optional(),
  deprecated: z.boolean().optional(),
});

const files = import.meta.glob("../corpus/*/*/*.json", { eager: true, import: "default" });

/** Where a client sends a message of a kind; ids that nobody knows, unless the message makes them. */
const ADDRESSES: Record<string, readonly [method: string, path: string]> = {
  task_execution: ["POST", "/v1/tasks"],
  task_batch: ["POST", "/v1/batches"],
  request: ["POST", "/v1/requests"],
  notification: ["POST", "/v1/notifications"],
  agent_end_task: ["POST", "/v1/tasks/t1/end"],
  agent_registration: ["PUT", "/v1/agents/corpus"],
  claim: ["POST", "/v1/agents/nobody/claim"],
  heartbeat: ["POST", "/v1/tasks/t1/heartbeat"],
  decline: ["POST", "/v1/tasks/t1/decline"],
  note_write: ["PUT", "/v1/tasks/t1/notes/plan"],
  subtask_offer: ["POST", "/v1/tasks/t1/subtasks"],
  shared_context_patch: ["PATCH", "/v1/tasks/t1/shared-context"],
  command: ["POST", "/v1/tasks/t1/commands"],
  bulk_command: ["POST", "/v1/commands"],
  escalation_resolution: ["POST", "/v1/escalations/none/resolve"],
  debt_settlement: ["POST", "/v1/cleanup-debt/none/settle"],
  cancel_request: ["POST", "/v1/batches/none/cancel"],
  webhook_registration: ["POST", "/v1/webhooks"],
  webhook_patch: ["PATCH", "/v1/webhooks/none"],
  filter_test: ["POST", "/v1/webhooks/filters/test"],
  recovery_request: ["POST", "/v1/webhooks/none/recover"],
  secret_rotation: ["POST", "/v1/agents/nobody/rotate-secret"],
  empty: ["POST", "/v1/agents/nobody/drain"],
};

/** Every third message of 2.0 that has an address, two of each kind at least, and all of 1.0. */
const taken = new Map<string, number>();
const SHARE = Object.entries(files).flatMap(([name, json], index) => {
  const [version = "", kind = ""] = name.split("/").slice(-3);
  const address = ADDRESSES[kind];
  const count = (taken.get(kind) ?? 0) + 1;
  taken.set(kind, count);
  const isPicked = version === "1.0" || index % 3 === 0 || count <= 2;
  if (address === undefined || !isPicked) return [];
  const [method, path] = address;
  return [{ name, method, path, ...frozenSchema.parse(json) }];
});

/** What a message of the right form may be answered with. */
const MEANINGS = [200, 201, 202, 403, 404, 409, 422];

interface Problem {
  code: string;
  supported_versions?: string;
  errors?: { pointer: string }[];
}

describe("the frozen corpus over HTTP", () => {
  it("is a fair share of the corpus", () => {
    expect(SHARE.length).toBeGreaterThan(120);
    expect(new Set(SHARE.map(({ path }) => path)).size).toBe(Object.keys(ADDRESSES).length);
  });

  it.each(SHARE)("is answered as it was frozen: $name", async ({ method, path, ...frozen }) => {
    const answer = await call<Problem>(method, path, frozen.message);

    expect(answer.headers.get("Batuta-Version")).toBe("2.0");
    expect(answer.headers.has("Deprecation")).toBe(frozen.deprecated === true);
    // Where the form is right, whether there is such a task or webhook is a question of meaning.
    expect(frozen.refused === undefined ? MEANINGS : [400]).toContain(answer.status);
    const { code = answer.body.code, pointers = [] } = frozen.refused ?? {};
    expect(answer.body.code).toBe(code);
    expect(answer.body.errors?.map(({ pointer }) => pointer) ?? []).toEqual(
      expect.arrayContaining(pointers),
    );
  });
});

const TASK = { task_type: "general", description: "Summarise the text" };

describe("the version of a request", () => {
  it("takes version 2 beside version 1, which is refused with the list", async () => {
    const second = await call("POST", "/v1/tasks", { schema_version: "2.0", ...TASK });
    const first = await call<Problem>("POST", "/v1/tasks", { schema_version: "1.0", ...TASK });

    expect(second.status).toBe(202);
    expect(first.status).toBe(400);
    expect(first.body).toMatchObject({
      code: "unsupported_version",
      supported_versions: "2, 2.0",
      errors: [{ pointer: "/schema_version" }],
    });
    expect(first.headers.get("Batuta-Version")).toBe("2.0");
  });

  it.each(["2", "2.0", "2.3"])("may be said by the header: %s", async (version) => {
    const headers = { "Batuta-Version": version };

    const sent = await call("POST", "/v1/tasks", TASK, headers);
    const asked = await call("GET", "/v1/tasks?limit=1", undefined, headers);

    expect([sent.status, asked.status]).toEqual([202, 200]);
    expect(asked.headers.get("Batuta-Version")).toBe("2.0");
  });

  it.each([
    ["GET", "/v1/tasks", undefined],
    ["GET", "/v1/schemas", undefined],
    ["POST", "/v1/tasks", TASK],
    ["POST", "/v1/agents/nobody/drain", {}],
  ])("is refused in the header where its major is unknown: %s %s", async (method, path, body) => {
    const answer = await call<Problem>(method, path, body, { "Batuta-Version": "1.0" });

    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({
      code: "unsupported_version",
      supported_versions: "2, 2.0",
      errors: [{ pointer: "/headers/Batuta-Version", received: "1.0" }],
    });
  });

  it.each(["two", "2.0.1", "v2", "2.0, 2.0"])("must be one: %s", async (version) => {
    const answer = await call<Problem>("GET", "/v1/tasks", undefined, {
      "Batuta-Version": version,
    });

    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({
      code: "validation_failed",
      errors: [{ pointer: "/headers/Batuta-Version", code: "invalid_format" }],
    });
  });

  it("may not be one in the header and another in the body, and nothing is written", async () => {
    const task_id = `contradiction-${crypto.randomUUID()}`;
    const body = { ...TASK, task_id, schema_version: "2.0" };

    const answer = await call<Problem>("POST", "/v1/tasks", body, { "Batuta-Version": "2.1" });

    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({
      code: "validation_failed",
      errors: [{ pointer: "/headers/Batuta-Version", code: "contradiction" }],
    });
    expect((await call("GET", `/v1/tasks/${task_id}`)).status).toBe(404);
  });

  it("is the same in both when it is only written otherwise", async () => {
    const body = { ...TASK, schema_version: "2" };

    expect((await call("POST", "/v1/tasks", body, { "Batuta-Version": "2.0" })).status).toBe(202);
  });

  it("is told on every answer, also where there is nothing or no key", async () => {
    const answers = [
      await call("GET", "/health"),
      await call("GET", "/v1/nothing"),
      await call("GET", "/v1/tasks", undefined, { authorization: "Bearer wrong" }),
      await call("GET", "/v1/tasks/none"),
    ];

    expect(answers.map(({ headers }) => headers.get("Batuta-Version"))).toEqual(
      answers.map(() => "2.0"),
    );
  });
});

describe("the notice of deprecation", () => {
  it("comes with the answer to a task of priority urgent, which is read as critical", async () => {
    const answer = await call<{ priority: string }>("POST", "/v1/tasks", {
      ...TASK,
      priority: "urgent",
    });

    expect(answer.status).toBe(202);
    expect(answer.body.priority).toBe("critical");
    expect(answer.headers.get("Deprecation")).toBe(`@${Date.UTC(2026, 10, 26) / 1_000}`);
    expect(answer.headers.get("Link")).toBe('</v1/versions>; rel="deprecation"');
    expect(answer.headers.has("Sunset")).toBe(false);
  });

  it("comes for a form in the query, and does not where nothing is deprecated", async () => {
    const urgent = await call("GET", "/v1/tasks?priority=urgent");
    const critical = await call("GET", "/v1/tasks?priority=critical");

    expect([urgent.status, urgent.headers.has("Deprecation")]).toEqual([200, true]);
    expect([critical.status, critical.headers.has("Deprecation")]).toEqual([200, false]);
  });
});

describe("a repeated submission", () => {
  it("in the newer form is the same as the older one that came first", async () => {
    const task = {
      task_id: `same-${crypto.randomUUID()}`,
      task_type: "research",
      description: "the same task in two forms",
      requires: { capabilities: ["nobody-has-this"] },
    };
    const first = await call("POST", "/v1/tasks", { ...task, priority: "urgent" });
    const second = await call("POST", "/v1/tasks", { ...task, priority: "critical" });

    expect([first.status, second.status]).toEqual([202, 200]);
  });
});

describe("/v1/versions", () => {
  it("tells without a key what is read, what has a successor and what is refused", async () => {
    const { status, body } = await call("GET", "/v1/versions", undefined, { authorization: "" });

    expect(status).toBe(200);
    expect(body).toMatchObject({
      current: "2.0",
      default: "2.0",
      header: "Batuta-Version",
      supported: [{ version: "2.0", status: "current", accepts: ["2", "2.0"] }],
      deprecated_forms: [{ form_id: "priority_urgent", value: "urgent", instead: "critical" }],
      unsupported: [{ major: 1 }],
    });
  });
});

describe("a frame of an executor's WebSocket", () => {
  it("is refused with the list where its message is of version 1, and warns of a deprecated form", async () => {
    const agent_id = `versions-${crypto.randomUUID().slice(0, 8)}`;
    await call("PUT", `/v1/agents/${agent_id}`, {
      capabilities: [agent_id],
      task_types: ["research"],
      // Others of this file wait in the pool that all share, and would do for it, too.
      pools: [agent_id],
    });
    const { task_id } = await submit({ pool: agent_id });
    const client = await connect(agent_id);
    client.say({ type: "ready", max_tasks: 1 });
    const [first] = (await client.hear("tasks")).tasks;
    const lease_token = first?.lease.token;
    const at = { task_id, lease_token };

    client.say({ type: "heartbeat", id: "h1", ...at, heartbeat: { schema_version: "1.0" } });
    const { problem } = await client.hear("problem");
    client.say({ type: "heartbeat", id: "h2", ...at, heartbeat: { schema_version: "2" } });
    const beaten = await client.hear("answer");
    const [started, failed] = wordsOf(agent_id, task_id);
    client.say({ type: "notify", id: "n1", lease_token, notification: started });
    await client.hear("answer");
    client.say({ type: "notify", id: "n2", lease_token, notification: failed });
    const told = await client.hear("answer");

    expect(problem).toMatchObject({ code: "unsupported_version", supported_versions: "2, 2.0" });
    expect(problem.errors).toMatchObject([{ pointer: "/heartbeat/schema_version" }]);
    expect(beaten).toMatchObject({ id: "h2", status: 200 });
    expect(beaten.warnings).toBeUndefined();
    expect(told).toMatchObject({ id: "n2", status: 202 });
    expect(told.warnings).toEqual([expect.stringContaining("priority_urgent")]);
  });
});

/** The first and the last word of an attempt that suggests an older form of a task. */
function wordsOf(agent_id: string, task_id: string) {
  const common = { task_id, agent_id, timestamp: new Date().toISOString() };
  return [
    {
      ...common,
      notification_id: `${task_id}-started`,
      notification_type: "task_started",
      data: { task_type: "research", estimated_duration: 60, complexity: "low" },
    },
    {
      ...common,
      notification_id: `${task_id}-failed`,
      notification_type: "task_failed",
      data: {
        error_type: "TooLittle",
        error_message: "not enough time",
        root_cause: { class: "capacity", detail: "not enough time", evidence: "clock" },
        suggested_modifications: { priority: "urgent" },
      },
    },
  ];
}
