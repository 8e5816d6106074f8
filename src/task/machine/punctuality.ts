import { instant } from "../../lib/ports.ts";
import type { Refusal } from "../../protocol/refusal.ts";

/** How far an executor's clock may be ahead (protocol.md §7, Notifications). */
const CLOCK_TOLERANCE_MS = 300_000;

/** Why a message can't have been written when it says; null when it can. `now` is epoch milliseconds. */
export function futureFault({ timestamp }: { timestamp: string }, now: number): Refusal | null {
  const latest = now + CLOCK_TOLERANCE_MS;
  if (Date.parse(timestamp) <= latest) return null;
  const rule = `more than ${CLOCK_TOLERANCE_MS / 1_000} s ahead`;
  return {
    code: "timestamp_in_future",
    detail: `timestamp is ${rule}; check the executor's clock`,
    errors: [
      {
        pointer: "/timestamp",
        code: "in_future",
        detail: `must not be ${rule}`,
        expected: `${instant(latest)} or earlier`,
        received: timestamp,
      },
    ],
  };
}
