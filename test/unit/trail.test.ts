import { describe, expect, it } from "vitest";

import { Denials } from "../../src/audit/denials.ts";
import { Trail } from "../../src/audit/trail.ts";
import type { LogFields } from "../../src/lib/log.ts";
import { ok, refuse } from "../../src/lib/result.ts";
import type { Principal } from "../../src/protocol/access.ts";
import { auditQuerySchema, type AuditMessage, type AuditRecord } from "../../src/protocol/audit.ts";

const BY: Principal = { key_id: "key_1", tenant: "acme", scopes: ["admin"], isBootstrap: false };
const DEED = {
  action: "key_revoked",
  subject: "key_2",
  subject_kind: "key",
  detail: {},
  request_id: "r1",
};
const AT = Date.UTC(2026, 10, 22);

/** A trail over a D1 and a queue that can fail. */
function world() {
  const state = { isDown: false, isQueueDown: false, now: AT, writes: 0 };
  const records: AuditRecord[] = [];
  const queued: AuditMessage[] = [];
  const lines: [string, string, LogFields | undefined][] = [];
  const trail = new Trail({
    store: {
      add: async (record) => {
        state.writes += 1;
        if (state.isDown) throw new Error("D1 is down");
        records.push(record);
      },
      list: async (tenant) => ok({ items: [], next_cursor: tenant }),
      async *all() {
        yield [];
      },
    },
    read: (query) =>
      state.isDown ? Promise.resolve(refuse({ code: "unavailable", detail: "later" })) : query(),
    enqueue: async (message) => {
      if (state.isQueueDown) throw new Error("the queue is down");
      queued.push(message);
    },
    now: () => state.now,
    newId: () => `id${records.length + queued.length}`,
    log: (level, event, fields) => void lines.push([level, event, fields]),
  });
  return { state, records, queued, lines, trail };
}

describe("the trail", () => {
  it("takes down who did what, when and by which request", async () => {
    const { trail, records } = world();

    await trail.record(BY, DEED);
    await trail.record(BY, { ...DEED, tenant: "other" });

    expect(records[0]).toEqual({
      tenant: "acme",
      audit_id: "aud_id0",
      at: "2026-11-22T00:00:00.000Z",
      actor: "key_1",
      ...DEED,
    });
    expect(records[1]?.tenant).toBe("other");
  });

  it("keeps neither what is too long nor what looks like a secret", async () => {
    const { trail, records } = world();

    const detail = { reason: "it was bk_abcdefgh12345678", filter: { tag: "x".repeat(5_000) } };
    await trail.record(BY, { ...DEED, detail });

    expect(records[0]?.detail).toEqual({
      reason: "it was [redacted]",
      filter: { omitted_characters: 5_010 },
    });
  });

  it("sends an entry by the queue when D1 does not take it, and asks a D1 that is down no more", async () => {
    const { trail, state, queued, lines } = world();
    state.isDown = true;

    for (let turn = 0; turn < 5; turn += 1) await trail.record(BY, DEED);

    expect(queued).toHaveLength(5);
    expect(queued[0]).toMatchObject({
      form: "audit",
      record: { subject: "key_2", actor: "key_1" },
    });
    expect(state.writes).toBe(3);
    expect(lines.map(([level, event]) => `${level} ${event}`)).toContain("warning audit_deferred");
  });

  it("writes to D1 again when that is back", async () => {
    const { trail, state, records } = world();
    state.isDown = true;
    for (let turn = 0; turn < 3; turn += 1) await trail.record(BY, DEED);
    state.isDown = false;
    state.now += 60_000;

    await trail.record(BY, DEED);

    expect(records).toHaveLength(1);
  });

  it("has the log hold the whole entry when the queue is down too, and never throws", async () => {
    const { trail, state, lines } = world();
    state.isDown = true;
    state.isQueueDown = true;

    await trail.record(BY, DEED);

    expect(lines).toEqual([["error", "audit_lost", expect.objectContaining({})]]);
    const entry: unknown = JSON.parse(String(lines[0]?.[2]?.["entry"]));
    expect(entry).toMatchObject({ tenant: "acme", actor: "key_1", ...DEED });
  });

  it("has the log hold what no entry can be made of, and never throws", async () => {
    const { trail, lines } = world();
    const detail: Record<string, unknown> = {};
    detail["self"] = detail;

    await trail.record(BY, { ...DEED, detail });

    expect(lines).toEqual([["error", "audit_lost", expect.objectContaining({})]]);
    const { detail: _detail, ...what } = DEED;
    const entry: unknown = JSON.parse(String(lines[0]?.[2]?.["entry"]));
    expect(entry).toEqual({ tenant: "acme", actor: "key_1", ...what });
  });

  it("tells of a denied attempt once a minute for each key and operation, and how many were untold", async () => {
    const { trail, state, records } = world();
    const denied = { operation: "create_key", request_id: "r1" };

    for (let turn = 0; turn < 4; turn += 1) await trail.recordDenied(BY, denied);
    await trail.recordDenied({ ...BY, key_id: "key_9" }, denied);
    await trail.recordDenied(BY, { ...denied, operation: "delete_key" });
    state.now += 60_000;
    await trail.recordDenied(BY, denied);

    expect(records.map(({ actor, subject, detail }) => [actor, subject, detail])).toEqual([
      ["key_1", "create_key", {}],
      ["key_9", "create_key", {}],
      ["key_1", "delete_key", {}],
      ["key_1", "create_key", { untold_before: 3 }],
    ]);
  });

  it("remembers a bounded number of attempts", () => {
    const denials = new Denials();
    for (let key = 0; key < 1_001; key += 1) denials.admit(`key_${key}`, AT);

    expect([denials.admit("key_0", AT), denials.admit("key_1000", AT)]).toEqual([0, null]);
  });

  it("shows a key its own tenant, and any to the bootstrap key alone", async () => {
    const { trail } = world();
    const other = auditQuerySchema.parse({ tenant: "other" });
    const own = auditQuerySchema.parse({ tenant: "acme" });

    expect(await trail.list(BY, own)).toMatchObject({ value: { next_cursor: "acme" } });
    expect(await trail.list(BY, auditQuerySchema.parse({}))).toMatchObject({
      value: { next_cursor: "acme" },
    });
    expect(await trail.list({ ...BY, isBootstrap: true }, other)).toMatchObject({
      value: { next_cursor: "other" },
    });
    for (const answer of [await trail.list(BY, other), await trail.all(BY, other)]) {
      expect(answer).toMatchObject({ ok: false, refusal: { code: "forbidden" } });
    }
  });

  it("refuses an export while D1 is down, before a line of it has left", async () => {
    const { trail, state } = world();
    state.isDown = true;

    expect(await trail.all(BY, auditQuerySchema.parse({}))).toMatchObject({
      refusal: { code: "unavailable" },
    });
  });
});
