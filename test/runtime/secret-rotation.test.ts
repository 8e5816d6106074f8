import { Webhook as StandardWebhook } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix";
import { describe, expect, it } from "vitest";

import type { ReceivedRequest } from "../received.ts";
import { bodyText, newReceiver, type Receiver } from "./receiver.ts";
import { announce, arrivals, newTenant, register, webhooks } from "./webhook-world.ts";

/** Whether both independent verifiers take a request with this secret. They must agree. */
function verifies(request: ReceivedRequest, secret: string): boolean {
  const outcomes = [StandardWebhook, SvixWebhook].map((Verifier) => {
    try {
      new Verifier(secret).verify(bodyText(request), request.headers);
      return true;
    } catch {
      return false;
    }
  });
  expect(outcomes[0]).toBe(outcomes[1]);
  return outcomes[0] === true;
}

const signaturesOf = (request: ReceivedRequest): number =>
  request.headers["webhook-signature"]?.split(" ").length ?? 0;

/** Rounds of a load that nobody stops, so that a test that fails ends. */
const MOST_ROUNDS = 200;

/** Four tasks report, about a hundred times a second, until they are told to stop; gives how many reports there were. */
function startLoad(by: ReturnType<typeof newTenant>): { stop: () => Promise<number> } {
  let isOver = false;
  const run = async (): Promise<number> => {
    let rounds = 0;
    while (!isOver && rounds < MOST_ROUNDS) {
      rounds += 1;
      await Promise.all(["a", "b", "c", "d"].map((task) => announce(by, task, rounds)));
      await scheduler.wait(40);
    }
    return rounds * 4;
  };
  const running = run();
  return {
    stop: () => {
      isOver = true;
      return running;
    },
  };
}

/** As many requests more arrive: more than the six that may be under way already. */
async function moreArrive(receiver: Receiver): Promise<void> {
  await arrivals(receiver, (await receiver.log()).length + 10);
}

describe("a secret that is rotated under load", () => {
  it("leaves no request that the secrets of its time don't verify, and three signatures at most", async () => {
    const [by, receiver] = [newTenant(), newReceiver()];
    const { webhook_id, secret = "" } = await register(by, receiver);
    // When the rotation that minted it began: no request before that can carry its signature.
    const minted = [{ secret, from: 0 }];

    const load = startLoad(by);
    for (let rotation = 0; rotation < 3; rotation += 1) {
      await moreArrive(receiver);
      const from = Date.now();
      const rotated = await webhooks.rotateSecret(by, webhook_id, 3_600);
      if (!rotated.ok) throw new Error(rotated.refusal.detail);
      minted.push({ secret: rotated.value.secret ?? "", from });
    }
    await moreArrive(receiver);
    const count = await load.stop();
    await arrivals(receiver, count);

    const log = await receiver.log();
    const signers = log.map((request) =>
      minted
        .filter((known) => verifies(request, known.secret))
        .map((known) => minted.indexOf(known)),
    );
    expect(log).toHaveLength(count);
    log.forEach((request, place) => {
      const newest = signers[place]?.at(-1) ?? -1;
      // The newest of its time and the two before it, with a signature each, and nobody else.
      const live = [newest - 2, newest - 1, newest].filter((index) => index >= 0);
      expect(live.length).toBeGreaterThan(0);
      expect(signers[place]).toEqual(live);
      expect(signaturesOf(request)).toBe(live.length);
      expect(minted[newest]?.from).toBeLessThanOrEqual(request.at_ms);
    });
    // The load met each of the four, and the first is no more when the fourth has come.
    expect(new Set(signers.map((indices) => indices.at(-1)))).toEqual(new Set([0, 1, 2, 3]));
    expect(signers.at(-1)).toEqual([1, 2, 3]);
  });

  it("signs with the new one alone when there is no overlap", async () => {
    const [by, receiver] = [newTenant(), newReceiver()];
    const { webhook_id, secret = "" } = await register(by, receiver);
    await announce(by, "t", 1);
    await arrivals(receiver, 1);

    const rotated = await webhooks.rotateSecret(by, webhook_id, 0);
    await announce(by, "t", 2);
    await arrivals(receiver, 2);

    const [before, after] = await receiver.log();
    if (before === undefined || after === undefined) throw new Error("two had to arrive");
    expect(verifies(before, secret)).toBe(true);
    expect(verifies(after, secret)).toBe(false);
    expect(verifies(after, rotated.ok ? (rotated.value.secret ?? "") : "")).toBe(true);
    expect(signaturesOf(after)).toBe(1);
  });

  it("stops signing with the old one when its overlap is over", async () => {
    const [by, receiver] = [newTenant(), newReceiver()];
    const { webhook_id, secret = "" } = await register(by, receiver);

    const rotated = await webhooks.rotateSecret(by, webhook_id, 1);
    await announce(by, "t", 1);
    await arrivals(receiver, 1);
    // The secret's own end, of which the test knows no more than its second.
    await scheduler.wait(1_100);
    await announce(by, "t", 2);
    await arrivals(receiver, 2);

    const [during, after] = await receiver.log();
    if (during === undefined || after === undefined) throw new Error("two had to arrive");
    expect(signaturesOf(during)).toBe(2);
    expect(verifies(after, secret)).toBe(false);
    expect(verifies(after, rotated.ok ? (rotated.value.secret ?? "") : "")).toBe(true);
  });
});
