import { instant } from "./lib/ports.ts";
import { agentsOf } from "./observe/census.ts";
import { readRuns, writeRuns } from "./observe/repairs/run-report-store.ts";
import { runsAfter, shownRuns } from "./observe/repairs/runs.ts";
import { RepairTally, type NoteRepair } from "./observe/repairs/tally.ts";
import { allAgents, type StateParts } from "./observe/state.ts";
import type { Repairs, SweepRun } from "./protocol/repairs.ts";
import { doorsOf, now } from "./services-doors.ts";

/* What becomes of what runs of repair did. */

/** Carries out what repairs something, and notes what it did; `work` gives the names of what broke. */
export async function noted(
  env: Env,
  cause: SweepRun["cause"],
  work: (note: NoteRepair) => Promise<string[]>,
): Promise<void> {
  const tally = new RepairTally();
  const began = now();
  const broken = await work(tally.note);
  const { tenants } = tally;
  const run = { at: instant(began), duration_ms: now() - began, cause, broken, tenants };
  const runs = runsAfter(await readRuns(env.DB), run);
  if (runs !== null) await writeRuns(env.DB, runs);
}

/** What a tenant is told of repairs. Throws while D1 is down. */
export async function repairsOf(
  env: Env,
  parts: Pick<StateParts, "agents">,
  tenant: string,
): Promise<Repairs> {
  const [runs, found] = await Promise.all([
    doorsOf(env).guard.get(() => readRuns(env.DB)),
    allAgents(parts, tenant),
  ]);
  const agents = agentsOf(found.agents, found.isComplete);
  return { ...shownRuns(runs, tenant, now()), agents };
}
