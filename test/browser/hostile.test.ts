import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest";
import { z } from "zod";

import { Desk } from "./desk.ts";
import { HOSTILE, ALL_HOSTILE } from "./hostile.ts";
import { PlayedAlerts } from "./played-alerts.ts";
import { Receiver } from "./receiver.ts";
import { Studio, type Visit } from "./visit.ts";

/* Whatever agents, receivers and submitters write is shown as text: nothing of it runs, and nobody else is asked. */

const LONGEST_MS = 120_000;

/** Of every text at least this has to be seen: most lists show the beginning alone. */
const BEGINNING = HOSTILE[0];

const deliveriesSchema = z.object({
  items: z.array(z.object({ delivery_id: z.string(), attempts_made: z.int() })),
});
const webhookSchema = z.object({ webhook_id: z.string() });

/** The first delivery that has been attempted. */
function attemptedIn(page: unknown): string {
  const { items } = deliveriesSchema.parse(page);
  const found = items.find(({ attempts_made }) => attempts_made > 0);
  if (found === undefined) throw new Error("nothing was attempted yet");
  return found.delivery_id;
}

let studio: Studio;
let deliveryId: string;
let receiver: Receiver;
let webhookId: string;
let visit: Visit;

/** Puts hostile texts wherever the API takes any. */
async function poison(): Promise<void> {
  const desk = new Desk(inject("url"), inject("adminKey"));
  const { api } = desk;
  const url = receiver.answering("/evil", { status: 500, body: ALL_HOSTILE.slice(0, 1_000) });
  const made = await api.call("POST", "/v1/webhooks", { url, name: BEGINNING });
  webhookId = webhookSchema.parse(made).webhook_id;
  await api.call("POST", `/v1/webhooks/${webhookId}/test`);
  await desk.register("viper", {
    version: BEGINNING.slice(0, 100),
    labels: Object.fromEntries(HOSTILE.map((text, index) => [`l${index}`, text.slice(0, 200)])),
  });
  const task = {
    description: ALL_HOSTILE,
    tags: HOSTILE.map((text) => text.slice(0, 100)),
    metadata: { [BEGINNING]: ALL_HOSTILE },
  };
  await desk.hold("viper", "venom-asks", task);
  await desk.begin("venom-asks");
  await desk.say("venom-asks", "task_progress", {
    progress_percentage: 40,
    current_step: ALL_HOSTILE,
  });
  await desk.ask("venom-asks", ALL_HOSTILE, {
    options: HOSTILE.slice(0, 4),
    context: { evidence: ALL_HOSTILE },
  });
  await desk.hold("viper", "venom-done", task);
  await desk.begin("venom-done");
  await api.call("POST", "/v1/tasks/venom-done/commands", {
    command: "request_update",
    reason: ALL_HOSTILE,
  });
  await desk.complete("venom-done", ALL_HOSTILE, { [BEGINNING]: HOSTILE, text: ALL_HOSTILE });
  await desk.hold("viper", "venom-fails", {
    ...task,
    execution_options: { retry_policy: { max_retries: 0 } },
  });
  await desk.begin("venom-fails");
  await desk.say("venom-fails", "task_failed", {
    error_type: BEGINNING.slice(0, 100),
    error_message: ALL_HOSTILE,
    root_cause: {
      class: BEGINNING.slice(0, 100),
      detail: ALL_HOSTILE,
      evidence: ALL_HOSTILE,
    },
  });
  deliveryId = await vi.waitFor(
    async () => attemptedIn(await api.call("GET", `/v1/webhooks/${webhookId}/deliveries`)),
    { timeout: LONGEST_MS },
  );
  await api.call("POST", "/v1/keys", { name: BEGINNING, scopes: ["observe"] });
  await api.call("PUT", "/v1/alert-rules/venom", {
    title: BEGINNING,
    metric: "task_failure_rate",
    comparison: "above",
    threshold: 1,
    is_enabled: false,
  });
  await api.call("PUT", "/v1/alert-channels/venom", { name: BEGINNING, kind: "webhook", url });
  await api.call("POST", "/v1/silences", {
    rule_id: "venom",
    max_severity: "info",
    duration_s: 3_600,
    reason: BEGINNING,
  });
}

beforeAll(async () => {
  [studio, receiver] = await Promise.all([Studio.open(), new Receiver().start()]);
  await poison();
  visit = await studio.visit();
  const texts = { title: BEGINNING, detail: ALL_HOSTILE, subject: BEGINNING };
  await new PlayedAlerts(texts).on(visit.page);
}, LONGEST_MS);

afterAll(async () => {
  receiver.stop();
  await studio.close();
});

/** What a hostile text would have left behind, and where links of the page lead that lead nowhere good. */
async function traces(): Promise<unknown> {
  return visit.page.evaluate(() => ({
    pwned: "pwned" in window,
    made: document.querySelectorAll(
      "main :is(script, iframe, object, embed, base, link, img, math, form[action], [onerror], [onload], [srcdoc])",
    ).length,
    links: [...document.querySelectorAll("a[href]")]
      .map((link) => link.getAttribute("href") ?? "")
      .filter((href) => !/^(?:#|\/|https?:)/.test(href)),
  }));
}

const HARMLESS = { pwned: false, made: 0, links: [] };

describe("hostile texts", () => {
  it.each([
    ["the list of tasks", "#/tasks?agent_id=viper", "tbody tr"],
    ["a task that asks", "#/tasks/venom-asks", ".event"],
    ["a task that is done", "#/tasks/venom-done?view=result", ".tabs"],
    ["a task that failed", "#/tasks/venom-fails?view=result", ".tabs"],
    ["a trace", "#/tasks/venom-done?view=trace", ".waterfall"],
    ["a task's commands", "#/tasks/venom-done?view=more", ".tabs"],
    ["an agent", "#/agents/viper", ".facts .tag"],
    ["the list of webhooks", "#/webhooks", "tbody tr"],
    ["the inbox", "#/escalations?task_id=venom-asks", "tbody tr"],
    ["the list of alerts", "#/alerts", "tbody tr"],
    ["an alert", "#/alerts/al_1", ".facts"],
    ["silences", "#/alerts?view=silences", "tbody tr"],
    ["alert rules", "#/alerts?view=rules", "tbody tr"],
    ["channels of alerts", "#/alerts?view=channels", "tbody tr"],
    ["the list of keys", "#/keys", "tbody tr"],
  ])(
    "are text in %s",
    async (_, hash, sign) => {
      await visit.go(hash, sign);
      // What is folded away is drawn when it is opened.
      await visit.page.evaluate(() => {
        for (const one of document.querySelectorAll("main details"))
          one.toggleAttribute("open", true);
      });
      await visit.settled();

      await expect.poll(() => visit.text()).toContain(BEGINNING);
      expect(await traces()).toEqual(HARMLESS);
    },
    LONGEST_MS,
  );

  it(
    "are text in a question, its proposals and its evidence",
    async () => {
      await visit.go("#/escalations?task_id=venom-asks", "tbody tr");
      await visit.page.locator("tbody tr a").first().click();
      await visit.page.locator(".options button").first().click();

      await expect
        .poll(() => visit.page.locator(".answer-form textarea").inputValue())
        .toBe(BEGINNING);
      await expect
        .poll(() => visit.page.locator(".question").innerText())
        .toContain(HOSTILE.at(-1));
      expect(await traces()).toEqual(HARMLESS);
      await visit.shoot("hostile-question");
    },
    LONGEST_MS,
  );

  it(
    "are text in what a receiver answers",
    async () => {
      await visit.go(`#/webhooks/${webhookId}?delivery=${deliveryId}`, ".attempt");
      await visit.page.locator(".attempt summary").first().click();

      await expect
        .poll(() => visit.page.locator(".attempt pre").first().innerText())
        .toContain(BEGINNING);
      expect(await traces()).toEqual(HARMLESS);
      await visit.shoot("hostile-delivery");
    },
    LONGEST_MS,
  );

  it(
    "are text in an address that somebody was sent",
    async () => {
      visit.expects(/^(?:400|404) /);
      for (const text of HOSTILE) {
        const part = encodeURIComponent(text);
        await visit.go(`#/${part}`, "h1");
        await visit.go(`#/tasks/${part}`, "h1");
        await visit.go(`#/webhooks/${part}?delivery=${part}`, "h1");
      }

      expect(await traces()).toEqual(HARMLESS);
    },
    LONGEST_MS,
  );

  it("had nothing run: no error, no dialog, nothing that the policy forbids, nobody else asked", async () => {
    expect(await visit.end()).toEqual([]);
  });
});
