import { TIMED_OUT, withinLimit } from "./within-limit.ts";

/** What a probe found: `slow` when there was no answer in time. */
export type Reach = "ok" | "slow" | "unreachable";

/** Whether something answers a probe within a time, milliseconds. Never fails. */
export async function reachable(limitMs: number, probe: () => Promise<unknown>): Promise<Reach> {
  try {
    return (await withinLimit(limitMs, probe)) === TIMED_OUT ? "slow" : "ok";
  } catch {
    // What exactly is wrong is in the log of whoever needed it; a probe tells the world no more.
    return "unreachable";
  }
}
