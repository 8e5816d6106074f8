import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import {
  auditRecord,
  disabledRecord,
  levelRecord,
  type AuditAction,
} from "../../src/delivery/registry/audit.ts";
import { WebhookStore } from "../../src/delivery/registry/webhook-store.ts";
import { Webhooks } from "../../src/delivery/registry/webhooks.ts";
import { randomId } from "../../src/lib/ports.ts";
import { newReceiver } from "./receiver.ts";
import {
  announce,
  arrivals,
  auditOf,
  auditReads,
  auditStore,
  newTenant,
  ports,
  register,
  ORIGIN,
} from "./webhook-world.ts";

/** A clock ahead of the real one on which no two entries have one instant, so that their order is theirs. */
let tick = Date.now() + 3_600_000;
const webhooks = new Webhooks({ ...ports, now: () => (tick += 1) });

const GONE = {
  report_id: "lvl_1",
  at: "2026-11-22T10:00:00.000Z",
  from: 0,
  to: 4,
  why: "gone",
  evidence: {},
  version: 1,
};

const actions = async (tenant: string, subject: string) =>
  (await auditOf(tenant, subject)).map(({ action }) => action);

describe("the audit of a webhook", () => {
  it("has one entry for each thing an operator did, by whom, and what of it changed", async () => {
    const by = { ...newTenant(), key_id: "key_ops" };
    const { webhook_id } = await register(by, newReceiver());

    await webhooks.patch(by, webhook_id, { timeout: 3, events: ["task_failed"] }, ORIGIN);
    await webhooks.setPaused(by, webhook_id, true);
    await webhooks.setPaused(by, webhook_id, false);
    await webhooks.patch(by, webhook_id, { active: false }, ORIGIN);
    await webhooks.rotateSecret(by, webhook_id, 60);
    const test = await webhooks.test(by, webhook_id);
    await webhooks.remove(by, webhook_id);

    const found = await auditOf(by.tenant, webhook_id);
    const paused = { changes: { state: { from: "active", to: "paused" } } };
    expect(found.map(({ action, detail }) => [action, detail])).toEqual([
      [
        "webhook_created",
        { registration: expect.objectContaining({ timeout: 15, state: "active" }) },
      ],
      [
        "webhook_changed",
        {
          changes: {
            timeout: { from: 15, to: 3 },
            events: { from: ["all"], to: ["task_failed"] },
          },
        },
      ],
      ["webhook_paused", paused],
      ["webhook_resumed", { changes: { state: { from: "paused", to: "active" } } }],
      ["webhook_paused", paused],
      ["secret_rotated", { overlap_seconds: 60, signing: 2 }],
      ["webhook_tested", { delivery_id: test.ok && test.value.delivery_id }],
      ["webhook_deleted", { state: "paused" }],
    ]);
    expect(new Set(found.map(({ actor, subject }) => `${actor} ${subject}`))).toEqual(
      new Set([`key_ops ${webhook_id}`]),
    );
  });

  it("has an entry for a replay, and none for one that is refused", async () => {
    const [by, receiver] = [newTenant(), newReceiver()];
    const { webhook_id } = await register(by, receiver);
    await announce(by, "t", 1);
    await arrivals(receiver, 1);
    const list = await webhooks.deliveries(by.tenant, webhook_id, { limit: 1 });
    const delivery_id = list.ok ? (list.value.items[0]?.delivery_id ?? "") : "";

    await webhooks.replay(by, delivery_id);
    await webhooks.replay(by, `${delivery_id}x`);

    expect((await auditOf(by.tenant, webhook_id)).slice(1)).toMatchObject([
      { action: "delivery_replayed", detail: { delivery_id } },
    ]);
  });

  it("says once that the receiver wanted nothing more", async () => {
    const by = newTenant();
    const { webhook_id } = await register(by, newReceiver());
    const store = new WebhookStore(env.DB);

    const record = disabledRecord(by.tenant, webhook_id, GONE);
    await store.disable({ tenant: by.tenant, webhook_id, version: 1 }, record);
    await store.disable(
      { tenant: by.tenant, webhook_id, version: 1 },
      { ...record, audit_id: "lvl_2_disabled" },
    );

    const found = await auditOf(by.tenant, webhook_id);
    expect(found.filter(({ action }) => action !== "webhook_created")).toMatchObject([
      {
        action: "webhook_disabled",
        actor: "system",
        audit_id: "lvl_1_disabled",
        detail: { why: "gone" },
      },
    ]);
  });

  it("has nothing of a change that another one overtook, nor of one that was refused", async () => {
    const by = newTenant();
    const { webhook_id } = await register(by, newReceiver());
    const store = new WebhookStore(env.DB);
    const read = await store.read(by.tenant, webhook_id);
    if (read === null) throw new Error("not registered");
    const late = (action: AuditAction) =>
      auditRecord(ports, by, { subject: webhook_id, action, detail: {} });
    await webhooks.patch(by, webhook_id, { timeout: 3 }, ORIGIN);

    const outcomes = [
      await store.update({ ...read, version: 2 }, late("webhook_changed")),
      await store.remove({ ...read, version: 2 }, late("webhook_deleted")),
      (await webhooks.patch(by, webhook_id, { url: "http://127.0.0.1/" }, ORIGIN)).ok,
    ];

    expect(outcomes).toEqual([false, false, false]);
    expect(await actions(by.tenant, webhook_id)).toEqual(["webhook_created", "webhook_changed"]);
  });

  it("has an entry for each of several changes at the same time, and no more", async () => {
    const by = newTenant();
    const { webhook_id } = await register(by, newReceiver());

    const answers = await Promise.all(
      [1, 2, 3].map((timeout) => webhooks.patch(by, webhook_id, { timeout }, ORIGIN)),
    );

    const taken = answers.filter(({ ok }) => ok).length;
    expect(await actions(by.tenant, webhook_id)).toHaveLength(1 + taken);
  });

  it("holds no secret and no value of a header", async () => {
    const [by, receiver] = [newTenant(), newReceiver()];
    const created = await register(by, receiver, {
      headers: { authorization: "Bearer one", "x-key": "two" },
    });
    const { webhook_id } = created;

    await webhooks.patch(
      by,
      webhook_id,
      {
        headers: { authorization: "Bearer three", "x-b": "f" },
      },
      ORIGIN,
    );
    const rotated = await webhooks.rotateSecret(by, webhook_id, 60);
    const callback = await webhooks.rotateCallbackSecret(by, 60);

    const { results } = await env.DB.prepare("SELECT * FROM audit WHERE tenant = ?")
      .bind(by.tenant)
      .all();
    const text = JSON.stringify(results);
    expect(results).toHaveLength(4);
    expect(text).not.toMatch(/Bearer|"two|whsec_|three/);
    for (const secret of [created.secret, rotated.ok && rotated.value.secret, callback.secret]) {
      expect(text).not.toContain(String(secret).slice(6));
    }
    expect((await auditOf(by.tenant, webhook_id)).slice(0, 2)).toMatchObject([
      { detail: { registration: { header_names: ["authorization", "x-key"] } } },
      {
        detail: {
          changes: { headers: { added: ["x-b"], removed: ["x-key"], changed: ["authorization"] } },
        },
      },
    ]);
  });

  it("is shown also of a deleted webhook, and to its own tenant alone", async () => {
    const [by, other] = [newTenant(), newTenant()];
    const { webhook_id } = await register(by, newReceiver());
    await webhooks.remove(by, webhook_id);

    const own = await auditReads.list(by.tenant, webhook_id, { limit: 10 });
    const foreign = [
      await auditReads.list(other.tenant, webhook_id, { limit: 10 }),
      await auditReads.all(other.tenant, webhook_id),
      await auditReads.list(by.tenant, `wh_${randomId()}`, { limit: 10 }),
      await auditReads.list(by.tenant, `cb_${randomId()}`, { limit: 10 }),
    ];

    expect(own.ok && own.value.items.map(({ action }) => action)).toEqual([
      "webhook_deleted",
      "webhook_created",
    ]);
    for (const answer of foreign) {
      expect(answer).toMatchObject({ ok: false, refusal: { code: "webhook_not_found" } });
    }
  });

  it("is shown of a callback endpoint that something befell", async () => {
    const { tenant } = newTenant();
    const webhook_id = `cb_${randomId()}`;
    await auditStore.add(levelRecord(tenant, webhook_id, GONE));

    const shown = await auditReads.list(tenant, webhook_id, { limit: 10 });

    expect(shown).toMatchObject({ ok: true, value: { items: [{ action: "level_changed" }] } });
  });

  it("tells of the callback secret who rotated it", async () => {
    const by = { ...newTenant(), key_id: "key_admin" };

    await webhooks.rotateCallbackSecret(by, 60);

    expect(await auditReads.ofCallbackSecret(by.tenant, { limit: 10 })).toMatchObject({
      value: {
        items: [
          {
            action: "callback_secret_rotated",
            actor: "key_admin",
            detail: { overlap_seconds: 60, signing: 2 },
          },
        ],
      },
    });
  });
});
