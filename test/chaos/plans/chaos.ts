/**
 * `npm run chaos -- --plans 100 [--seed 1] [--at-once 3] [--alone] [--json FILE]`: seeded fault plans against the built
 * bundle.
 *
 * Prints a line for each plan, then the recovery by kind of fault. `--alone` gives each kind of fault a plan of its own,
 * and one without any. `--seed 7 --plans 1` repeats one plan. Exits with 1 when a law was broken, naming the seeds.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";

import { Workshop } from "./host.ts";
import { planOf, SERVER_KINDS } from "./plan.ts";
import type { FaultPlan } from "./plan.ts";
import { figuresOf, runPlans, tableOf } from "./run.ts";
import type { Outcome } from "./run.ts";

const { values } = parseArgs({
  options: {
    plans: { type: "string", default: "10" },
    seed: { type: "string", default: "1" },
    "at-once": { type: "string", default: "3" },
    alone: { type: "boolean", default: false },
    json: { type: "string" },
    output: { type: "boolean", default: false },
    print: { type: "boolean", default: false },
  },
});

function whole(name: "plans" | "seed" | "at-once"): number {
  const number = Number(values[name]);
  if (Number.isInteger(number) && number >= 1) return number;
  console.error(`--${name} must be a whole number from 1, not "${values[name]}".`);
  process.exit(2);
}

function plans(): FaultPlan[] {
  const seed = whole("seed");
  if (values.alone) return [planOf(seed, null), ...SERVER_KINDS.map((kind) => planOf(seed, kind))];
  return Array.from({ length: whole("plans") }, (_, index) => planOf(seed + index));
}

function tell({ plan, recovery_ms, tasks, requests, loss, broken, output }: Outcome): void {
  const recovery = recovery_ms === null ? "never" : `${(recovery_ms / 1_000).toFixed(1)} s`;
  const what = plan.kinds.length === 0 ? "no faults" : plan.kinds.join(" ");
  const how = broken.length === 0 ? "kept" : `BROKEN (${broken.length})`;
  console.log(
    `seed ${plan.seed}: ${how}, ${tasks} tasks, ${requests} receipts, loss ${loss}, well after ${recovery}: ${what}`,
  );
  for (const sentence of broken.slice(0, 20)) console.log(`  ${sentence}`);
  if (values.output && broken.length > 0) console.log(output);
}

const planned = plans();
if (values.print) {
  console.log(JSON.stringify(planned, null, 2));
  process.exit(0);
}
const workshop = new Workshop();
process.once("SIGINT", () => process.exit(130));
try {
  const began = Date.now();
  const outcomes = await runPlans(workshop, planned, whole("at-once"), tell);
  const figures = figuresOf(outcomes, SERVER_KINDS);
  console.log(`\n${tableOf(figures)}`);
  const failed = outcomes.filter(({ broken }) => broken.length > 0);
  const summary = {
    plans: outcomes.length,
    failed_seeds: failed.map(({ plan }) => plan.seed),
    loss: outcomes.reduce((sum, { loss }) => sum + loss, 0),
    duration_s: Math.round((Date.now() - began) / 1_000),
    faults: figures,
  };
  console.log(JSON.stringify(summary));
  if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(summary, null, 2));
  if (failed.length > 0) process.exitCode = 1;
} finally {
  workshop.close();
}
