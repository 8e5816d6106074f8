import { ok, refuse, type Result } from "../../lib/result.ts";
import type { SignedBy } from "../../protocol/access.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import type { Memo, SignedMessages } from "./state.ts";

/** For so long after it was signed a message passes the edge, twice over for clocks that differ. Seconds. */
const LIVES_S = 600;

/** Messages of one agent that are told apart; a row that each heartbeat writes again must stay small. */
const MOST_SEEN = 64;

const NONE: SignedMessages = { floor: 0, seen: [] };

/**
 * The memo that knows a signed message, which is about to have its effect: the same bytes never have it twice.
 *
 * Known is a message by its id and its time together, so that a sender who signs anew to try again is heard. Refused:
 * `replayed`. Beyond `MOST_SEEN` messages the oldest are known by their time alone. Without a signature the memo stays
 * as it is: a key is no message that somebody else could send again.
 */
export function remembered(
  memo: Memo,
  signer: SignedBy | null | undefined,
  now: number,
): Result<Memo, Refusal> {
  if (signer == null) return ok(memo);
  const { agent_id, id, timestamp } = signer;
  const { floor, seen } = memo.signed?.[agent_id] ?? NONE;
  const isKnown = seen.some(([at, known]) => at === timestamp && known === id);
  if (isKnown || timestamp <= floor) {
    const detail =
      "this very message came before and had its effect then; to say something again, sign it again";
    return refuse({ code: "replayed", detail });
  }
  const oldest = Math.floor(now / 1_000) - LIVES_S;
  const alive = [...seen, [timestamp, id] satisfies [number, string]]
    .filter(([at]) => at > oldest)
    .toSorted(([one], [other]) => one - other);
  const dropped = alive.slice(0, -MOST_SEEN).at(-1)?.[0] ?? 0;
  const own = { floor: Math.max(floor, dropped), seen: alive.slice(-MOST_SEEN) };
  return ok({ ...memo, signed: { ...othersAlive(memo, oldest), [agent_id]: own } });
}

/** What is known of other agents' messages, as far as one of them could still pass. */
function othersAlive(memo: Memo, oldest: number): Record<string, SignedMessages> {
  const entries = Object.entries(memo.signed ?? {});
  return Object.fromEntries(
    entries.filter(([, { seen }]) => seen.some(([timestamp]) => timestamp > oldest)),
  );
}
