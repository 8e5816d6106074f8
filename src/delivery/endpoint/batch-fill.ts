import { BATCH_ENVELOPE_BYTES, type BatchRules } from "../batching.ts";
import type { LaneItem } from "./lane.ts";
import type { Lanes } from "./lanes.ts";

/** What a batch is made of. `now` is epoch milliseconds. */
interface Filling {
  /** The first member, which has left its lane already. */
  first: LaneItem;
  rules: BatchRules;
  now: number;
  /** Lanes whose highest priority is lower wait. */
  least: number;
  mayJoin: (item: LaneItem) => boolean;
}

/**
 * A batch from its first member: those behind it in its lane, then other lanes, in order and as far as the rules
 * allow. All have left their lanes, which are busy.
 */
export function fillBatch(
  lanes: Lanes,
  { first, rules, now, least, mayJoin }: Filling,
): LaneItem[] {
  const items = [first];
  let [bytes, last] = [BATCH_ENVELOPE_BYTES + first.bytes, first];
  // A comma stands before each further one.
  const fits = (item: LaneItem) =>
    items.length < rules.maxItems && bytes + item.bytes < rules.maxBytes && mayJoin(item);
  const join = (item: LaneItem) => {
    items.push(item);
    bytes += item.bytes + 1;
    last = item;
  };
  for (;;) {
    const behind = lanes.peekBehind(last, now);
    if (behind !== null && fits(behind)) {
      lanes.takeBehind(last);
      join(behind);
      continue;
    }
    if (behind !== null || items.length >= rules.maxItems) return items;
    const other = lanes.take(now, least);
    if (other === null) return items;
    if (other.isRetry || !fits(other)) {
      lanes.putBack(other);
      return items;
    }
    join(other);
  }
}
