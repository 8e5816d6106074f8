import type { InjectedFaults } from "../../../src/protocol/injected-faults.ts";
import { between, newDraw } from "../draw.ts";

/* What goes wrong in one run. Pure: the same seed gives the same plan. */

/** What can go wrong, each on its own and with all others. */
export const FAULT_KINDS = [
  "kill",
  "receiver",
  "executor_death",
  "queue_drop",
  "queue_duplicate",
  "queue_delay",
  "object_abort",
  "object_calls",
  "database_calls",
  "database_outage",
  "outbound",
  "latency",
  "clock_skew",
  "clock_jump",
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** Those that a started server meets: its clock can be wrong, and only the simulation's can be moved by hours. */
export const SERVER_KINDS: readonly FaultKind[] = FAULT_KINDS.filter(
  (kind) => kind !== "clock_jump",
);

/** Faults of a receiver, as shares of the requests that come to it while faults last. */
export interface ReceiverShares {
  error: number;
  busy: number;
  hang: number;
  reset: number;
  slow: number;
  garbage: number;
}

/** A plan: everything that is drawn. Instants are milliseconds after the faults began. */
export interface FaultPlan {
  seed: number;
  kinds: FaultKind[];
  /** How long faults last. */
  faults_ms: number;
  /** When the server is killed with SIGKILL, and started again. */
  kills: number[];
  receiver: ReceiverShares;
  /** Share of the attempts whose executor stops in the middle, and comes back when its lease is long over. */
  executor_death: number;
  /** When the database is away, as [from, until]. */
  outages: [number, number][];
  /** What the server does to itself. */
  injected: Pick<InjectedFaults, "queues" | "objects" | "outbound" | "clock"> & {
    database: Omit<InjectedFaults["database"], "outages">;
  };
  /** Jumps of the clock, milliseconds: made by the simulation, where a clock can be moved by hours. */
  jumps: number[];
}

const SHORTEST_MS = 5_000;
const LONGEST_MS = 8_000;

/** A plan has at most so many kinds of faults. */
const MOST_KINDS = 6;

const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;

function kindsOf(draw: () => number, lead: FaultKind | null): FaultKind[] {
  const wanted = between(draw, 2, MOST_KINDS);
  const kinds = new Set<FaultKind>(lead === null ? [] : [lead]);
  for (let count = 0; kinds.size < wanted && count < 100; count += 1) {
    const kind = FAULT_KINDS[between(draw, 0, FAULT_KINDS.length - 1)];
    if (kind !== undefined) kinds.add(kind);
  }
  return FAULT_KINDS.filter((kind) => kinds.has(kind));
}

function jumpsOf(draw: () => number): number[] {
  return Array.from({ length: between(draw, 3, 8) }, () =>
    draw() < 0.4 ? -between(draw, 1, 5 * SECOND_MS) : between(draw, SECOND_MS, 3 * HOUR_MS),
  );
}

/** Draws every share whether it is used or not, so that a kind more or less changes nothing else of a plan. */
function shares(draw: () => number, has: (kind: FaultKind) => boolean) {
  const share = (kind: FaultKind, least: number, most: number): number => {
    const drawn = Math.round((least + (most - least) * draw()) * 1_000) / 1_000;
    return has(kind) ? drawn : 0;
  };
  const slow_ms = between(draw, 100, 800);
  const skew = between(draw, 500, 5_000) * (draw() < 0.5 ? -1 : 1);
  return {
    receiver: {
      error: share("receiver", 0.02, 0.12),
      busy: share("receiver", 0.02, 0.08),
      hang: share("receiver", 0.01, 0.05),
      reset: share("receiver", 0.02, 0.08),
      slow: share("receiver", 0.02, 0.1) + share("latency", 0.05, 0.2),
      garbage: share("receiver", 0.01, 0.05),
    },
    executor_death: share("executor_death", 0.1, 0.3),
    injected: {
      queues: {
        fail: share("queue_drop", 0, 0.1),
        drop: share("queue_drop", 0.1, 0.35),
        duplicate: share("queue_duplicate", 0.1, 0.35),
        delay: share("queue_delay", 0.1, 0.2),
      },
      objects: {
        fail: share("object_calls", 0.02, 0.1),
        lose_answer: share("object_calls", 0.02, 0.1),
        slow: share("latency", 0.05, 0.15),
        slow_ms,
        abort: share("object_abort", 0.01, 0.06),
      },
      database: {
        fail: share("database_calls", 0.02, 0.15),
        lose_answer: share("database_calls", 0.02, 0.1),
        slow: share("latency", 0.05, 0.2),
        slow_ms,
      },
      outbound: {
        fail: share("outbound", 0.02, 0.15),
        lose_answer: share("outbound", 0.02, 0.15),
        slow: share("latency", 0.05, 0.2),
        slow_ms,
      },
      clock: { skew_ms: has("clock_skew") ? skew : 0 },
    },
  };
}

/**
 * The plan of a seed.
 *
 * @param only the one kind of fault that is to happen; several are drawn where it is left out, and none where it is null
 */
export function planOf(seed: number, only?: FaultKind | null): FaultPlan {
  const draw = newDraw(seed);
  // Every kind leads a plan in turn, whatever else is drawn for it.
  const drawn = kindsOf(draw, FAULT_KINDS[seed % FAULT_KINDS.length] ?? null);
  const kinds = only === undefined ? drawn : only === null ? [] : [only];
  const has = (kind: FaultKind): boolean => kinds.includes(kind);
  const faults_ms = between(draw, SHORTEST_MS, LONGEST_MS);
  const kills = Array.from({ length: between(draw, 1, 2) }, () =>
    between(draw, 500, faults_ms - 500),
  ).toSorted((one, other) => one - other);
  const began = between(draw, 0, faults_ms - 2_000);
  const outage: [number, number] = [began, began + between(draw, 1_000, 2_000)];
  const jumps = jumpsOf(draw);
  return {
    seed,
    kinds,
    faults_ms,
    kills: has("kill") ? kills : [],
    outages: has("database_outage") ? [outage] : [],
    jumps: has("clock_jump") ? jumps : [],
    ...shares(draw, has),
  };
}
