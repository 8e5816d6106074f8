import type { Check } from "../check.ts";
import { judged } from "../check.ts";
import { headersOf, newSecret, receiptLine, signature } from "../letter.ts";
import type { Receipt } from "../letter.ts";
import { notTaken, wronglyTaken } from "./stage.ts";
import type { ReceiverStage } from "./stage.ts";

/* Letters that a receiver must take, and letters that it must not. */

const SIGNATURES = "protocol.md §5; Standard Webhooks 1.0, Verifying webhook authenticity";

const plain: Check<ReceiverStage> = {
  id: "signed",
  title: "Takes a signed notification and acts on it once",
  section: "protocol.md §5",
  rule: "A signed request is answered with 2xx. The signature covers the bytes as they are sent.",
  advice:
    "Verify the raw bytes of the body before any parsing, and answer 2xx. Is --receiver-secret the one that it verifies with?",
  async run(stage) {
    const first = stage.nextTask();
    const odd = stage.nextTask();
    const letter = stage.letter(odd);
    // The same JSON, as another writer may put it: what is parsed and written again gives other bytes.
    const body = letter.body.replace("{", '{ "note": "caf\\u00e9 — ☕",\n  ');
    const receipts = [
      await stage.send(stage.letter(first), "a plain notification"),
      await stage.send({ ...letter, body }, "JSON with spaces and escapes in it"),
    ];
    return judged(
      [
        ...notTaken(receipts),
        ...(await stage.effectFaults(first, 1, "a plain notification")),
        ...(await stage.effectFaults(odd, 1, "JSON with spaces and escapes in it")),
      ],
      receipts.map(receiptLine),
    );
  },
};

/** Sends what must not be taken; `forge` makes its headers. */
async function refused(
  stage: ReceiverStage,
  what: string,
  forge: (letter: { id: string; body: string }, now: number) => Record<string, string>,
): Promise<{ receipt: Receipt; faults: string[] }> {
  const task_id = stage.nextTask();
  const letter = stage.letter(task_id);
  const receipt = await stage.send(letter, what, forge(letter, Date.now()));
  const faults = [...wronglyTaken([receipt]), ...(await stage.effectFaults(task_id, 0, what))];
  return { receipt, faults };
}

const forged: Check<ReceiverStage> = {
  id: "wrong_signature",
  title: "Refuses what is not signed with its secret, and does not act on it",
  section: SIGNATURES,
  rule: "A request whose signature does not fit its id, timestamp and bytes was not sent by Batuta.",
  advice:
    "Answer 401 before anything of the body is believed. Compare in constant time; take a library.",
  async run(stage) {
    const cases = [
      await refused(stage, "signed with another secret", (letter, now) =>
        headersOf(letter, [signature(newSecret(), letter, now)], now),
      ),
      await refused(stage, "signed for another body", (letter, now) =>
        headersOf(letter, [signature(stage.secret, { ...letter, body: "{}" }, now)], now),
      ),
      await refused(stage, "signed for another webhook-id", (letter, now) =>
        headersOf(letter, [signature(stage.secret, { ...letter, id: "msg_other" }, now)], now),
      ),
      await refused(stage, "of a version that there is not", (letter, now) =>
        headersOf(letter, [signature(stage.secret, letter, now).replace("v1,", "v0,")], now),
      ),
      await refused(stage, "without a signature", () => ({ "content-type": "application/json" })),
    ];
    return judged(
      cases.flatMap(({ faults }) => faults),
      cases.map(({ receipt }) => receiptLine(receipt)),
    );
  },
};

/** Beyond what any verifier tolerates, and within it (five minutes), seconds. */
const TOO_FAR_S = 600;
const NEAR_S = 200;

const old: Check<ReceiverStage> = {
  id: "old_timestamp",
  title: "Refuses a signed request whose time is long past, or far ahead",
  section: SIGNATURES,
  rule: "The timestamp is signed, so that a recorded request cannot be sent again later: five minutes are tolerated.",
  advice:
    "Compare webhook-timestamp (unix seconds) with your clock, and refuse what is more than 300 s off.",
  async run(stage) {
    const cases = [];
    for (const offsetSeconds of [-TOO_FAR_S, TOO_FAR_S]) {
      cases.push(
        await refused(stage, `signed for ${offsetSeconds} s from now`, (letter, now) => {
          const moved = { ...letter, offsetSeconds };
          return headersOf(moved, [signature(stage.secret, moved, now)], now);
        }),
      );
    }
    return judged(
      cases.flatMap(({ faults }) => faults),
      cases.map(({ receipt }) => receiptLine(receipt)),
    );
  },
};

const skew: Check<ReceiverStage> = {
  id: "clock_skew",
  title: "Takes a request although the clocks are some minutes apart",
  section: SIGNATURES,
  rule: "Clocks differ: what is less than five minutes off is taken.",
  advice: "Tolerate 300 s in both directions, and let the machine set its clock by NTP.",
  async run(stage) {
    const receipts: Receipt[] = [];
    for (const offsetSeconds of [-NEAR_S, NEAR_S]) {
      const letter = { ...stage.letter(stage.nextTask()), offsetSeconds };
      receipts.push(await stage.send(letter, `signed for ${offsetSeconds} s from now`));
    }
    return judged(notTaken(receipts), receipts.map(receiptLine));
  },
};

const unknown: Check<ReceiverStage> = {
  id: "unknown_fields",
  title: "Takes notifications with fields and types that it does not know",
  section: "protocol.md §3 (later minor versions), §5",
  rule: "Later versions add fields and types. What a receiver does not know it ignores, and answers 2xx.",
  advice: "Read the fields you need and no others. Answer 204 to a type that you have no use for.",
  async run(stage) {
    const known = stage.nextTask();
    const more = { added_later: { deep: [1, null, "x"] } };
    const fields = await stage.send(stage.letter(known, { more }), "a field that was added later");
    const type = { type: "task_of_a_later_version" };
    const letter = stage.letter(stage.nextTask(), { more: type });
    const receipts = [fields, await stage.send(letter, "a type that was added later")];
    return judged(
      [
        ...notTaken(receipts),
        ...(await stage.effectFaults(known, 1, "a field that was added later")),
      ],
      receipts.map(receiptLine),
    );
  },
};

/** Which letters are believed. */
export const letterChecks: readonly Check<ReceiverStage>[] = [plain, forged, old, skew, unknown];
