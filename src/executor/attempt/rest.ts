import { ok } from "../../lib/result.ts";
import type { Result } from "../../lib/result.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import type { Attempt } from "./attempt.ts";

/**
 * Between two pieces of work: rests while the task is paused, showing signs of life, until it is resumed or the attempt
 * stops. Refused when the lease is gone.
 */
export async function restWhilePaused({
  session,
  ports,
}: Pick<Attempt, "session" | "ports">): Promise<Result<unknown, Refusal>> {
  if (!session.isPauseAsked) return ok(null);
  let seen = await session.rest();
  while (seen.ok && session.isResting && session.stop === null) {
    // oxlint-disable-next-line no-await-in-loop -- each look comes after a wait
    await ports.sleep(session.pauseMs, session.signal);
    // oxlint-disable-next-line no-await-in-loop -- as above
    seen = await session.look();
  }
  return seen;
}
