import type { Log } from "../../lib/log.ts";
import type { Clock } from "../../lib/ports.ts";

/** Tenants that one run begins with, and how many at once: an invocation has six connections (facts/platform.md §4). */
const MAX_TENANTS = 100;
const AT_ONCE = 4;

/** A tenant that takes longer does not keep the others waiting: its place is taken. Milliseconds. */
const PATIENCE_MS = 10_000;

/** A run begins with no further tenant after this: the next one comes every minute. Milliseconds. */
const RUN_MS = 45_000;

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
}

async function judgeOne(ports: JudgeSweepPorts, tenant: string, now: number): Promise<void> {
  const work = ports.judge(tenant, now).catch((error: unknown) => {
    // The others are judged all the same; it comes again in a minute.
    ports.log("error", "tenant_not_judged", { tenant, error: String(error) });
  });
  const late = ports.pause(PATIENCE_MS).then(() => "late" as const);
  if ((await Promise.race([work, late])) === "late") {
    ports.log("warning", "tenant_judged_slowly", { tenant });
  }
}

/**
 * Judges the rules of tenants: about a hundred a run, four at once; the next run goes on where this one stopped. The
 * cursor is written only where tenants are left.
 *
 * @throws when the tenants can't be read
 */
export async function judgeTenants(ports: JudgeSweepPorts): Promise<void> {
  const began = ports.now();
  const start = await ports.readStart();
  const found = await ports.tenants(start ?? "", MAX_TENANTS + 1);
  const waiting = found.slice(0, MAX_TENANTS);
  const work = async (): Promise<void> => {
    while (ports.now() - began < RUN_MS) {
      const tenant = waiting.shift();
      if (tenant === undefined) return;
      // Each of the workers has one tenant at a time.
      // oxlint-disable-next-line no-await-in-loop
      await judgeOne(ports, tenant, ports.now());
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const rest = waiting[0] ?? found[MAX_TENANTS] ?? null;
  if (start !== rest) await ports.writeStart(rest);
}
