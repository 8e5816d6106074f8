import { describe, expect, it } from "vitest";

import { publish } from "../../src/delivery/fan-out.ts";
import { END_NOTICES } from "../../src/protocol/end-notice.ts";
import { endReasonSchema } from "../../src/protocol/enums.ts";
import type { EndReason } from "../../src/protocol/enums.ts";
import { reportSchema } from "../../src/protocol/task-view.ts";
import type { Report } from "../../src/protocol/task-view.ts";
import { deliveryViewSchema } from "../../src/protocol/webhook.ts";
import { Executor, call, ended, eventually, submit, view } from "./batuta.ts";
import { bodyText, newReceiver } from "./receiver.ts";
import type { Receiver } from "./receiver.ts";
import { arrivals, endpoint, newTenant, register, registry } from "./webhook-world.ts";

/* Whoever is to hear of an end hears of it once, whatever became of the others. */

const finalSchema = reportSchema.omit({ timeline: true });

interface Told {
  type: string;
  data: { task_id: string; notification: Omit<Report, "timeline"> };
}

async function finals(receiver: Receiver, task_id: string): Promise<Told["data"][]> {
  const all = (await receiver.log()).map((request): Told => JSON.parse(bodyText(request)));
  return all
    .filter(({ type, data }) => type === "agent_end_task" && data.task_id === task_id)
    .map(({ data }) => data);
}

async function hook(receiver: Receiver, more = {}): Promise<string> {
  const { body } = await call<{ webhook_id: string }>("POST", "/v1/webhooks", {
    url: receiver.url,
    ...more,
  });
  return body.webhook_id;
}

/** Wants nothing of these tasks by itself. */
const NOTHING = { events: ["agent_end_task"], filters: { task_types: ["deployment"] } };

const ERROR = { error_code: "E1", error_message: "it broke" };
const NEXT = { escalation_needed: true, follow_up_tasks: ["look at it"] };

function endOf(executor: Executor, reason: EndReason) {
  const end = {
    task_id: executor.task_id,
    agent_id: executor.agent_id,
    reason,
    timestamp: new Date().toISOString(),
    quality_assessment: { overall_score: 0.9 },
    next_actions: NEXT,
    ...(reason !== "success" && { error_information: ERROR }),
  };
  return call("POST", `/v1/tasks/${executor.task_id}/end`, end, executor.lease);
}

/** A callback, a subscriber, a stakeholder that wants nothing else, and one that is everything at once. */
async function audience() {
  const called = newReceiver("callback");
  const [subscribed, stake, both] = [newReceiver(), newReceiver(), newReceiver()];
  await hook(subscribed, { events: ["agent_end_task"] });
  const stake_id = await hook(stake, NOTHING);
  const both_id = await hook(both);
  return {
    receivers: [called, subscribed, stake, both],
    task: {
      orchestrator_info: { callback_url: called.url },
      stakeholders: [stake_id, both_id, both_id],
    },
    both_id,
  };
}

async function heardOnce(receivers: Receiver[], task_id: string): Promise<Told["data"][]> {
  const told = await eventually(
    () => Promise.all(receivers.map((receiver) => finals(receiver, task_id))),
    (each) => each.every((one) => one.length > 0),
  );
  expect(told.map((one) => one.length)).toEqual(receivers.map(() => 1));
  return told.flat();
}

describe("the final notification", () => {
  it.each(endReasonSchema.options)(
    "comes once to callback, subscriber and stakeholder when the reason is %s",
    async (reason) => {
      const { receivers, task, both_id } = await audience();
      const name = `final-${reason}`;
      const executor = await new Executor(name).register();
      const { task_id } = await submit({ ...task, requires: { capabilities: [name] } });
      await executor.claim();
      await executor.start();
      expect((await endOf(executor, reason)).status).toBe(202);

      const told = await heardOnce(receivers, task_id);

      for (const { notification } of told) {
        expect(finalSchema.parse(notification)).toMatchObject({
          task_id,
          reason,
          finalization: {
            outcome: "complete",
            phases: [{ name: "cleanup" }, { name: "reporting" }, { name: "notification" }],
            problems: [],
          },
          next_actions: NEXT,
        });
        expect(notification.post_mortem).toHaveLength(
          reason === "success" || reason === "cancelled" ? notification.post_mortem.length : 1,
        );
      }
      const { body } = await call<{ items: unknown[] }>(
        "GET",
        `/v1/webhooks/${both_id}/deliveries?task_id=${task_id}`,
      );
      const final = body.items
        .map((item) => deliveryViewSchema.parse(item))
        .filter(({ type }) => type === "agent_end_task");
      expect(final.map(({ priority }) => priority)).toEqual([END_NOTICES[reason].priority]);
    },
    30_000,
  );

  it("comes once of a task that was cancelled while it was pending", async () => {
    const { receivers, task } = await audience();
    const { task_id } = await submit({ ...task, requires: { capabilities: ["nobody-has-this"] } });

    await call("POST", `/v1/tasks/${task_id}/commands`, { command: "cancel" });

    const told = await heardOnce(receivers, task_id);
    expect(told.map(({ notification }) => notification)).toMatchObject(
      receivers.map(() => ({ reason: "cancelled", post_mortem: [], next_actions: null })),
    );
  }, 30_000);

  it("reaches the others when a stakeholder was deleted and another always fails, and the verdict stays", async () => {
    const { receivers, task } = await audience();
    const failing = newReceiver();
    await failing.script([{ status: 500 }]);
    const failing_id = await hook(failing, { ...NOTHING, retry_policy: { schedule: [1, 1] } });
    const gone_id = await hook(newReceiver(), NOTHING);
    const executor = await new Executor("final-failing").register();
    const { task_id } = await submit({
      ...task,
      stakeholders: [failing_id, gone_id, ...task.stakeholders],
      requires: { capabilities: ["final-failing"] },
    });
    await executor.claim();
    await executor.start();
    await call("DELETE", `/v1/webhooks/${gone_id}`);
    await executor.complete();
    await endOf(executor, "success");

    await heardOnce(receivers, task_id);

    await eventually(
      async () => (await failing.log()).length,
      (attempts) => attempts >= 3,
    );
    await ended(task_id);
    expect(await view(task_id)).toMatchObject({ status: "completed", end_reason: "success" });
    expect((await finals(receivers[1] ?? failing, task_id)).length).toBe(1);
  }, 30_000);

  it("comes once when a crash makes the same flush come twice, with all that is in it", async () => {
    const [by, receiver] = [newTenant(), newReceiver()];
    const { webhook_id } = await register(by, receiver);
    const event = (seq: number, type: "task_completed" | "agent_end_task") => ({
      seq,
      type,
      event_id: `t-${seq}`,
      at: new Date().toISOString(),
      correlation_id: "",
      actor: { kind: "system" as const, id: "batuta" },
      data: { reason: "success" },
    });
    const flush = {
      tenant: by.tenant,
      task: {
        task_id: "t",
        task_type: "general" as const,
        priority: "normal" as const,
        agent_id: null,
        tags: [],
        callback_url: null,
        stakeholders: [webhook_id, webhook_id],
      },
      events: [event(4, "task_completed"), event(5, "agent_end_task")],
    };
    const ports = { registry, endpoint, log: () => {}, tellWithheld: async () => {} };

    await publish(ports, flush);
    await publish(ports, flush);
    await publish(ports, {
      ...flush,
      events: [event(5, "agent_end_task"), event(6, "task_completed")],
    });

    expect(await arrivals(receiver, 3)).toEqual(["t:4", "t:5", "t:6"]);
  });
});
