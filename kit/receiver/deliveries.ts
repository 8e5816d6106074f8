import { z } from "zod";

import { Refused } from "../batuta.ts";
import type { Check } from "../check.ts";
import { judged, notApplicable } from "../check.ts";
import { told } from "../exchange.ts";
import type { Exchange } from "../exchange.ts";
import { headersOf, newSecret, receiptLine, signature } from "../letter.ts";
import type { Receipt } from "../letter.ts";
import { CUT } from "../proxy.ts";
import { until } from "../wait.ts";
import { notTaken } from "./stage.ts";
import type { ReceiverStage } from "./stage.ts";

/* Deliveries that come again, out of order, in a crowd; and those that Batuta itself makes. */

const repeated: Check<ReceiverStage> = {
  id: "repeated",
  title: "Acts once on a notification that comes again under its webhook-id",
  section: "protocol.md §5 (webhook-id: stable over retries and replays)",
  rule: "Deliveries come at least once. The same webhook-id again is answered 2xx and changes nothing, also at the same time.",
  advice:
    "Write the webhook-id down in the same transaction as the effect, under a unique key, and answer 2xx when it is there already.",
  async run(stage) {
    const later = stage.nextTask();
    const letter = stage.letter(later);
    const receipts = [
      await stage.send(letter, "the first time"),
      await stage.send(letter, "again"),
    ];
    const atOnce = stage.nextTask();
    const twin = stage.letter(atOnce);
    receipts.push(
      ...(await Promise.all(
        ["one of three at the same time", "another", "the third"].map((what) =>
          stage.send(twin, what),
        ),
      )),
    );
    return judged(
      [
        ...notTaken(receipts),
        ...(await stage.effectFaults(later, 1, "two deliveries, one after the other")),
        ...(await stage.effectFaults(atOnce, 1, "three deliveries at the same time")),
      ],
      receipts.map(receiptLine),
    );
  },
};

const reordered: Check<ReceiverStage> = {
  id: "reordered",
  title: "Takes notifications of a task in any order, each once",
  section: "protocol.md §5 (seq, prev_seq)",
  rule: "prev_seq names the notification before. One that comes early is answered 2xx and kept or applied, never refused.",
  advice:
    "Answer 2xx to whatever is signed. Order by seq on your side, and fetch what is missing from /v1/tasks/{id}/events.",
  async run(stage) {
    const task_id = stage.nextTask();
    const receipts: Receipt[] = [];
    for (const seq of [3, 1, 2]) {
      receipts.push(await stage.send(stage.letter(task_id, { seq }), `seq ${seq}`));
    }
    const faults = await stage.effectFaults(task_id, 3, "three notifications in the order 3, 1, 2");
    return judged([...notTaken(receipts), ...faults], receipts.map(receiptLine));
  },
};

/** Comes at one time in a busy minute. */
const CROWD = 25;
/** The default of webhook_registration.timeout, milliseconds. */
const TIMEOUT_MS = 15_000;

const crowd: Check<ReceiverStage> = {
  id: "slow_consumer",
  title: "Answers a crowd in time, or says when to come again",
  section: "protocol.md §3 webhook_registration (timeout), §5 (429/503 with Retry-After)",
  rule: "Each delivery is answered within the timeout (15 s). Who has no room answers 429 or 503 with Retry-After.",
  advice:
    "Write down and answer, work afterwards. Set Retry-After on 429 and 503: Batuta pauses the endpoint so long.",
  async run(stage) {
    const tasks = Array.from({ length: CROWD }, () => stage.nextTask());
    const receipts = await Promise.all(
      tasks.map((task_id) => stage.send(stage.letter(task_id), `one of ${CROWD} at a time`)),
    );
    const isPutOff = ({ status, retryAfter }: Receipt): boolean =>
      (status === 429 || status === 503) && retryAfter !== null;
    const late = receipts.filter(({ durationMs }) => durationMs > TIMEOUT_MS);
    const slowest = receipts.toSorted((one, other) => other.durationMs - one.durationMs);
    return judged(
      [
        ...notTaken(receipts.filter((receipt) => !isPutOff(receipt))),
        ...late.map(({ durationMs }) => `an answer took ${durationMs} ms, more than ${TIMEOUT_MS}`),
      ],
      slowest.slice(0, 5).map(receiptLine),
    );
  },
};

/** The first retry of the kit's own endpoint comes this soon, seconds. */
const SCHEDULE = [1, 2, 2];
const DELIVERED_WITHIN_MS = 20_000;

/** An endpoint in Batuta that leads to the receiver, through the proxy. */
async function withEndpoint<T>(
  stage: ReceiverStage,
  use: (webhook_id: string) => Promise<T>,
): Promise<T> {
  const name = `kit_${stage.run}`;
  const url = stage.proxy.forward(name, stage.url);
  const webhook = await stage.batuta.call("POST", "/v1/webhooks", {
    url,
    name,
    secret: stage.secret,
    events: ["task_lifecycle"],
    filters: { tags: [name] },
    retry_policy: { schedule: SCHEDULE },
  });
  const { webhook_id } = z.looseObject({ webhook_id: z.string() }).parse(webhook);
  try {
    return await use(webhook_id);
  } finally {
    stage.proxy.clear();
    await stage.batuta.call("DELETE", `/v1/webhooks/${webhook_id}`);
  }
}

/** Has Batuta tell of a task's end: one notification, as many requests as it takes. */
async function tellOfAnEnd(
  stage: ReceiverStage,
  requests: number,
): Promise<{ task_id: string; own: Exchange[] }> {
  const task_id = stage.nextTask();
  await stage.batuta.call("POST", "/v1/tasks", {
    task_id,
    task_type: "general",
    description: "A task of Batuta's conformance kit, for nobody",
    tags: [`kit_${stage.run}`],
    requires: { capabilities: [`kit_nobody_${stage.run}`] },
  });
  await stage.batuta.command(task_id, "cancel");
  const ofIt = (): Exchange[] =>
    stage.proxy.exchanges.filter(
      ({ path, body }) => path.startsWith("/push/kit_") && JSON.stringify(body).includes(task_id),
    );
  await until(
    () => ofIt().filter(({ answeredAt }) => answeredAt !== null).length >= requests,
    DELIVERED_WITHIN_MS,
  );
  return { task_id, own: ofIt() };
}

/** What it answered to Batuta's own requests, where that was not 2xx. */
function liveFaults(own: readonly Exchange[]): string[] {
  const wrong = own
    .flatMap(({ passed }) => passed)
    .filter(({ status }) => status < 200 || status > 299);
  return wrong.map(({ status }) => `Batuta's own request was answered ${status}`);
}

/** Plays with a real endpoint, where Batuta may reach the kit. */
async function live(
  stage: ReceiverStage,
  use: (webhook_id: string) => Promise<{ faults: string[]; own: Exchange[] }>,
) {
  try {
    const { faults, own } = await withEndpoint(stage, use);
    if (own.length > 0) return judged(faults, told(own));
    return notApplicable("Batuta's request did not come to the kit: say --public-url");
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 422) throw error;
    return notApplicable(`Batuta will not send to the kit: say --public-url (${error.message})`);
  }
}

const lost: Check<ReceiverStage> = {
  id: "lost_ack",
  title: "Acts once when its answer to Batuta is lost",
  section: "protocol.md §5 (at least once; webhook-id)",
  rule: "A delivery without an answer comes again, from Batuta itself, under the same webhook-id.",
  advice:
    "As for repeated: the webhook-id and the effect are written down together, before the answer.",
  async run(stage) {
    return live(stage, async () => {
      let isLost = false;
      stage.proxy.onPush = async (_exchange, pass) => {
        const answer = await pass();
        if (isLost) return answer;
        isLost = true;
        return CUT;
      };
      const { task_id, own } = await tellOfAnEnd(stage, 2);
      const ids = new Set(own.map(({ headers }) => headers["webhook-id"]));
      const faults = await stage.effectFaults(
        task_id,
        ids.size,
        "a delivery whose answer was lost",
      );
      return { faults: [...liveFaults(own), ...faults], own };
    });
  },
};

const rotated: Check<ReceiverStage> = {
  id: "rotated_secret",
  title: "Takes requests with two signatures while its secret is rotated",
  section: "protocol.md §5 (several signatures while a secret rotates), §4 (rotate-secret)",
  rule: "During a rotation each request carries a signature of the new secret and one of the old: either will do.",
  advice:
    "Try every signature of the header, separated by spaces; pass over versions other than v1.",
  async run(stage) {
    const now = Date.now();
    const receipts: Receipt[] = [];
    for (const what of ["the new signature first", "the old signature first"]) {
      const letter = stage.letter(stage.nextTask());
      const both = [signature(newSecret(), letter, now), signature(stage.secret, letter, now)];
      const signatures = what.startsWith("the new") ? both : both.toReversed();
      receipts.push(
        await stage.send(letter, what, headersOf(letter, ["v1a,AAAA", ...signatures], now)),
      );
    }
    const outcome = await live(stage, async (webhook_id) => {
      const path = `/v1/webhooks/${webhook_id}/rotate-secret`;
      await stage.batuta.call("POST", path, { overlap_seconds: 3_600 });
      const { own } = await tellOfAnEnd(stage, 1);
      return { faults: liveFaults(own), own };
    });
    const liveWhy = outcome.outcome === "failed" ? outcome.why : [];
    const seen = [...receipts.map(receiptLine), ...outcome.seen];
    return judged([...notTaken(receipts), ...liveWhy], seen);
  },
};

/** How deliveries come. */
export const deliveryChecks: readonly Check<ReceiverStage>[] = [
  repeated,
  reordered,
  crowd,
  lost,
  rotated,
];
