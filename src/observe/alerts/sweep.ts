import type { Log } from "../../lib/log.ts";
import type { Clock } from "../../lib/ports.ts";

/** Tenants that one run begins with, and how many at once: an invocation has six connections (facts/platform.md §4). */
const MAX_TENANTS = 100;
const AT_ONCE = 4;

/**
 * A run begins with no further tenant after so many statements: an invocation may send D1 1,000 (facts/platform.md §4),
 * and four tenants may still be on their way, each with alerts to tell.
 */
const MAX_STATEMENTS = 700;

/** A tenant that takes longer does not keep the others waiting: its place is taken. Milliseconds. */
const PATIENCE_MS = 10_000;

/**
 * A run begins with no further tenant after this: the next one comes every minute. Tenants that are late have a little
 * longer: what still goes on when a run ends, the platform ends with it. Milliseconds.
 */
const RUN_MS = 45_000;
const END_MS = 55_000;

/** What a run over tenants needs from outside. */
export interface JudgeSweepPorts {
  now: Clock;
  log: Log;
  pause: (ms: number) => Promise<void>;
  readStart: () => Promise<string | null>;
  /** Null: the next run begins at the first tenant. */
  writeStart: (tenant: string | null) => Promise<void>;
  /** Tenants that have something to judge, from a name on, in order. */
  tenants: (from: string, limit: number) => Promise<string[]>;
  judge: (tenant: string, now: number) => Promise<void>;
  /** How many statements the run has sent to D1. */
  statements: () => number;
}

/** The tenants from a name on, and then from the first one up to it: each is there once. */
async function tenantsFrom(ports: JudgeSweepPorts, start: string, limit: number) {
  const found = await ports.tenants(start, limit);
  if (start === "" || found.length >= limit) return found;
  const before = await ports.tenants("", limit - found.length);
  return [...found, ...before.filter((name) => name < start)];
}

/** Judges a tenant; gives its work where that is late. */
async function judgeOne(
  ports: JudgeSweepPorts,
  tenant: string,
  now: number,
): Promise<{ work: Promise<void> } | null> {
  const work = ports.judge(tenant, now).catch((error: unknown) => {
    // The others are judged all the same; it comes again in a minute.
    ports.log("error", "tenant_not_judged", { tenant, error: String(error) });
  });
  const late = ports.pause(PATIENCE_MS).then(() => "late" as const);
  if ((await Promise.race([work, late])) !== "late") return null;
  ports.log("warning", "tenant_judged_slowly", { tenant });
  return { work };
}

/**
 * Judges the rules of tenants, four at once: as many as an invocation's statements and a minute are enough for, a hundred
 * at most. The next run goes on where this one stopped, round and round, so that none waits for longer than another. The
 * cursor is written only where tenants are left.
 *
 * @throws when the tenants can't be read
 */
export async function judgeTenants(ports: JudgeSweepPorts): Promise<void> {
  const began = ports.now();
  const start = await ports.readStart();
  const found = await tenantsFrom(ports, start ?? "", MAX_TENANTS + 1);
  const waiting = found.slice(0, MAX_TENANTS);
  const late: Promise<void>[] = [];
  const mayBegin = () =>
    ports.now() - began < RUN_MS && ports.statements() < MAX_STATEMENTS && waiting.length > 0;
  const work = async (): Promise<void> => {
    while (mayBegin()) {
      const tenant = waiting.shift() ?? "";
      // Each of the workers has one tenant at a time.
      // oxlint-disable-next-line no-await-in-loop
      const slow = await judgeOne(ports, tenant, ports.now());
      if (slow !== null) late.push(slow.work);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const rest = waiting[0] ?? found[MAX_TENANTS] ?? null;
  if (start !== rest) await ports.writeStart(rest);
  if (late.length === 0) return;
  await Promise.race([Promise.all(late), ports.pause(END_MS - (ports.now() - began))]);
}
