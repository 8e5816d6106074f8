import { placesOf } from "../protocol/declared-names.ts";
import { overviewSchema, type Overview } from "../protocol/overview.ts";
import type { Outflow } from "./withheld.ts";

/** So often somebody looks whether something has changed. */
const LOOK_MS = 2_000;

/** A comment so often keeps proxies from closing a quiet stream; the key is looked at as often. */
const KEEP_ALIVE_MS = 15_000;

/**
 * A stream ends after so long; whoever wants to go on connects again. It is one invocation, which may ask D1 1,000 times
 * (facts/platform.md §4): each look asks twice, every ten seconds ten times more (executors are up to five pages),
 * objectives up to 60 times a minute, and the key four times: 920.
 */
const MAX_AGE_MS = 300_000;

/** A client that lets so many bytes pile up is cut off. */
const MAX_UNREAD_BYTES = 1_048_576;

/** What a stream of overviews is made from. */
export interface OverviewStreamParts {
  /** Never fails. */
  look: () => Promise<Overview>;
  /** Nobody looks any more. */
  leave: () => void;
  /** Whether who reads it still may. Never fails. */
  isStillGood: () => Promise<boolean>;
  tellWithheld: Outflow["tellWithheld"];
}

/** The overview as JSON, and what of it must differ to be news: not its instant. */
function textOf(overview: Overview): { text: string; news: string } {
  const { at: _, ...content } = overview;
  return { text: JSON.stringify(overview), news: JSON.stringify(content) };
}

/**
 * A server-sent event stream of overviews: one at once, and another whenever something has changed. `id` is the instant
 * in epoch milliseconds.
 *
 * It ends after five minutes, when the key is no longer good, or when the client reads too slowly. An overview that breaks
 * its schema does not pass, and the next one may.
 */
export function overviewStream(parts: OverviewStreamParts): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const timers: ReturnType<typeof setInterval>[] = [];
  let isOpen = true;
  let isLooking = false;
  let last = "";

  const stop = (): void => {
    isOpen = false;
    parts.leave();
    for (const timer of timers) clearInterval(timer);
  };

  const start = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
    const end = (): void => {
      if (!isOpen) return;
      stop();
      controller.close();
    };
    const send = (text: string): void => {
      if (!isOpen) return;
      controller.enqueue(encoder.encode(text));
      if ((controller.desiredSize ?? 0) < 0) end();
    };
    const look = async (): Promise<void> => {
      // A look may take longer than the pause between two.
      if (isLooking) return;
      isLooking = true;
      const overview = await parts.look();
      isLooking = false;
      const parsed = overviewSchema.safeParse(overview);
      if (!parsed.success) {
        await parts.tellWithheld(placesOf(overviewSchema, parsed.error));
        return;
      }
      const { text, news } = textOf(overview);
      if (news === last) return;
      last = news;
      send(`id: ${Date.parse(overview.at)}\nevent: overview\ndata: ${text}\n\n`);
    };
    const keep = async (): Promise<void> => {
      if (await parts.isStillGood()) send(": keep-alive\n\n");
      else end();
    };
    send(": open\n\n");
    void look();
    timers.push(setInterval(() => void look(), LOOK_MS));
    timers.push(setInterval(() => void keep(), KEEP_ALIVE_MS));
    timers.push(setInterval(end, MAX_AGE_MS));
  };

  return new ReadableStream(
    { start, cancel: stop },
    new ByteLengthQueuingStrategy({ highWaterMark: MAX_UNREAD_BYTES }),
  );
}
