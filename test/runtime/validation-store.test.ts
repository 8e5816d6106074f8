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
import type { ValidationRecord } from "../../src/protocol/validation-record.ts";
import { sweepAll } from "../../src/services-sweep.ts";
import { validationRecord } from "../validation-record.ts";
import { fullScans, planOf, recordingDb } from "./recording-db.ts";
import { newTenant } from "./webhook-world.ts";

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

    await sweepAll(env);

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
