import path from "node:path";
import { pathToFileURL } from "node:url";

import { describe, expect, it } from "vitest";
import { z } from "zod";

/* A demo that cannot fail shows nothing: each promise is broken on a copy, and the demo has to say which. */

const modulePath = path.join(import.meta.dirname, "../../scripts/demo/promises.mjs");
const { promisesOf } = z
  .object({ promisesOf: z.custom<(lives: Life[]) => { text: string; faults: string[] }[]>() })
  .parse(await import(pathToFileURL(modulePath).href));

interface Webhook {
  id: string;
  type: string;
  seq: number;
  prev_seq: number | null;
  isSigned: boolean;
  isForgeryNoticed: boolean;
}

function webhook(seq: number, prev_seq: number | null, type: string): Webhook {
  return { id: `msg_${seq}`, type, seq, prev_seq, isSigned: true, isForgeryNoticed: true };
}

/** A task as the demo sees it when all went well. */
function goodLife() {
  const types = ["task_submitted", "task_started", "verdict", "agent_end_task"];
  const log = types.map((type, index) => ({ seq: index + 1, type }));
  const view = {
    seq: 4,
    status: "completed",
    phase: "ended",
    end_reason: "success",
    notification_count: 2,
  };
  return {
    task_id: "t",
    log,
    streamed: structuredClone(log),
    webhooks: [webhook(2, null, "task_started"), webhook(4, 2, "agent_end_task")],
    view,
    listedView: { ...view } as Partial<typeof view> | null,
    report: { finalization: { problems: [] as string[] }, cleanup_debt: [] as { what: string }[] },
  };
}
type Life = ReturnType<typeof goodLife>;

function brokenBy(change: (life: Life) => unknown): string[] {
  const life = goodLife();
  change(life);
  return promisesOf([life])
    .filter(({ faults }) => faults.length > 0)
    .map(({ text }) => text.split(" ").slice(0, 3).join(" "));
}

describe("the demo's promises", () => {
  it("hold for a task that went well", () => {
    expect(brokenBy(() => null)).toEqual([]);
  });

  const webhookAt = (life: Life, index: number, change: Partial<Webhook>) =>
    life.webhooks.splice(index, 1, {
      ...webhook(2, null, "task_started"),
      ...life.webhooks[index],
      ...change,
    });

  it.each<[string, string, (life: Life) => unknown]>([
    ["a gap in the log", "seq counts 1,", (life) => life.log.splice(1, 1)],
    ["an event missing in the stream", "the stream brings", (life) => life.streamed.pop()],
    ["a webhook that never came", "every notification came", (life) => life.webhooks.shift()],
    ["webhooks out of order", "the webhooks came", (life) => life.webhooks.reverse()],
    ["a wrong prev_seq", "the webhooks came", (life) => webhookAt(life, 1, { prev_seq: 3 })],
    ["a wrong signature", "every signature is", (life) => webhookAt(life, 0, { isSigned: false })],
    [
      "a forgery that passes",
      "every signature is",
      (life) => webhookAt(life, 0, { isForgeryNoticed: false }),
    ],
    [
      "a second final notification",
      "there is exactly",
      (life) => life.webhooks.push(webhook(5, 4, "agent_end_task")),
    ],
    ["a task that history lacks", "history has the", (life) => (life.listedView = null)],
    [
      "a history that lags",
      "history has the",
      (life) => (life.listedView = { ...life.view, seq: 3 }),
    ],
    ["a task without an end", "the task reached", (life) => (life.view.phase = "finalizing")],
    [
      "a slot that was never freed",
      "the task reached",
      (life) => life.report.cleanup_debt.push({ what: "a slot" }),
    ],
  ])("notice %s", (_fault, promise, change) => {
    expect(brokenBy(change)).toContain(promise);
  });
});
