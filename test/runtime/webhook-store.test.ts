import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import type { AuditRecord } from "../../src/delivery/registry/audit.ts";
import type { Webhook } from "../../src/delivery/registry/registration.ts";
import { storedRegistrationSchema } from "../../src/delivery/registry/registration.ts";
import { WebhookStore } from "../../src/delivery/registry/webhook-store.ts";
import { newSecret } from "../../src/delivery/signature.ts";
import { randomId } from "../../src/lib/ports.ts";
import type { NotificationType } from "../../src/protocol/enums.ts";
import { fullScans, planOf, recordingDb, rowsReadBy } from "./recording-db.ts";

const store = new WebhookStore(env.DB);

function webhook(tenant: string, fields: Record<string, unknown> = {}): Webhook {
  return {
    tenant,
    webhook_id: `wh_${randomId()}`,
    registration: storedRegistrationSchema.parse({ url: "https://hooks.example.com/", ...fields }),
    secrets: [{ secret: newSecret(), expires_at: null }],
    state: "active",
    level: 0,
    isVerified: true,
    routing: [],
    version: 1,
    created_at: "2026-11-22T10:00:00.000Z",
  };
}

/** The keys of notifications of these types that show nothing in particular. */
const keys = (...types: NotificationType[]) => types.map((type) => ({ type, facet: "*" }));

/** Rows of the index for one webhook, in order. */
async function rowsOf({ tenant, webhook_id }: Webhook): Promise<string[]> {
  const { results } = await env.DB.prepare(
    "SELECT type, facet FROM webhook_subscription WHERE tenant = ? AND webhook_id = ?",
  )
    .bind(tenant, webhook_id)
    .all<{ type: string; facet: string }>();
  return results.map(({ type, facet }) => `${type} ${facet}`).toSorted();
}

/** The record of some change; the store does not look into it. */
function record({ tenant, webhook_id, created_at }: Webhook): AuditRecord {
  return {
    tenant,
    subject: webhook_id,
    at: created_at,
    audit_id: `aud_${randomId()}`,
    actor: "k",
    action: "webhook_changed",
    subject_kind: "webhook",
    request_id: null,
    detail: {},
  };
}

describe("the registry of webhooks", () => {
  it("gives back what was stored", async () => {
    const stored = webhook("a", { headers: { "x-a": "1" }, filters: { tags: ["t"] } });

    await store.insert(stored, record(stored));

    expect(await store.read("a", stored.webhook_id)).toEqual(stored);
    expect(await store.read("b", stored.webhook_id)).toBeNull();
  });

  it("finds who wants a type, with filters and version", async () => {
    const one = webhook("c", { events: ["task_failed"], filters: { match: { a: 1 } } });
    const all = webhook("c", { events: ["all"] });
    await store.insert(one, record(one));
    await store.insert(all, record(all));
    const foreign = webhook("d", { events: ["all"] });
    await store.insert(foreign, record(foreign));

    const found = await store.subscribers("c", keys("task_failed", "task_started"));

    const rows = found.map(({ webhook_id, type }) => `${webhook_id} ${type}`).toSorted();
    expect(rows).toEqual(
      [
        `${one.webhook_id} task_failed`,
        `${all.webhook_id} task_failed`,
        `${all.webhook_id} task_started`,
      ].toSorted(),
    );
    expect(found.find(({ webhook_id }) => webhook_id === one.webhook_id)).toMatchObject({
      version: 1,
      filters: { match: { a: 1 } },
    });
  });

  it("takes a change of the newest version alone, subscriptions and all", async () => {
    const first = webhook("e", { events: ["task_failed"] });
    await store.insert(first, record(first));
    const registration = { ...first.registration, events: ["task_started" as const] };

    const taken = await store.update({ ...first, registration, version: 2 }, record(first));
    const late = await store.update({ ...first, state: "paused", version: 2 }, record(first));

    expect([taken, late]).toEqual([true, false]);
    expect(await store.subscribers("e", keys("task_failed"))).toEqual([]);
    expect(await store.subscribers("e", keys("task_started"))).toMatchObject([{ version: 2 }]);
    expect((await store.read("e", first.webhook_id))?.state).toBe("active");
  });

  it("keeps a deleted one out of everything but the knowledge that it was", async () => {
    const stored = webhook("f");
    await store.insert(stored, record(stored));

    const removed = await store.remove({ ...stored, version: 2 }, record(stored));
    const again = await store.remove({ ...stored, version: 2 }, record(stored));

    expect([removed, again]).toEqual([true, false]);
    expect(await store.read("f", stored.webhook_id)).toBeNull();
    expect(await store.list("f", "", 10)).toEqual([]);
    expect(await store.subscribers("f", keys("task_failed"))).toEqual([]);
    expect((await store.versions("f", [stored.webhook_id])).size).toBe(0);
    expect(await store.isKnown("f", stored.webhook_id)).toBe(true);
    expect(await store.isKnown("g", stored.webhook_id)).toBe(false);
  });

  it("disables once", async () => {
    const stored = webhook("h");
    await store.insert(stored, record(stored));

    await store.disable({ ...stored, version: 9 }, record(stored));
    await store.disable({ ...stored, version: 9 }, record(stored));

    expect(await store.read("h", stored.webhook_id)).toMatchObject({
      state: "disabled",
      version: 2,
    });
  });

  it("searches an index for everything it is asked", async () => {
    const recording = recordingDb(env.DB);
    const recorded = new WebhookStore(recording.db);
    const stored = webhook("i");

    await recorded.insert(stored, record(stored));
    await recorded.read("i", stored.webhook_id);
    await recorded.isKnown("i", stored.webhook_id);
    await recorded.list("i", "", 10);
    await recorded.subscribers("i", keys("task_failed", "task_started"));
    await recorded.versions("i", [stored.webhook_id]);
    await recorded.update({ ...stored, version: 2 }, record(stored));
    await recorded.disable({ ...stored, version: 9 }, record(stored));
    await recorded.remove({ ...stored, version: 4 }, record(stored));

    const plans = await Promise.all(recording.sent.map((sent) => planOf(env.DB, sent)));
    expect(recording.sent.length).toBeGreaterThan(10);
    expect(fullScans(plans.flat())).toEqual([]);
  });

  it("finds each subscriber once for a type, by whatever it is found", async () => {
    const stored = webhook("k", { events: ["task_failed"], filters: { tags: ["t", "u"] } });
    await store.insert(stored, record(stored));
    const asked = ["*", "tag:t", "tag:u", "tag:v"].map((facet) => ({
      type: "task_failed" as const,
      facet,
    }));

    const found = await store.subscribers("k", asked);

    expect(found).toMatchObject([{ webhook_id: stored.webhook_id, type: "task_failed" }]);
  });

  it("keeps the index in step with filters and events", async () => {
    const first = webhook("l", { events: ["task_failed"], filters: { tags: ["t", "u"] } });
    await store.insert(first, record(first));
    const change = (version: number, fields: Record<string, unknown>) =>
      store.update(
        {
          ...first,
          registration: storedRegistrationSchema.parse({ ...first.registration, ...fields }),
          version,
        },
        record(first),
      );

    const steps = [await rowsOf(first)];
    await change(2, { filters: { tags: ["u"] } });
    steps.push(await rowsOf(first));
    await change(3, { filters: { agent_ids: ["a"], tags: ["u"] }, events: ["error_event"] });
    steps.push(await rowsOf(first));
    await change(4, { filters: undefined });
    steps.push(await rowsOf(first));

    expect(steps).toEqual([
      ["task_failed tag:t", "task_failed tag:u"],
      ["task_failed tag:u"],
      ["task_escalated agent:a", "task_failed agent:a"],
      ["task_failed *"],
    ]);
  });

  it("puts rows right that are older than the keys", async () => {
    const old = webhook("m", { events: ["task_failed"], filters: { tags: ["t"] } });
    await store.insert(old, record(old));
    await env.DB.prepare("UPDATE webhook_subscription SET facet = '*' WHERE tenant = 'm'").run();
    const found = await store.subscribers("m", keys("task_failed"));

    await store.update({ ...old, version: 2 }, record(old));

    expect(found).toHaveLength(1);
    expect(await rowsOf(old)).toEqual(["task_failed tag:t"]);
  });

  it("writes nothing to the index of subscriptions for a change that does not concern it", async () => {
    const recording = recordingDb(env.DB);
    const stored = webhook("n");
    await store.insert(stored, record(stored));

    await new WebhookStore(recording.db).update(
      { ...stored, state: "paused", version: 2 },
      record(stored),
    );

    // The webhook, the entry of the audit, and the three indexes by which that is found.
    expect(recording.rowsWritten()).toBe(5);
  });
});

describe("5,000 endpoints of one tenant that want the same type", () => {
  const MANY = 5_000;
  const asked = ["*", "agent:a-7", "tag:t-7", "task_type:research", "priority:high"].map(
    (facet) => ({ type: "task_failed" as const, facet }),
  );

  /** Registers them straight in the tables, each filtered to an agent or a tag of its own. */
  async function crowd(tenant: string): Promise<void> {
    const numbers = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${MANY})`;
    const facet = "CASE i % 2 WHEN 1 THEN 'agent:a-' || i ELSE 'tag:t-' || i END";
    await env.DB.batch([
      env.DB.prepare(
        `${numbers} INSERT INTO webhook (tenant, webhook_id, registration, secrets, state, version, created_at)
         SELECT ?, 'wh_' || i, '{"events":["all"]}', '[]', 'active', 1, '' FROM n`,
      ).bind(tenant),
      env.DB.prepare(
        `${numbers} INSERT INTO webhook_subscription SELECT ?, 'task_failed', ${facet}, 'wh_' || i FROM n`,
      ).bind(tenant),
    ]);
  }

  async function lookUp(tenant: string) {
    const recording = recordingDb(env.DB);
    const found = await new WebhookStore(recording.db).subscribers(tenant, asked);
    const [sent] = recording.sent;
    if (sent === undefined) throw new Error("nothing was asked");
    return { found: found.map(({ webhook_id }) => webhook_id), sent };
  }

  it("cost an event no more rows than the ones that it is for", async () => {
    const target = webhook("crowded", { events: ["task_failed"] });
    await store.insert(target, record(target));
    const alone = await lookUp("crowded");
    const before = await rowsReadBy(env.DB, alone.sent);

    await crowd("crowded");

    const among = await lookUp("crowded");
    const after = await rowsReadBy(env.DB, among.sent);
    expect(alone.found).toEqual([target.webhook_id]);
    expect(among.found.toSorted()).toEqual(["wh_7", target.webhook_id].toSorted());
    // One row of each table for wh_7, and at each key a look at the row behind it.
    expect(after - before).toBeLessThanOrEqual(2 + asked.length);
    expect(after).toBeLessThan(30);
  });

  it("are searched by the whole key, in one statement of few parameters", async () => {
    const { sent } = await lookUp("crowded");

    const plan = await planOf(env.DB, sent);

    expect(fullScans(plan)).toEqual([]);
    expect(plan.join("\n")).toMatch(
      /SEARCH subscription USING PRIMARY KEY \(tenant=\? AND type=\? AND facet=\?\)/,
    );
    expect(sent.params.length).toBeLessThan(10);
  });

  it("are left alone when one of them changes or goes", async () => {
    const recording = recordingDb(env.DB);
    const recorded = new WebhookStore(recording.db);
    const one = webhook("crowded too", { events: ["task_failed"], filters: { tags: ["t-8"] } });
    const registration = { ...one.registration, filters: { tags: ["t-10"] } };
    await crowd("crowded too");

    await recorded.insert(one, record(one));
    await recorded.update({ ...one, registration, version: 2 }, record(one));
    await recorded.remove({ ...one, registration, version: 3 }, record(one));

    expect(await rowsOf(one)).toEqual([]);
    expect(recording.rowsRead()).toBeGreaterThan(5);
    expect(recording.rowsRead()).toBeLessThan(100);
  });
});
