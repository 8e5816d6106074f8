import { sweepDebts } from "./services-debts.ts";
import { doorsOf, now } from "./services-doors.ts";
import { sweepTasks } from "./services-observe.ts";
import { sweepEndpoints } from "./services-webhooks.ts";

/* What wakes those that sleep too long, and when. */

/** Without a cron, requests start a sweep at most this often. Milliseconds. */
const SWEEP_EVERY_MS = 60_000;

/**
 * Wakes endpoints and tasks whose own alarm should have woken them, and repairs what ended ones left undone.
 *
 * @throws when one of them failed, after the others have done their work
 */
export async function sweepAll(env: Env): Promise<void> {
  const sweeps = [sweepEndpoints(env), sweepTasks(env), sweepDebts(env)];
  // The platform ends an invocation that fails, whatever is still going on in it.
  await Promise.allSettled(sweeps);
  await Promise.all(sweeps);
}

const sweptAt = new WeakMap<Env, number>();

/**
 * On a developer's machine a request starts the sweep, because `wrangler dev` fires no cron, and forgets the
 * alarms that came due while it was down (workers-sdk#7781). Nothing elsewhere.
 */
export async function sweepWithoutCron(env: Env): Promise<void> {
  if (!doorsOf(env).config.allowLocalEndpoints) return;
  const at = now();
  if (at - (sweptAt.get(env) ?? 0) < SWEEP_EVERY_MS) return;
  sweptAt.set(env, at);
  await sweepAll(env);
}
