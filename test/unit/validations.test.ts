import { describe, expect, it, vi } from "vitest";

import { ValidationKeeper } from "../../src/history/validation-keeper.ts";
import { ValidationSampling } from "../../src/history/validation-sampling.ts";
import { createValidations } from "../../src/history/validations.ts";
import { ok } from "../../src/lib/result.ts";
import type { ValidationRecord } from "../../src/protocol/validation-record.ts";
import { validationRecord } from "../validation-record.ts";

const NOW = Date.parse("2026-11-26T10:00:00Z");
const BY = { key_id: "k1", tenant: "acme", scopes: ["observe"] as const, isBootstrap: false };
const BOOTSTRAP = { ...BY, isBootstrap: true };

function world(oneIn = 1, write?: () => Promise<void>) {
  const written: ValidationRecord[] = [];
  const alerted: ValidationRecord[] = [];
  const asked: unknown[] = [];
  const validations = createValidations({
    now: () => NOW,
    newId: () => "val_1",
    sampling: new ValidationSampling(oneIn, () => 0.5),
    keeper: new ValidationKeeper({
      now: () => NOW,
      pause: () => new Promise(() => {}),
      write: write ?? (async (records) => void written.push(...records)),
      log: () => {},
    }),
    alert: async (record) => void alerted.push(record),
    list: async (tenant) => {
      asked.push(tenant);
      return ok({ items: written, next_cursor: null });
    },
    get: async (tenant) => {
      asked.push(tenant);
      return null;
    },
    summarise: async (tenant, since) => {
      asked.push([tenant, since]);
      return ok({ since, is_complete: true, items: [] });
    },
  });
  return { validations, written, alerted, asked };
}

const { record_id: _id, at: _at, weight: _weight, ...facts } = validationRecord();
const { fields, unknown_fields, errors, faults, warnings, ...told } = facts;
const report = { ...told, detail: () => ({ fields, unknown_fields, errors, faults, warnings }) };

describe("validations", () => {
  it("are there for whoever reads in the same isolate, before they were due to be written", async () => {
    const { validations, written } = world();
    validations.note(report, () => {});
    const before = written.length;

    await validations.list(BY, { all: false, limit: 5 });

    expect(before).toBe(0);
    expect(written).toEqual([
      { ...facts, record_id: "val_1", at: "2026-11-26T10:00:00.000Z", weight: 1 },
    ]);
  });

  it("whose turn it is not are not even looked into", () => {
    const { validations } = world(0);
    const detail = (): never => {
      throw new Error("looked into");
    };

    const note = () => validations.note({ ...report, outcome: "passed", detail }, () => {});

    expect(note).not.toThrow();
  });

  it("of something withheld are written and alerted of at once", async () => {
    const { validations, written, alerted } = world(0);

    await validations.withheld({ ...report, outcome: "withheld" });

    expect(written).toMatchObject([{ outcome: "withheld", weight: 1 }]);
    expect(alerted).toEqual(written);
  });

  it("of something withheld are written whatever else was refused in the same minute", async () => {
    const { validations, written } = world();
    for (let turn = 0; turn < 100; turn += 1) {
      validations.note({ ...report, outcome: "refused" }, () => {});
    }

    await validations.withheld({ ...report, outcome: "withheld" });

    expect(written.filter(({ outcome }) => outcome === "withheld")).toHaveLength(1);
  });

  it("are read, and alerted of, within two seconds while D1 takes none", async () => {
    vi.useFakeTimers();
    const { validations, alerted } = world(1, () => new Promise(() => {}));
    const done: string[] = [];
    validations.note(report, () => {});
    const reads = validations.list(BY, { all: false, limit: 5 }).then(() => done.push("list"));
    validations.note(report, () => {});
    const sums = validations.summary(BY, { all: false, window: 60 }).then(() => done.push("sum"));
    const tells = validations.withheld({ ...report, outcome: "withheld" });
    void tells.then(() => done.push("withheld"));

    await vi.advanceTimersByTimeAsync(2_000);

    vi.useRealTimers();
    expect(done).toEqual(["list", "sum", "withheld"]);
    expect(alerted).toHaveLength(1);
    await Promise.all([reads, sums, tells]);
  });

  it("of all tenants are for the bootstrap key alone", async () => {
    const { validations, asked } = world();

    const refused = [
      await validations.list(BY, { all: true, limit: 5 }),
      await validations.get(BY, "val_1", true),
      await validations.summary(BY, { all: true, window: 60 }),
    ];
    const none = await validations.get(BY, "val_1", false);
    await validations.list(BOOTSTRAP, { all: true, limit: 5 });
    await validations.summary(BOOTSTRAP, { all: false, window: 60 });

    expect(refused).toMatchObject(refused.map(() => ({ refusal: { code: "forbidden" } })));
    expect(none).toMatchObject({ refusal: { code: "validation_not_found" } });
    expect(asked).toEqual(["acme", null, ["acme", "2026-11-26T09:59:00.000Z"]]);
  });
});
