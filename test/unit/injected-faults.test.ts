import { readFileSync } from "node:fs";
import path from "node:path";

import { parse } from "smol-toml";
import { describe, expect, it } from "vitest";
import { z } from "zod";

import { readFaults } from "../../src/config.ts";

const PLAN = { seed: 1, until: "2026-11-27T12:00:00Z" };
const read = (faults: unknown, BATUTA_ENVIRONMENT = "test") =>
  readFaults({ BATUTA_FAULTS: JSON.stringify(faults), BATUTA_ENVIRONMENT });

const variablesSchema = z.record(z.string(), z.unknown());
const wranglerSchema = z.object({
  vars: variablesSchema,
  env: z.object({ production: z.object({ vars: variablesSchema }) }),
});

function wrangler() {
  const file = path.join(import.meta.dirname, "../../wrangler.toml");
  return wranglerSchema.parse(parse(readFileSync(file, "utf8")));
}

describe("the variable BATUTA_FAULTS", () => {
  it("asks for nothing where it is absent or empty, in production too", () => {
    expect(readFaults({})).toBeNull();
    expect(readFaults({ BATUTA_FAULTS: "", BATUTA_ENVIRONMENT: "production" })).toBeNull();
  });

  it("is a plan whose faults are none but those that it names", () => {
    expect(read({ ...PLAN, queues: { drop: 0.1 } }, "staging")).toMatchObject({
      seed: 1,
      queues: { drop: 0.1, duplicate: 0 },
      database: { fail: 0, outages: [] },
      clock: { skew_ms: 0 },
    });
  });

  it("is refused in production, whatever it says", () => {
    const refusal =
      /BATUTA_FAULTS: is refused unless BATUTA_ENVIRONMENT is one of development, staging, test/;

    expect(() => read(PLAN, "production")).toThrow(refusal);
    expect(() => read({ seed: "x" }, "production")).toThrow(refusal);
    // An environment that does not say what it is may be a real one.
    for (const name of ["", "prod", "Production"]) expect(() => read(PLAN, name)).toThrow(refusal);
  });

  it("is refused with every field that is wrong or unknown", () => {
    const until = "2026-11-27T12:00:00Z";

    expect(() => read({ seed: 1, until, queue: {} })).toThrow(/BATUTA_FAULTS: .*"queue"/);
    expect(() => read({ seed: 1, until, queues: { drop: 2 } })).toThrow(/queues\.drop/);
    expect(() => read({ seed: 1, until, objects: { fail: 0.6, abort: 0.6 } })).toThrow(
      /objects: the shares of one group must not add up to more than 1/,
    );
    expect(() => read({ seed: 1, from: until, until })).toThrow(/until: must be later than from/);
    expect(() => readFaults({ BATUTA_FAULTS: "{" })).toThrow(/must be JSON such as/);
  });

  it("cannot be without an end", () => {
    expect(() => read({ seed: 1 })).toThrow(/until/);
  });

  it("is empty in wrangler.toml, whose production environment calls itself so", () => {
    const { vars, env } = wrangler();

    expect(vars).toMatchObject({ BATUTA_FAULTS: "", BATUTA_ENVIRONMENT: "development" });
    expect(env.production.vars).toMatchObject({ BATUTA_ENVIRONMENT: "production" });
    expect(env.production.vars).not.toHaveProperty("BATUTA_FAULTS");
  });
});
