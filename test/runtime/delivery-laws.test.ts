import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { outcomeOf, plans, RETRY_WAIT_MS } from "./delivery-life.ts";
import type { Outcome } from "./delivery-life.ts";
import { placeOf } from "./endpoints.ts";
import { bodyText } from "./receiver.ts";

/* Laws of an endpoint that hold whatever fails, is evicted, is repeated or is replayed, and in whatever order. */

/** Lives per law: each takes about a tenth of a second. */
const RUNS = 12;

function holds(law: (outcome: Outcome) => void): Promise<void> {
  const property = fc.asyncProperty(plans, async (plan) => law(await outcomeOf(plan)));
  return fc.assert(property, { numRuns: RUNS, endOnFailure: true });
}

/** What was enqueued, lane by lane, in the order that the lane promises. */
function lanesOf({ ordering, enqueued }: Outcome): string[][] {
  switch (ordering) {
    case "endpoint":
      return [enqueued];
    case "task":
      return [...Map.groupBy(enqueued, (place) => place.split(":")[0]).values()];
    case "none":
      return enqueued.map((place) => [place]);
  }
}

describe("whatever happens between an endpoint and its receiver", { timeout: 60_000 }, () => {
  it("loses nothing: all that was enqueued is delivered in the end", async () => {
    await holds(({ enqueued, deliveries, log }) => {
      expect(new Set(log.map((request) => placeOf(request)))).toEqual(new Set(enqueued));
      for (const place of enqueued) expect(deliveries.get(place)?.state).toBe("delivered");
    });
  });

  it("sends a lane in order, nothing before the one ahead of it has been taken", async () => {
    await holds((outcome) => {
      const sent = outcome.log.map((request) => ({
        place: placeOf(request),
        attempt: Number(request.headers["x-attempt"]),
      }));
      for (const lane of lanesOf(outcome)) {
        for (const [index, place] of lane.slice(1).entries()) {
          const ahead = lane[index] ?? "";
          const taken = outcome.deliveries.get(ahead)?.attempts?.find(wasTaken)?.attempt;
          const first = sent.findIndex((one) => one.place === place);
          const before = sent.slice(0, first);
          expect(before).toContainEqual({ place: ahead, attempt: taken });
        }
      }
    });
  });

  it("keeps the id and the bytes of a delivery through every attempt and replay", async () => {
    await holds(({ enqueued, log }) => {
      const sent = new Set(
        log.map((request) => `${request.headers["webhook-id"]} ${bodyText(request)}`),
      );
      const ids = new Set(log.map((request) => request.headers["webhook-id"]));

      expect(sent.size).toBe(enqueued.length);
      expect(ids.size).toBe(enqueued.length);
    });
  });

  it("counts attempts from 1 without a gap, and stores each one that the receiver saw", async () => {
    await holds(({ enqueued, deliveries, log }) => {
      for (const place of enqueued) {
        const seen = log
          .filter((request) => placeOf(request) === place)
          .map((request) => Number(request.headers["x-attempt"]));
        const { attempts, attempts_made } = deliveries.get(place) ?? {};

        expect(seen).toEqual(seen.map((_, index) => index + 1));
        expect(attempts?.map(({ attempt }) => attempt)).toEqual(seen);
        expect(attempts_made).toBe(seen.length);
      }
    });
  });

  it("never sends before an attempt is due, nor a retry before its promised wait", async () => {
    await holds(({ deliveries }) => {
      for (const { attempts = [] } of deliveries.values()) {
        for (const { started_at, due_at } of attempts) {
          expect(Date.parse(started_at)).toBeGreaterThanOrEqual(Date.parse(due_at));
        }
        const own = attempts.filter(
          ({ trigger }) => trigger === "scheduled" || trigger === "retry",
        );
        for (const [index, { due_at }] of own.slice(1).entries()) {
          const before = own[index];
          const failedAt = Date.parse(before?.started_at ?? "") + (before?.duration_ms ?? 0);
          expect(Date.parse(due_at)).toBeGreaterThanOrEqual(failedAt + RETRY_WAIT_MS);
        }
      }
    });
  });

  it("names in each notification the one of its task before it", async () => {
    await holds(({ deliveries }) => {
      for (const { seq, prev_seq } of deliveries.values()) {
        expect(prev_seq).toBe(seq === 1 ? null : Number(seq) - 1);
      }
    });
  });
});

function wasTaken({ status_code }: { status_code: number | null }): boolean {
  return status_code !== null && status_code >= 200 && status_code < 300;
}
