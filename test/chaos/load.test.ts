import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";

const root = path.join(import.meta.dirname, "../..");

/** The short forms take a minute; a machine that is busy with other tests takes as long as it needs. */
const WITHIN_MS = 600_000;

/** As small as they can be and still say something. */
const SHORT = [
  ["--rate", "5", "--seconds", "4"],
  ["--from", "4", "--step", "3", "--orders-per-minute", "40"],
  ["--lives", "30", "--cycles", "3", "--probe", "1"],
].flat();

const errorsSchema = z.array(
  z.object({
    class: z.string(),
    count: z.int(),
    retryAfterS: z.number().nullable(),
    detail: z.string(),
  }),
);
const brokenSchema = z.array(z.string());
const latencySchema = z.object({ p50Ms: z.number(), p95Ms: z.number(), p99Ms: z.number() });
const livesSchema = z.object({ accepted: z.int(), lost: z.int(), unseen: z.int() });

const loadSchema = z.object({
  broken: brokenSchema,
  errors: errorsSchema,
  achieved: z.object({ atAll: z.number() }),
  floor: latencySchema,
  operations: z.array(latencySchema.extend({ op: z.string(), count: z.int() })),
  deliveries: z.object({ effects: z.int(), disorders: z.array(z.string()) }),
  lives: livesSchema,
  slotsInUse: z.int(),
});
const stressSchema = z.object({
  broken: brokenSchema,
  steps: z.array(z.object({ errors: errorsSchema, done: z.int() })),
  breakPoint: errorsSchema.element.extend({ perSecond: z.number() }),
  recovery: z.object({ isRecovered: z.boolean() }),
  lives: livesSchema,
  disorders: z.array(z.string()),
  slotsInUse: z.int(),
});
const leftSchema = z.object({
  taskObjects: z.object({ rows: z.int(), alarms: z.int() }),
  endpointRows: z.int(),
  poolRows: z.int(),
  tables: z.record(z.string(), z.int()),
});
const cycleSchema = z.object({
  lost: z.int(),
  unseen: z.int(),
  unrecorded: z.int(),
  errors: errorsSchema,
  full: leftSchema,
  left: leftSchema.extend({
    leaks: z.array(z.string()),
    pool: z.object({ waiting: z.int(), reserved: z.int() }),
    slotsInUse: z.int(),
  }),
});
const resultSchema = z.object({
  load: loadSchema,
  stress: stressSchema,
  endurance: z.object({ broken: brokenSchema, cycles: z.array(cycleSchema) }),
});

/** Tables in which a task leaves something for good, or for as long as figures are kept. */
const FIGURES = ["removed_task", "task_rollup", "meter_minute", "audit"];

/** What is left of a cycle, without what is meant to grow. */
function stateOf({ left }: z.infer<typeof cycleSchema>) {
  const tables = Object.entries(left.tables).filter(([table]) => !FIGURES.includes(table));
  const { taskObjects, endpointRows, poolRows, pool, slotsInUse } = left;
  return {
    taskObjects: { rows: taskObjects.rows, alarms: taskObjects.alarms },
    endpointRows,
    poolRows,
    pool,
    slotsInUse,
    tables: Object.fromEntries(tables),
  };
}

describe("work on the built bundle, small and not judged by time", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "batuta-load-test-"));
  const file = path.join(folder, "result.json");
  let result: z.infer<typeof resultSchema>;

  beforeAll(async () => {
    const script = path.join(root, "test/load/load.mjs");
    const commands = ["load", "stress", "endurance", "--untimed", "--out", file];
    // What is broken is told by the file, and then by an exit code that only repeats it.
    await promisify(execFile)(process.execPath, [script, ...commands, ...SHORT], {
      cwd: root,
      timeout: WITHIN_MS,
    }).catch((error: unknown) => console.error(error));
    result = resultSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  }, WITHIN_MS);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("is all done at a target rate: no error but the refusals that were asked for, no loss, every webhook in order", () => {
    const { load } = result;

    expect(load).toMatchObject({ broken: [], errors: [], slotsInUse: 0 });
    expect(load.achieved.atAll).toBe(1);
    expect(load.lives).toMatchObject({ lost: 0, unseen: 0 });
    expect(load.lives.accepted).toBeGreaterThanOrEqual(20);
    // Started, twice progress, the verdict and the end of each.
    expect(load.deliveries).toMatchObject({ effects: 5 * load.lives.accepted, disorders: [] });
    expect(load.operations.map(({ op }) => op)).toEqual(
      expect.arrayContaining(["submit", "claim", "started", "progress", "completed", "failed"]),
    );
    expect(load.operations.map(({ op }) => op)).toEqual(
      expect.arrayContaining(["end", "read", "list", "events", "submit again"]),
    );
    // The refusals are what they should be, or they would be among the errors.
    expect(load.operations.map(({ op }) => op)).toEqual(
      expect.arrayContaining(["stale lease, refused", "other body, refused", "missing, refused"]),
    );
  });

  it("is refused clearly where it becomes too much, goes on afterwards, and loses nothing that was accepted", () => {
    const { stress } = result;
    const last = stress.steps.at(-1);

    expect(stress.broken).toEqual([]);
    expect(stress.breakPoint.class).toBe("429 rate_limited");
    expect(stress.breakPoint.retryAfterS).toBeGreaterThanOrEqual(1);
    expect(stress.breakPoint.detail).toContain("try again in");
    expect(stress.steps.slice(0, -1).flatMap(({ errors }) => errors)).toEqual([]);
    expect(last?.errors.map((error) => error.class)).toEqual(["429 rate_limited"]);
    expect(stress.recovery.isRecovered).toBe(true);
    expect(stress.lives).toMatchObject({ lost: 0, unseen: 0 });
    expect(stress.lives.accepted).toBeGreaterThan(0);
    expect(stress).toMatchObject({ disorders: [], slotsInUse: 0 });
  });

  it("leaves the same behind after each cycle of lives and weeks: no slot, no alarm, no row of a task", () => {
    const { endurance } = result;
    const states = endurance.cycles.map(stateOf);

    expect(endurance.broken).toEqual([]);
    expect(states).toHaveLength(3);
    for (const { full, lost, unseen, unrecorded } of endurance.cycles) {
      // Otherwise there would be nothing to be forgotten.
      expect(full.taskObjects.rows).toBeGreaterThan(0);
      expect(full.taskObjects.alarms).toBeGreaterThan(0);
      expect(full.tables["task"]).toBeGreaterThan(0);
      expect({ lost, unseen, unrecorded }).toEqual({ lost: 0, unseen: 0, unrecorded: 0 });
    }
    expect(states[0]).toMatchObject({
      taskObjects: { rows: 0, alarms: 0 },
      pool: { waiting: 0, reserved: 0 },
      slotsInUse: 0,
    });
    expect(states[1]).toEqual(states[0]);
    expect(states[2]).toEqual(states[0]);
  });
});
