/* How far the levers have to be moved, and what that costs. Pure. */
import { monthBill, usageOf } from "../bill.ts";
import { OWN, PLATFORM } from "./bounds.ts";
import { bytesOfHistory, partsAt, type Measured, type Part, type Situation } from "./parts.ts";

/** A part is full enough at this share: beyond it waiting grows fast. */
export const FULL = 0.7;

/** Endpoint shards that there are. */
const SHARDS = [1, 2, 4, 8, OWN.shardsOfEndpoint] as const;

/** Installations that are tried before it is given up. */
const MOST_INSTALLATIONS = 2_000;

/** How many of something are needed, if there are `has`, for the parts that it helps. */
function need(parts: readonly Part[], lever: Part["lever"], has: number): number {
  const uses = parts.filter((one) => one.lever === lever).map(({ use }) => use);
  return Math.max(1, Math.ceil((has * Math.max(0, ...uses)) / FULL));
}

/** Share of a database that may be of removed tasks, where there is not room for all that is wanted. */
const ROOM_OF_REMOVED = 0.2;

/**
 * Days that the largest tenant has room for in one database, of removed tasks and then of history; as many as are wanted, if
 * that is possible.
 */
function daysWithRoom(
  measured: Measured,
  at: Situation,
): Pick<Situation, "retentionDays" | "removedDays"> {
  const hot = at.tasksPerDay * at.largest;
  const room = FULL * PLATFORM.bytesOfDatabase;
  if (bytesOfHistory(hot, measured, at) <= room) return at;
  const ofRemoved = Math.floor((ROOM_OF_REMOVED * room) / (hot * measured.bytesPerRemoved));
  const told = Math.max(OWN.leastRemovedDays, ofRemoved - OWN.marginOfRemovedDays);
  const removedDays = Math.min(at.removedDays, told);
  const rest = room - bytesOfHistory(hot, measured, { retentionDays: 0, removedDays });
  const days = Math.floor(rest / (hot * measured.bytesPerTask));
  return { removedDays, retentionDays: Math.max(1, Math.min(at.retentionDays, days)) };
}

/** Into how many tenants the largest has to be split, with as many endpoint shards as there may be. */
function splitsOf(measured: Measured, at: Situation): number {
  const parts = partsAt(measured, { ...at, splits: 1, endpointShards: OWN.shardsOfEndpoint });
  return Math.max(need(parts, "splits", 1), need(parts, "endpointShards", 1));
}

/**
 * The situation with each lever moved as far as it has to be for every part to stay below `FULL`: first history is kept for
 * less long (older tasks are in the archive, and remembered for less long), then the largest tenant is split, then there are more databases, and more
 * installations where housekeeping could not follow. The rest follows from that.
 *
 * @throws RangeError where no number of installations is enough
 */
export function relieved(measured: Measured, wanted: Situation): Situation {
  const { retentionDays, removedDays } = daysWithRoom(measured, wanted);
  const shorter = { ...wanted, retentionDays, removedDays };
  const split = { ...shorter, splits: splitsOf(measured, shorter) };
  for (let installations = 1; installations <= MOST_INSTALLATIONS; installations += 1) {
    const one = { ...split, installations, databases: 1 };
    const databases = need(partsAt(measured, one), "databases", 1);
    const parts = partsAt(measured, { ...one, databases });
    if (need(parts, "installations", 1) > 1) continue;
    const shards = need(parts, "endpointShards", one.endpointShards);
    return {
      ...one,
      databases,
      pools: need(parts, "pools", one.pools),
      endpointShards: SHARDS.find((count) => count >= shards) ?? OWN.shardsOfEndpoint,
      queues: need(parts, "queues", one.queues),
    };
  }
  throw new RangeError("no number of installations is enough");
}

/** At how many times the tasks of a situation a part is full; null of what does not grow with them. */
export function breaksAt(measured: Measured, at: Situation, name: string): number | null {
  const useAt = (times: number) =>
    partsAt(measured, {
      ...at,
      tasksPerDay: at.tasksPerDay * times,
      tenants: at.tenants * times,
    }).find((one) => one.name === name)?.use ?? 0;
  const [one, ten] = [useAt(1), useAt(10)];
  return ten > one * 1.01 ? 1 / one : null;
}

/** Dollars of a month: what tasks use, and what their history takes of D1. */
export function dollarsOfMonth(
  measured: Measured,
  at: Situation,
  { cpuMs, objectDays }: { cpuMs: number; objectDays: number },
): number {
  const lines = monthBill(usageOf(measured.steps, cpuMs), at.tasksPerDay, objectDays);
  const gigabytes = bytesOfHistory(at.tasksPerDay, measured, at) / 1e9;
  const stored = Math.max(0, gigabytes - PLATFORM.databaseGigabytesIncluded);
  const tasks = lines.reduce((sum, { dollars }) => sum + dollars, 0);
  return tasks + stored * PLATFORM.databaseGigabyteMonth;
}
