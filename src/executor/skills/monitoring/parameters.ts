import * as z from "zod";

import { expectationSchema } from "../http/expectations.ts";
import { headersSchema, timeoutSchema, urlSchema } from "../http/request.ts";

/** Targets of one task: what four connections at a time can probe within minutes. */
const MOST_TARGETS = 50;

/** Measurements of one task: what a body of 1 MiB can hold with instants. */
const MOST_MEASUREMENTS = 20_000;

/** Milliseconds that the pauses of a task may take in all: a queue's consumer has 15 minutes (facts/platform.md §4). */
const LONGEST_WAIT_MS = 480_000;

const nameSchema = z.string().min(1).max(100);
const shareSchema = z.number().min(0).max(1);

const target = {
  name: nameSchema.optional(),
  // A probe is repeated: what it asks must change nothing.
  method: z
    .string()
    .toUpperCase()
    .pipe(z.enum(["GET", "HEAD", "OPTIONS"]))
    .default("GET"),
  headers: headersSchema.default({}),
  expect: expectationSchema.default({}),
};
const targetSchema = z.strictObject({ url: urlSchema, ...target });
export type Target = z.infer<typeof targetSchema>;

const instantSchema = z.union([
  z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
  z.number().min(0).max(8.64e15),
]);
const measurementSchema = z.union([
  z.number().transform((value) => ({ at: null, value })),
  z.strictObject({ at: instantSchema, value: z.number() }),
]);
export type Measurement = z.infer<typeof measurementSchema>;

/** Bounds of single values, and of the 95th percentile and the mean of all. */
const boundsSchema = z.strictObject({
  min: z.number().optional(),
  max: z.number().optional(),
  p95: z.number().optional(),
  mean: z.number().optional(),
});
export type Bounds = z.infer<typeof boundsSchema>;

const thresholdsSchema = z.strictObject({
  availability: shareSchema.optional(),
  p95_ms: z.number().min(1).optional(),
  error_rate: shareSchema.optional(),
});
export type Thresholds = z.infer<typeof thresholdsSchema>;

const inputSchema = z
  .looseObject({
    targets: z.array(targetSchema).min(1).max(MOST_TARGETS).optional(),
    url: urlSchema.optional(),
    ...target,
    measurements: z.array(measurementSchema).min(1).max(MOST_MEASUREMENTS).optional(),
    thresholds: boundsSchema.default({}),
  })
  .superRefine(({ targets, url, measurements }, context) => {
    const given = [targets, url, measurements].filter((one) => one !== undefined);
    if (given.length === 1) return;
    const message = "must have one of targets, url and measurements";
    context.addIssue({ code: "custom", message });
  });

const configurationSchema = z.looseObject({
  samples: z.int().min(1).max(20).default(5),
  interval_ms: z.int().min(0).max(60_000).default(1_000),
  timeout_ms: timeoutSchema.default(10_000),
  concurrency: z.int().min(1).max(4).default(4),
  thresholds: thresholdsSchema.default({}),
});
export type Settings = z.infer<typeof configurationSchema>;

/** What a monitoring task may ask for. */
export const parametersSchema = z
  .object({ input_data: inputSchema, configuration: configurationSchema })
  .superRefine(({ input_data, configuration }, context) => {
    const { samples, interval_ms, concurrency } = configuration;
    const rounds = Math.ceil((input_data.targets?.length ?? 1) / concurrency);
    const wait_ms = rounds * (samples - 1) * interval_ms;
    if (wait_ms <= LONGEST_WAIT_MS) return;
    context.addIssue({
      code: "custom",
      path: ["configuration", "interval_ms"],
      message: `makes the pauses last ${wait_ms} ms in all, of at most ${LONGEST_WAIT_MS}: ask for fewer samples, shorter pauses or fewer targets`,
    });
  });

/** The targets of an input, the single one among them, each with a name of its own. */
export function targetsOf(input: z.infer<typeof inputSchema>): (Target & { name: string })[] {
  const { targets, url, name, method, headers, expect } = input;
  const listed = targets ?? (url === undefined ? [] : [{ url, name, method, headers, expect }]);
  return listed.map((one, at) => ({
    ...one,
    name: one.name ?? hostOf(one.url) ?? `target ${at + 1}`,
  }));
}

function hostOf(url: string): string | null {
  return URL.canParse(url) ? new URL(url).host.slice(0, 100) || null : null;
}
