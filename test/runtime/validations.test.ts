import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";

import { listValidations } from "../../src/history/validation-store.ts";
import type { ValidationRecord, ValidationSummary } from "../../src/protocol/validation-record.ts";
import { faceOf } from "../../src/services-face.ts";
import { withheldTeller } from "../../src/services-validations.ts";
import { newReceiver } from "./receiver.ts";
import { arrivals, newTenant, register } from "./webhook-world.ts";

/** The Worker as it is, but it writes down every validation. */
const everything = { ...env, VALIDATION_SAMPLE: "1" };

async function call<Body = Record<string, unknown>>(
  method: string,
  path: string,
  { key, body, headers }: { key: string; body?: unknown; headers?: Record<string, string> },
): Promise<{ status: number; body: Body }> {
  const request = new Request(`https://batuta.test${path}`, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(body !== undefined && { "content-type": "application/json" }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const context = createExecutionContext();
  const response = await faceOf(everything).fetch(request, everything, context);
  const text = await response.text();
  await waitOnExecutionContext(context);
  return { status: response.status, body: text === "" ? null : JSON.parse(text) };
}

async function keyOf(scopes: string[] = ["orchestrate", "observe"]): Promise<string> {
  const { tenant } = newTenant();
  const { body } = await call<{ key: string }>("POST", "/v1/keys", {
    key: env.BATUTA_ADMIN_KEY,
    body: { name: tenant, tenant, scopes },
  });
  return body.key;
}

interface Page {
  items: ValidationRecord[];
  next_cursor: string | null;
}

const list = async (key: string, query = "") =>
  (await call<Page>("GET", `/v1/validations${query}`, { key })).body;

const TASK = { task_type: "general", description: "Summarise the text" };

describe("every validation", () => {
  it("is logged and written down: one good, one bad call, two records", async () => {
    const key = await keyOf();
    const printed = vi.spyOn(console, "log");

    const good = await call("POST", "/v1/tasks", { key, body: TASK });
    const bad = await call("POST", "/v1/tasks", { key, body: { ...TASK, timeout: 0 } });

    const { items } = await list(key);
    expect([good.status, bad.status]).toEqual([202, 400]);
    expect(items).toMatchObject([
      {
        outcome: "refused",
        code: "validation_failed",
        route: "/v1/tasks",
        operation: "submit_task",
        errors: [{ pointer: "/timeout", code: "too_small" }],
        faults: 1,
        weight: 1,
      },
      { outcome: "passed", code: null, operation: "submit_task", errors: [], faults: 0, weight: 1 },
    ]);
    const { request_id } = bad.body;
    expect(items[0]?.request_id).toBe(request_id);
    const lines: unknown[] = printed.mock.calls.map(([line]) => JSON.parse(String(line)));
    printed.mockRestore();
    expect(lines).toContainEqual(
      expect.objectContaining({ event: "request", validation: "passed", route: "/v1/tasks" }),
    );
    expect(lines).toContainEqual(
      expect.objectContaining({
        event: "validation_refused",
        request_id,
        operation: "submit_task",
        code: "validation_failed",
        errors: "/timeout too_small",
      }),
    );
  });

  it("is told with what was checked, which fields were there and how long it took, and no secret", async () => {
    const key = await keyOf();
    const secret = "hunter2-sesame-open";

    await call("POST", `/v1/tasks?${secret}=1`, {
      key,
      body: { ...TASK, metadata: { [secret]: secret }, [secret]: secret, task_type: secret },
      headers: { "Idempotency-Key": secret },
    });

    const [record] = (await list(key, "?outcome=refused")).items;
    expect(record).toMatchObject({
      validations: ["size", "content_type", "json", "complexity", "query", "headers", "body"],
      fields: ["/headers/Idempotency-Key", "/task_type", "/description", "/metadata"],
      unknown_fields: 2,
      errors: [
        { pointer: "/query/*", code: "unrecognized_keys" },
        { pointer: "/task_type", code: "invalid_value" },
        { pointer: "/*", code: "unrecognized_keys" },
      ],
      warnings: [],
    });
    expect(record?.duration_us).toBeGreaterThanOrEqual(0);
    const stored = await env.DB.prepare("SELECT * FROM validation_record").all();
    expect(JSON.stringify(stored.results)).not.toContain(secret);
    expect(JSON.stringify(stored.results)).not.toContain(key);
  });

  it("is read by its id, and by outcome, route, code and time, by its own tenant alone", async () => {
    const [key, other] = [await keyOf(), await keyOf()];
    await call("GET", "/v1/tasks/none", { key });
    await call("POST", "/v1/tasks", { key, body: {} });
    const [first] = (await list(key, "?code=task_not_found")).items;
    const path = `/v1/validations/${first?.record_id}`;

    const [mine, foreign] = [
      await call("GET", path, { key }),
      await call("GET", path, { key: other }),
    ];
    const byRoute = await list(key, `?route=${encodeURIComponent("/v1/tasks/:task_id")}`);
    const later = await list(key, "?since=2099-01-01T00:00:00Z");
    const all = await call("GET", "/v1/validations?all=true", { key });

    expect(mine).toMatchObject({
      status: 200,
      body: { validations: ["size", "path", "query", "meaning"] },
    });
    expect(foreign).toMatchObject({ status: 404, body: { code: "validation_not_found" } });
    expect(byRoute.items).toMatchObject([{ code: "task_not_found" }]);
    expect(later.items).toEqual([]);
    expect(all).toMatchObject({ status: 403, body: { code: "forbidden" } });
    expect((await list(other, "?outcome=refused")).items).toMatchObject([
      { code: "validation_not_found" },
    ]);
  });

  it("is counted by route, outcome and code", async () => {
    const key = await keyOf();
    for (let turn = 0; turn < 3; turn += 1) await call("GET", "/v1/tasks/none", { key });

    const { body } = await call<ValidationSummary>("GET", "/v1/validations/summary", { key });

    expect(body).toMatchObject({
      is_complete: true,
      items: [
        {
          route: "/v1/tasks/:task_id",
          outcome: "refused",
          code: "task_not_found",
          records: 3,
          estimate: 3,
        },
      ],
    });
  });

  it("of who was not recognised is read with the bootstrap key and all=true", async () => {
    const admin = env.BATUTA_ADMIN_KEY;
    const request = new Request("https://batuta.test/v1/tasks", {
      method: "POST",
      body: new Uint8Array(1_048_577),
    });
    const context = createExecutionContext();
    await faceOf(everything).fetch(request, everything, context);
    await waitOnExecutionContext(context);

    const [own, all] = [
      await list(admin, "?code=body_too_large"),
      await list(admin, "?code=body_too_large&all=true"),
    ];

    expect(own.items).toEqual([]);
    expect(all.items).toMatchObject([{ tenant: null, key_id: null, validations: ["size"] }]);
  });
});

describe("what was about to leave and broke its schema", () => {
  it("is told once to the tenant's webhooks in five minutes, and written down each time", async () => {
    const by = newTenant();
    const receiver = newReceiver();
    await register(by, receiver, { events: ["system_alert"] });
    const tell = withheldTeller(env);
    const withheld = {
      tenant: by.tenant,
      route: "webhook:task_progress",
      places: [{ pointer: "/data/*", code: "invalid_type" }],
    };

    await tell(withheld);
    await tell(withheld);

    await arrivals(receiver, 1);
    const [request, ...others] = await receiver.log();
    const { items } = await (async () => {
      const page = await listValidations(env.DB, by.tenant, { limit: 10 });
      return page.ok ? page.value : { items: [] };
    })();
    expect(others).toEqual([]);
    expect(JSON.parse(atob(request?.body_base64 ?? ""))).toMatchObject({
      type: "system_alert",
      data: { notification: { severity: "error", evidence: { places: withheld.places } } },
    });
    expect(items).toMatchObject([
      { outcome: "withheld", route: "webhook:task_progress", faults: 1 },
      { outcome: "withheld" },
    ]);
  });
});
