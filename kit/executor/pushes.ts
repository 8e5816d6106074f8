import { setTimeout as pause } from "node:timers/promises";

import type { Check } from "../check.ts";
import { judged, notApplicable } from "../check.ts";
import { told } from "../exchange.ts";
import { headersOf, newSecret, post, receiptLine, signature } from "../letter.ts";
import type { Letter, Receipt } from "../letter.ts";
import type { Stage } from "./stage.ts";

/** Whoever believes a forged push begins within this, milliseconds. */
const BEGINS_WITHIN_MS = 1_500;

/** Older or newer than any verifier tolerates (Standard Webhooks: five minutes), seconds. */
const TOO_OLD_S = 600;

/** A push as Batuta writes it, of a task that there is not. */
function forgedPush(stage: Stage, name: string): Letter & { task_id: string } {
  const { subject, run } = stage;
  const task_id = `kit_${run}_forged_${name}`;
  const now = new Date();
  const expires_at = new Date(now.getTime() + 60_000).toISOString();
  const task = {
    schema_version: "2.0",
    task_id,
    task_type: subject.task_type,
    description: "A task of Batuta's conformance kit that nobody has submitted",
    parameters: { input_data: {}, configuration: {}, environment: {}, dependencies: [] },
    heartbeat_timeout: 60,
    attempt: 1,
    checkpoint: null,
  };
  const lease = { token: "lease_of_nobody", attempt: 1, expires_at };
  const body = { type: "task_execution", timestamp: now.toISOString(), data: { task, lease } };
  return { task_id, id: `push_${task_id}_1`, body: JSON.stringify(body) };
}

/** Each way in which a push can be none of Batuta's; the last two need its secret. */
async function forge(stage: Stage, url: string, secret: string | null): Promise<Receipt[]> {
  const now = Date.now();
  const foreign = forgedPush(stage, "foreign");
  const bare = forgedPush(stage, "bare");
  const receipts = [
    await post(url, foreign, {
      what: "signed with another secret",
      headers: headersOf(foreign, [signature(newSecret(), foreign, now)], now),
    }),
    await post(url, bare, {
      what: "not signed",
      headers: { "content-type": "application/json" },
    }),
  ];
  if (secret === null) return receipts;
  const old = { ...forgedPush(stage, "old"), offsetSeconds: -TOO_OLD_S };
  const true_ = forgedPush(stage, "changed");
  const changed = { ...true_, body: `${true_.body} ` };
  return [
    ...receipts,
    await post(url, old, {
      what: `signed ${TOO_OLD_S} s ago`,
      headers: headersOf(old, [signature(secret, old, now)], now),
    }),
    await post(url, changed, {
      what: "changed by a byte after it was signed",
      headers: headersOf(changed, [signature(secret, true_, now)], now),
    }),
  ];
}

const forged: Check<Stage> = {
  id: "push_signature",
  title: "Takes no task that Batuta has not signed",
  section: "protocol.md §4 Shapes (push executor), §5; README Other ways to a task (Push)",
  rule: "A push is a Standard Webhooks request: its signature, and a timestamp five minutes off at most, are verified.",
  advice:
    "Verify the bytes as they came with a Standard Webhooks library and the secret of the first registration; answer 401.",
  async run(stage) {
    const { push } = stage.subject;
    if (push === null) return notApplicable("it takes its tasks by claim");
    const receipts = await forge(stage, push.url, push.secret);
    await pause(BEGINS_WITHIN_MS);
    const prefix = `kit_${stage.run}_forged_`;
    const begun = stage.proxy.exchanges.filter(({ task_id }) => task_id?.startsWith(prefix));
    return judged(
      [
        ...receipts
          .filter(({ status }) => status >= 200 && status < 300)
          .map((receipt) => `it took a push: ${receiptLine(receipt)}`),
        ...begun.map(
          ({ kind, task_id }) => `it sent ${kind} about ${task_id}, which nobody has submitted`,
        ),
      ],
      [...receipts.map(receiptLine), ...(begun.length > 0 ? told(begun) : [])],
    );
  },
};

/** What only executors that are pushed to have to do. */
export const pushChecks: readonly Check<Stage>[] = [forged];
