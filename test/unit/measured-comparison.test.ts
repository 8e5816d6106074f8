import { readFileSync } from "node:fs";
import path from "node:path";

import { describe, expect, it } from "vitest";
import * as z from "zod";

const FILE = path.join(import.meta.dirname, "../load/measured/comparison.json");

const sideSchema = z.strictObject({
  cpuMs: z.number().positive(),
  perSecond: z.number().positive(),
  cpuToFloor: z.number().positive(),
  rateToFloor: z.number().positive(),
});

const pathSchema = z.strictObject({
  floor: z.strictObject({ cpuMs: z.number().positive(), perSecond: z.number().positive() }),
  base: sideSchema,
  change: sideSchema,
  cpuChangeToBase: z.number().positive(),
  rateChangeToBase: z.number().positive(),
});

const comparisonSchema = z.strictObject({
  base: z.string().regex(/^[0-9a-f]{7,}$/),
  change: z.string(),
  rounds: z.int().min(5),
  paths: z.record(z.string(), pathSchema),
});

describe("the comparison that is kept of the hot paths", () => {
  const { paths } = comparisonSchema.parse(JSON.parse(readFileSync(FILE, "utf8")));

  it("has each of them before and after, beside the floor of the same rounds", () => {
    expect(Object.keys(paths)).toEqual(["accept", "dispatch", "notify", "deliver", "life"]);
  });

  it.each(Object.entries(paths))(
    "says of %s that it got no dearer",
    (_name, { cpuChangeToBase }) => {
      expect(cpuChangeToBase).toBeLessThanOrEqual(1);
    },
  );

  it.each(["accept", "notify", "life"])("says of %s that it got cheaper by a tenth", (name) => {
    expect(paths[name]?.cpuChangeToBase).toBeLessThanOrEqual(0.9);
  });
});
