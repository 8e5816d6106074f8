import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import type { AlertView, ChannelView } from "../../src/protocol/alerts.ts";
import type { Metrics } from "../../src/protocol/observation.ts";
import { judgeAlerts, judging } from "../../src/services-alerts.ts";
import { pagerduty } from "../providers.ts";
import { asked } from "./asked.ts";
import { eventually, Executor } from "./batuta.ts";
import { newReceiver } from "./receiver.ts";
import { newTenant } from "./tenant.ts";

judging.pause = () => new Promise(() => {});

const TENANT = "alert-spine";
const ROUTING_KEY = "0123456789abcdef0123456789abcdef";

interface Page<Item> {
  items: Item[];
}

describe("tasks that fail", () => {
  it("are counted, judged, and rung at the pager, which hears of the end once others succeed", async () => {
    const own = await newTenant(TENANT);
    const executor = await new Executor("spine-executor", own).register();
    const pager = newReceiver();
    const provider = pagerduty(ROUTING_KEY);
    const rung = async () =>
      (await pager.log()).map((request) => provider.take(asked(request)).meaning);
    const channel = { name: "On call", kind: "paging", url: pager.url, secret: ROUTING_KEY };
    await own<ChannelView>("PUT", "/v1/alert-channels/on-call", channel);
    await own("PUT", "/v1/alert-rules/tasks-failing", {
      title: "Many tasks fail",
      metric: "task_failure_rate",
      comparison: "above",
      threshold: 0.5,
      window_s: 900,
      for_s: 0,
      resolve_after_s: 0,
      min_samples: 1,
      severity: "critical",
    });
    const run = async (task_id: string, isGood: boolean) => {
      const made = await own("POST", "/v1/tasks", {
        task_id,
        task_type: "research",
        description: "a task that may fail",
        requires: { capabilities: ["spine-executor"] },
        execution_options: { retry_policy: { max_retries: 0 } },
      });
      expect(made).toMatchObject({ status: 202 });
      await executor.claim();
      await executor.start();
      if (isGood) {
        await executor.complete();
        await executor.end();
        return;
      }
      await executor.fail({
        root_cause: { class: "permanent", detail: "no", evidence: "none" },
      });
      const end = {
        task_id,
        agent_id: executor.agent_id,
        reason: "failure",
        timestamp: new Date().toISOString(),
        error_information: { error_code: "broken", error_message: "it broke" },
      };
      const ended = await own("POST", `/v1/tasks/${task_id}/end`, end, executor.lease);
      expect(ended).toMatchObject({ status: 202 });
    };
    const counted = (ended: number) =>
      eventually(
        () => own<Metrics>("GET", "/v1/metrics?step=86400&metrics=tasks_ended"),
        ({ body: { series } }) =>
          series
            .flatMap(({ points }) => points)
            .reduce((sum, [, value]) => sum + (value ?? 0), 0) === ended,
      );
    const alerts = async () =>
      (await own<Page<AlertView>>("GET", "/v1/alerts")).body.items.filter(
        ({ rule_id }) => rule_id === "tasks-failing",
      );

    await run("bad", false);
    await counted(1);
    await judgeAlerts(env);
    const firing = await alerts();
    const [beginning] = await eventually(rung, (all) => all.length === 1);
    const openBefore = [...provider.open];
    await run("good-1", true);
    await run("good-2", true);
    await counted(3);
    await judgeAlerts(env);
    await judgeAlerts(env);

    const [, end, ...more] = await eventually(rung, (all) => all.length === 2);
    const alert_id = firing[0]?.alert_id;
    const dedup_key = `${TENANT}/${alert_id}`;
    expect(firing).toMatchObject([
      { state: "firing", evidence: { value: 1, samples: 1 }, told: ["on-call"] },
    ]);
    expect(beginning).toMatchObject({
      event_action: "trigger",
      dedup_key,
      payload: { summary: "Many tasks fail", severity: "critical", class: "tasks-failing" },
    });
    expect(openBefore).toEqual([dedup_key]);
    expect(end).toMatchObject({ event_action: "resolve", dedup_key });
    expect(more).toEqual([]);
    expect([...provider.open]).toEqual([]);
    expect(await alerts()).toMatchObject([{ alert_id, state: "resolved", told: ["on-call"] }]);
  }, 60_000);
});
