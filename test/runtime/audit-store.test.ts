import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { AuditStore } from "../../src/audit/audit-store.ts";
import { levelRecord } from "../../src/delivery/registry/audit.ts";
import { fullScans, planOf, recordingDb } from "./recording-db.ts";
import { auditOf, auditPages, auditStore, newTenant } from "./webhook-world.ts";

const at = (second: number) => new Date(Date.UTC(2026, 10, 22, 10, 0, second)).toISOString();

/** A change of level, the only entry that needs no webhook. */
function levelChange(tenant: string, second: number, report_id = `lvl_${second}`) {
  const [from, to, why] = [0, 3, "five failures in a row"];
  const evidence = { failures: 5 };
  return levelRecord(tenant, "wh_x", {
    report_id,
    at: at(second),
    from,
    to,
    why,
    evidence,
    version: 1,
  });
}

describe("the audit in the database", () => {
  it.each(["UPDATE audit SET actor = 'nobody'", "DELETE FROM audit"])(
    "refuses %s",
    async (statement) => {
      const { tenant } = newTenant();
      await auditStore.add(levelChange(tenant, 1));

      const outcome = env.DB.prepare(`${statement} WHERE tenant = ?`).bind(tenant).run();

      await expect(outcome).rejects.toThrow("audit rows are never");
      expect(await auditOf(tenant, "wh_x")).toMatchObject([{ actor: "system" }]);
    },
  );

  it.each([
    ["OR REPLACE", ""],
    ["", "ON CONFLICT DO UPDATE SET actor = 'nobody'"],
  ])("keeps what is there from INSERT %s %s", async (clause, upsert) => {
    const { tenant } = newTenant();
    await auditStore.add(levelChange(tenant, 1));

    await env.DB.prepare(
      `INSERT ${clause} INTO audit SELECT tenant, subject, at, audit_id, 'nobody', action, detail, NULL, NULL
       FROM audit WHERE tenant = ? ${upsert}`,
    )
      .bind(tenant)
      .run();

    expect(await auditOf(tenant, "wh_x")).toMatchObject([{ actor: "system" }]);
  });

  it("shows of an address where it leads, also in the entries that have it whole", async () => {
    const { tenant } = newTenant();
    const url = "https://hooks.example.com/T0/secret?token=x";
    const details = [
      { registration: { url, timeout: 3 } },
      { changes: { url: { from: url, to: url }, timeout: { from: 3, to: null } } },
      { changes: { timeout: { from: 3, to: 4 } } },
      { registration: "unlike any", n: null },
    ];
    await env.DB.batch(
      details.map((detail, second) =>
        env.DB.prepare(
          `INSERT INTO audit (tenant, subject, at, audit_id, actor, action, detail)
           VALUES (?, 'wh_x', ?, ?, 'key_1', 'webhook_changed', ?)`,
        ).bind(tenant, at(second), `aud_${second}`, JSON.stringify(detail)),
      ),
    );

    const entries = await auditOf(tenant, "wh_x");

    const brief = "https://hooks.example.com/…";
    expect(entries.map(({ detail }) => detail)).toEqual([
      { registration: { url: brief, timeout: 3 } },
      { changes: { url: { from: brief, to: brief }, timeout: { from: 3, to: null } } },
      details[2],
      details[3],
    ]);
  });

  it("takes a change of level once, however often it is told", async () => {
    const { tenant } = newTenant();

    await auditStore.add(levelChange(tenant, 1));
    await auditStore.add(levelChange(tenant, 1));
    await auditStore.add(levelChange(tenant, 2));

    expect(await auditOf(tenant, "wh_x")).toEqual([
      {
        audit_id: "lvl_1",
        at: at(1),
        actor: "system",
        actor_kind: "system",
        action: "level_changed",
        subject: "wh_x",
        subject_kind: "webhook",
        request_id: null,
        detail: {
          from: 0,
          to: 3,
          why: "five failures in a row",
          evidence: { failures: 5 },
        },
      },
      expect.objectContaining({ audit_id: "lvl_2" }),
    ]);
  });

  it("is listed newest first, page by page, without gap or overlap", async () => {
    const { tenant } = newTenant();
    // Two of one instant stand on either side of a page's end.
    for (const [second, id] of [
      [1, "a"],
      [2, "b"],
      [2, "c"],
      [3, "d"],
    ] as const) {
      await auditStore.add(levelChange(tenant, second, id));
    }

    const first = await auditStore.list(tenant, { subject: "wh_x" }, { limit: 2 });
    const cursor = first.ok ? (first.value.next_cursor ?? undefined) : undefined;
    const second = await auditStore.list(tenant, { subject: "wh_x" }, { limit: 2, cursor });

    const idsOf = (page: typeof first) => page.ok && page.value.items.map((item) => item.audit_id);
    expect([idsOf(first), idsOf(second)]).toEqual([
      ["d", "c"],
      ["b", "a"],
    ]);
    expect(second).toMatchObject({ value: { next_cursor: null } });
    expect(
      await auditStore.list(tenant, { subject: "wh_x" }, { limit: 2, cursor: "x" }),
    ).toMatchObject({
      refusal: { code: "validation_failed" },
    });
  });

  it("is exported whole and in order, some rows at a time", async () => {
    const { tenant } = newTenant();
    await env.DB.prepare(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 450)
       INSERT INTO audit SELECT ?, 'wh_x', '2026-11-22T10:00:00.000Z', printf('aud_%04d', i),
         'k', 'webhook_changed', '{}', NULL, NULL FROM n`,
    )
      .bind(tenant)
      .run();

    const pages = await auditPages(auditStore.all(tenant, { subject: "wh_x" }));

    const ids = pages.flat().map(({ audit_id }) => audit_id);
    expect(pages.map(({ length }) => length)).toEqual([200, 200, 50]);
    expect(ids).toEqual(ids.toSorted());
    expect(new Set(ids).size).toBe(450);
    // Rows without a kind are the webhook registry's.
    expect(pages[0]?.[0]).toMatchObject({ subject_kind: "webhook", actor_kind: "key" });
  });

  it("searches an index for everything it is asked", async () => {
    const recording = recordingDb(env.DB);
    const recorded = new AuditStore(recording.db);
    const { tenant } = newTenant();

    await recorded.add(levelChange(tenant, 1));
    await recorded.add(levelChange(tenant, 2));
    const page = await recorded.list(tenant, { subject: "wh_x" }, { limit: 1 });
    const cursor = page.ok ? (page.value.next_cursor ?? undefined) : undefined;
    await recorded.list(tenant, { subject: "wh_x" }, { limit: 1, cursor });
    await auditPages(recorded.all(tenant, { subject: "wh_x" }));

    const plans = (await Promise.all(recording.sent.map((sent) => planOf(env.DB, sent)))).flat();
    expect(cursor).toBeDefined();
    expect(fullScans(plans)).toEqual([]);
    expect(plans.join("\n")).not.toContain("TEMP B-TREE");
  });
});
