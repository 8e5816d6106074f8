import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import type { AuditRecord } from "../../src/delivery/registry/audit.ts";
import type { Webhook } from "../../src/delivery/registry/registration.ts";
import { storedRegistrationSchema } from "../../src/delivery/registry/registration.ts";
import { WebhookStore } from "../../src/delivery/registry/webhook-store.ts";
import { newSecret } from "../../src/delivery/signature.ts";
import { randomId } from "../../src/lib/ports.ts";
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
    version: 1,
    created_at: "2026-11-22T10:00:00.000Z",
  };
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
    const one = webhook("c", { events: ["task_failed"], filters: { tags: ["t"] } });
    const all = webhook("c", { events: ["all"] });
    await store.insert(one, record(one));
    await store.insert(all, record(all));
    const foreign = webhook("d", { events: ["all"] });
    await store.insert(foreign, record(foreign));

    const found = await store.subscribers("c", ["task_failed", "task_started"]);

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
      filters: { tags: ["t"] },
    });
  });

  it("takes a change of the newest version alone, subscriptions and all", async () => {
    const first = webhook("e", { events: ["task_failed"] });
    await store.insert(first, record(first));
    const registration = { ...first.registration, events: ["task_started" as const] };

    const taken = await store.update({ ...first, registration, version: 2 }, record(first));
    const late = await store.update({ ...first, state: "paused", version: 2 }, record(first));

    expect([taken, late]).toEqual([true, false]);
    expect(await store.subscribers("e", ["task_failed"])).toEqual([]);
    expect(await store.subscribers("e", ["task_started"])).toMatchObject([{ version: 2 }]);
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
    expect(await store.subscribers("f", ["task_failed"])).toEqual([]);
    expect((await store.versions("f", [stored.webhook_id])).size).toBe(0);
    expect(await store.isKnown("f", stored.webhook_id)).toBe(true);
    expect(await store.isKnown("g", stored.webhook_id)).toBe(false);
  });

  it("disables once", async () => {
    const stored = webhook("h");
    await store.insert(stored, record(stored));

    await store.disable("h", stored.webhook_id, record(stored));
    await store.disable("h", stored.webhook_id, record(stored));

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
    await recorded.subscribers("i", ["task_failed", "task_started"]);
    await recorded.versions("i", [stored.webhook_id]);
    await recorded.update({ ...stored, version: 2 }, record(stored));
    await recorded.disable("i", stored.webhook_id, record(stored));
    await recorded.remove({ ...stored, version: 4 }, record(stored));

    const plans = await Promise.all(recording.sent.map((sent) => planOf(env.DB, sent)));
    expect(recording.sent.length).toBeGreaterThan(10);
    expect(fullScans(plans.flat())).toEqual([]);
  });

  it("reads no more to find one subscriber when there are a thousand others", async () => {
    const recording = recordingDb(env.DB);
    const target = webhook("j", { events: ["task_failed"] });
    await store.insert(target, record(target));
    await new WebhookStore(recording.db).subscribers("j", ["task_failed"]);
    const cost = async () => {
      const [sent] = recording.sent;
      return sent === undefined ? Number.NaN : rowsReadBy(env.DB, sent);
    };
    const alone = await cost();

    await env.DB.prepare(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
       INSERT INTO webhook_subscription SELECT 'j', 'task_started', '*', 'wh_' || i FROM n`,
    ).run();

    // One more may be looked at, to see that it is the next type's.
    expect(await cost()).toBeLessThanOrEqual(alone + 1);
  });
});
