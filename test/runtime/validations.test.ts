import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import {
  listValidations,
  readValidation,
  removeOldValidations,
  summariseValidations,
  validationId,
  writeValidations,
} from "../../src/history/validation-store.ts";
import type { ValidationRecord, ValidationSummary } from "../../src/protocol/validation-record.ts";
import { faceOf } from "../../src/services-face.ts";
import { sweepValidations, withheldTeller } from "../../src/services-validations.ts";
import { validationRecord } from "../validation-record.ts";
import { newReceiver } from "./receiver.ts";
import { fullScans, planOf, recordingDb } from "./recording-db.ts";
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
    expect(items[0]?.request_id).toBe(bad.body["request_id"]);
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

describe("records in D1", () => {
  const many = (count: number, tenant: string, at: number, more: Partial<ValidationRecord> = {}) =>
    Array.from({ length: count }, (_, index) =>
      validationRecord({
        ...more,
        tenant,
        record_id: validationId(at + index, `u${index}`),
        at: new Date(at + index).toISOString(),
      }),
    );

  it("are written in one statement however many, cost two rows each, and come in pages", async () => {
    const { tenant } = newTenant();
    const recording = recordingDb(env.DB);
    const records = many(130, tenant, 1_790_000_000_000);

    await writeValidations(recording.db, records);
    await writeValidations(env.DB, records);

    const seen: string[] = [];
    let cursor: string | null | undefined;
    do {
      // oxlint-disable-next-line no-await-in-loop
      const page = await listValidations(env.DB, tenant, { limit: 50, ...(cursor && { cursor }) });
      if (!page.ok) throw new Error(page.refusal.detail);
      seen.push(...page.value.items.map(({ record_id }) => record_id));
      cursor = page.value.next_cursor;
    } while (cursor !== null);
    expect(recording.trips()).toBe(1);
    expect(seen).toEqual(records.map(({ record_id }) => record_id).toReversed());
    expect(await readValidation(env.DB, tenant, seen[0] ?? "")).toEqual(records.at(-1));
  });

  it("are estimated by their weights", async () => {
    const { tenant } = newTenant();
    await writeValidations(env.DB, many(7, tenant, 1_791_000_000_000, { weight: 100 }));

    const summary = await summariseValidations(env.DB, tenant, "2026-01-01T00:00:00.000Z");

    expect(summary.items).toMatchObject([{ records: 7, estimate: 700 }]);
  });

  it("are forgotten after seven days", async () => {
    const { tenant } = newTenant();
    const now = Date.now();
    const [old, fresh] = [now - 7 * 86_400_000 - 1_000, now - 6 * 86_400_000];
    await writeValidations(env.DB, [...many(1, tenant, old), ...many(1, tenant, fresh)]);

    await sweepValidations(env);

    const page = await listValidations(env.DB, tenant, { limit: 10 });
    expect(page).toMatchObject({
      ok: true,
      value: { items: [{ at: new Date(fresh).toISOString() }] },
    });
  });

  const since = "2026-01-01T00:00:00.000Z";
  it.each<[what: string, ask: (db: D1Database) => Promise<unknown>, by: RegExp]>([
    [
      "list those of a tenant",
      (db) => listValidations(db, "t", { limit: 5 }),
      /by_tenant .*tenant=/,
    ],
    [
      "list some of a tenant further on",
      (db) => listValidations(db, "t", { limit: 5, code: "x", since }),
      /by_tenant .*record_id>/,
    ],
    ["list those of all", (db) => listValidations(db, null, { limit: 5, since }), /PRIMARY KEY/],
    ["read one", (db) => readValidation(db, "t", "val_1"), /PRIMARY KEY/],
    ["count", (db) => summariseValidations(db, "t", since), /by_tenant .*record_id>/],
    ["forget", (db) => removeOldValidations(db, 1_000), /PRIMARY KEY/],
  ])("are found by an index to %s", async (_what, ask, by) => {
    const recording = recordingDb(env.DB);
    await ask(recording.db);

    const plans = await Promise.all(recording.sent.map((sent) => planOf(env.DB, sent)));

    expect(plans.length).toBeGreaterThan(0);
    expect(plans.flatMap(fullScans)).toEqual([]);
    expect(plans.flat().some((line) => by.test(line))).toBe(true);
  });
});
