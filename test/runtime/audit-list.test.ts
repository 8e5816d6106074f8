import { env, exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { AuditStore } from "../../src/audit/audit-store.ts";
import { instant } from "../../src/lib/ports.ts";
import type { AuditEntry, AuditRecord } from "../../src/protocol/audit.ts";
import { audit, foreigner } from "./audited.ts";
import { call } from "./batuta.ts";
import { keyOf } from "./stepping-in.ts";

const store = new AuditStore(env.DB);

function recordOf(tenant: string, place: number, more: Partial<AuditRecord> = {}): AuditRecord {
  return {
    tenant,
    subject: `s${place % 2}`,
    at: instant(Date.UTC(2026, 10, 1) + place * 1_000),
    audit_id: `aud_${String(place).padStart(4, "0")}`,
    actor: `key_${place % 3}`,
    action: place % 5 === 0 ? "key_created" : "key_revoked",
    detail: {},
    subject_kind: "key",
    request_id: null,
    ...more,
  };
}

async function exported(query: string, headers: Record<string, string>): Promise<AuditEntry[]> {
  const response = await exports.default.fetch(
    new Request(`https://batuta.test/v1/audit?${query}`, {
      headers: { accept: "application/x-ndjson", ...headers },
    }),
  );
  expect(response.headers.get("content-type")).toBe("application/x-ndjson");
  const lines = (await response.text()).split("\n").filter((line) => line !== "");
  return lines.map((line): AuditEntry => JSON.parse(line));
}

describe("a list of the audit", () => {
  it("shows nothing to another tenant, whatever it asks", async () => {
    const [one, other] = [await foreigner(), await foreigner()];
    await call("PUT", "/v1/agents/mine", { capabilities: [] }, one.headers);

    const answers = [
      await call("GET", `/v1/audit?tenant=${one.tenant}`, undefined, other.headers),
      await call("GET", "/v1/audit?tenant=no-such-tenant", undefined, other.headers),
    ];
    const own = await audit({ subject: "mine" }, other.headers);
    const lines = await exported(`actor=${one.key_id}`, other.headers);

    expect(answers.map(({ status, body }) => [status, body["code"]])).toEqual([
      [403, "forbidden"],
      [403, "forbidden"],
    ]);
    expect([own.items, lines]).toEqual([[], []]);
  });

  it("is for those who may observe or administer", async () => {
    const statuses = [];
    for (const scope of ["orchestrate", "execute", "observe", "admin"]) {
      const { status } = await call("GET", "/v1/audit", undefined, await keyOf(scope));
      statuses.push([scope, status]);
    }

    expect(statuses).toEqual([
      ["orchestrate", 403],
      ["execute", 403],
      ["observe", 200],
      ["admin", 200],
    ]);
  });

  it("is found by every combination of its filters, as a page and as an export", async () => {
    const { tenant, headers } = await foreigner();
    const records = Array.from({ length: 30 }, (_, place) => recordOf(tenant, place));
    for (const record of records) await store.add(record);
    const conditions: [string, (entry: AuditRecord) => boolean][] = [
      ["subject=s1", ({ subject }) => subject === "s1"],
      ["actor=key_2", ({ actor }) => actor === "key_2"],
      ["action=key_created", ({ action }) => action === "key_created"],
      // The instants that stand there, in the spelling of another zone: since is included, until is not.
      ["since=2026-11-01T01:00:05%2B01:00", ({ at }) => at >= "2026-11-01T00:00:05.000Z"],
      ["until=2026-11-01T00:00:25Z", ({ at }) => at < "2026-11-01T00:00:25.000Z"],
    ];
    for (let chosen = 1; chosen < 2 ** conditions.length; chosen += 1) {
      const some = conditions.filter((_, place) => (chosen >> place) % 2 === 1);
      const query = some.map(([text]) => text).join("&");
      const meant = records.filter((record) => some.every(([, holds]) => holds(record)));
      const ids = meant.map(({ audit_id }) => audit_id);
      // The key's own creation is of today.
      const own = (items: AuditEntry[]) =>
        items.map(({ audit_id }) => audit_id).filter((id) => id.length === 8);

      const { body } = await call<{ items: AuditEntry[] }>(
        "GET",
        `/v1/audit?limit=200&${query}`,
        undefined,
        headers,
      );

      expect([query, own(body.items)]).toEqual([query, ids.toReversed()]);
      const lines = own(await exported(query, headers));
      expect(lines).toEqual(ids);
    }
  });

  it("is paged without gap or overlap while entries are added", async () => {
    const { tenant, headers } = await foreigner();
    for (let place = 0; place < 20; place += 1) {
      // Three of each instant stand on both sides of a page's end.
      const at = instant(Date.UTC(2026, 10, 1) + Math.floor(place / 3) * 1_000);
      await store.add(recordOf(tenant, place, { at }));
    }
    const seen: string[] = [];
    let cursor: string | null = null;
    for (let turn = 0; turn < 10; turn += 1) {
      const query: Record<string, string | number> = { limit: 4, until: "2026-11-02T00:00:00Z" };
      const page = await audit(cursor === null ? query : { ...query, cursor }, headers);
      seen.push(...page.items.map(({ audit_id }) => audit_id));
      cursor = page.next_cursor;
      if (cursor === null) break;
      await store.add(recordOf(tenant, 100 + turn));
    }

    const expected = Array.from({ length: 20 }, (_, place) => recordOf(tenant, place).audit_id);
    expect(seen).toEqual(expected.toReversed());
  });

  it.each([
    "since=2026-11-02T00:00:00Z&until=2026-11-01T00:00:00Z",
    "action=No",
    "cursor=x",
    "x=1",
  ])("refuses the question %s", async (query) => {
    const answer = await call("GET", `/v1/audit?${query}`);

    expect([answer.status, answer.body["code"]]).toEqual([400, "validation_failed"]);
  });
});
