import type { Workshop } from "./host.ts";
import { brokenLaws, lossOf, notificationCount } from "./laws.ts";
import type { FaultKind, FaultPlan } from "./plan.ts";
import { PlannedWorld } from "./world.ts";

/** What came of one plan. */
export interface Outcome {
  plan: FaultPlan;
  /** From the end of the last fault until all had settled; null when it never did. Milliseconds. */
  recovery_ms: number | null;
  tasks: number;
  notifications: number;
  requests: number;
  /** Things that were accepted and are not there. */
  loss: number;
  broken: string[];
  /** What the server said, warnings and errors. */
  output: string;
}

/** Lives one plan through, and judges what is left. */
async function runPlan(workshop: Workshop, plan: FaultPlan): Promise<Outcome> {
  const world = await PlannedWorld.create(workshop, plan);
  try {
    const seen = await world.run();
    return {
      plan,
      recovery_ms: seen.recovery_ms,
      tasks: seen.tenants.reduce((sum, { tasks }) => sum + tasks.length, 0),
      notifications: notificationCount(seen),
      requests: seen.receipts.length,
      loss: lossOf(seen),
      broken: brokenLaws(seen),
      output: seen.output,
    };
  } catch (error) {
    const broken = [`the run came to no end: ${String(error)}`];
    return {
      plan,
      recovery_ms: null,
      tasks: 0,
      notifications: 0,
      requests: 0,
      loss: 0,
      broken,
      output: world.output,
    };
  } finally {
    await world.stop();
  }
}

/** Runs plans, some at one time; each outcome is told as it comes. */
export async function runPlans(
  workshop: Workshop,
  plans: readonly FaultPlan[],
  atOnce: number,
  tell: (outcome: Outcome) => void,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const left = [...plans];
  const lane = async (): Promise<void> => {
    for (let plan = left.shift(); plan !== undefined; plan = left.shift()) {
      const outcome = await runPlan(workshop, plan);
      outcomes.push(outcome);
      tell(outcome);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return outcomes;
}

/** Recovery by kind of fault: of plans that hold it, and of those that hold nothing else. Milliseconds. */
export interface KindFigures {
  kind: FaultKind | "none";
  plans: number;
  loss: number;
  median_ms: number | null;
  longest_ms: number | null;
  alone_ms: number | null;
}

const sorted = (numbers: readonly number[]): number[] =>
  numbers.toSorted((one, other) => one - other);

/** Figures of every kind of fault that was met. */
export function figuresOf(
  outcomes: readonly Outcome[],
  kinds: readonly FaultKind[],
): KindFigures[] {
  return ([...kinds, "none"] as const).flatMap((kind) => {
    const has = ({ plan }: Outcome): boolean =>
      kind === "none" ? plan.kinds.length === 0 : plan.kinds.includes(kind);
    const own = outcomes.filter(has);
    if (own.length === 0) return [];
    const times = sorted(own.flatMap(({ recovery_ms }) => recovery_ms ?? []));
    const alone = own.filter(({ plan }) => plan.kinds.length <= 1);
    const aloneTimes = sorted(alone.flatMap(({ recovery_ms }) => recovery_ms ?? []));
    return [
      {
        kind,
        plans: own.length,
        loss: own.reduce((sum, { loss }) => sum + loss, 0),
        median_ms: times[Math.floor(times.length / 2)] ?? null,
        longest_ms: times.at(-1) ?? null,
        alone_ms: aloneTimes.at(-1) ?? null,
      },
    ];
  });
}

const seconds = (ms: number | null): string => (ms === null ? "-" : (ms / 1_000).toFixed(1));

/** The figures as a table. */
export function tableOf(figures: readonly KindFigures[]): string {
  const rows = [
    ["fault", "plans", "loss", "median s", "longest s", "alone s"],
    ...figures.map((one) => [
      one.kind,
      String(one.plans),
      String(one.loss),
      seconds(one.median_ms),
      seconds(one.longest_ms),
      seconds(one.alone_ms),
    ]),
  ];
  return rows.map((row) => row.map((cell, at) => pad(cell, at)).join("  ")).join("\n");
}

const pad = (cell: string, at: number): string => (at === 0 ? cell.padEnd(16) : cell.padStart(9));
