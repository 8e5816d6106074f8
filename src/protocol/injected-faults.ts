import * as z from "zod";

import { instantSchema } from "./primitives.ts";

/* What BATUTA_FAULTS may say: the faults that an installation gives itself, to see whether it bears them. */

const chance = z
  .number()
  .min(0)
  .max(1)
  .default(0)
  .meta({ description: "Share of the calls that it happens to, from 0 to 1." });

const slowMs = z
  .int()
  .min(1)
  .max(60_000)
  .default(500)
  .meta({ description: "Longest pause before a slow call, milliseconds." });

/** At most one fault comes to a call, so the shares of a group are shares of one whole. */
const isWhole = (chances: Readonly<Record<string, unknown>>): boolean =>
  Object.entries(chances).reduce(
    (sum, [name, share]) => sum + (name.endsWith("_ms") || typeof share !== "number" ? 0 : share),
    0,
  ) <= 1.000_001;
const TOO_MUCH = { error: "the shares of one group must not add up to more than 1" };

const windowSchema = z
  .strictObject({ from: instantSchema, until: instantSchema })
  .refine(({ from, until }) => Date.parse(from) < Date.parse(until), {
    path: ["until"],
    error: "must be later than from",
  });

/** What can happen to a call of the database or of an object. */
const callFields = {
  fail: chance.meta({ description: "It fails, and nothing was done." }),
  lose_answer: chance.meta({ description: "It is done, and its caller gets an error." }),
  slow: chance,
  slow_ms: slowMs,
};

const queuesSchema = z
  .strictObject({
    fail: chance.meta({ description: "Sending fails." }),
    drop: chance.meta({ description: "Sending succeeds, and nothing ever comes." }),
    duplicate: chance.meta({ description: "The message comes twice." }),
    delay: chance.meta({ description: "The message comes late, behind later ones." }),
  })
  .refine(isWhole, TOO_MUCH);

const databaseSchema = z
  .strictObject({
    ...callFields,
    outages: z
      .array(windowSchema)
      .max(100)
      .default([])
      .meta({ description: "When every call of the database fails." }),
  })
  .refine(isWhole, TOO_MUCH);

const objectsSchema = z
  .strictObject({
    ...callFields,
    abort: chance.meta({
      description: "The object is torn down before, during or after the call, with its memory.",
    }),
  })
  .refine(isWhole, TOO_MUCH);

/**
 * The faults that an installation injects into itself, and for how long.
 *
 * They end at `until` whatever else happens: nobody has to remember to switch them off. The same seed and the same
 * calls in the same order meet the same faults.
 */
export const injectedFaultsSchema = z
  .strictObject({
    seed: z.int().min(0).max(4_294_967_295),
    from: instantSchema.optional().meta({ description: "Default: at once." }),
    until: instantSchema.meta({ description: "When they end by themselves." }),
    queues: queuesSchema.prefault({}),
    database: databaseSchema.prefault({}),
    objects: objectsSchema.prefault({}),
    outbound: z
      .strictObject(callFields)
      .refine(isWhole, TOO_MUCH)
      .prefault({})
      .meta({ description: "Requests to receivers, executors and models." }),
    clock: z
      .strictObject({
        skew_ms: z
          .int()
          .min(-600_000)
          .max(600_000)
          .default(0)
          .meta({ description: "How far the clock is wrong, milliseconds; negative: behind." }),
      })
      .prefault({}),
  })
  .refine(({ from, until }) => from === undefined || Date.parse(from) < Date.parse(until), {
    path: ["until"],
    error: "must be later than from",
  });
export type InjectedFaults = z.infer<typeof injectedFaultsSchema>;
