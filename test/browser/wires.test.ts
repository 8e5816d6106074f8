import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { Desk } from "./desk.ts";
import { PlayedAlerts } from "./played-alerts.ts";
import { Receiver } from "./receiver.ts";
import { LONGEST_MS, openStage } from "./stage.ts";
import type { Visit } from "./visit.ts";

/* What people do with webhooks, alerts and keys: each action once, through the page alone. */

const studio = openStage();
let receiver: Receiver;
let visit: Visit;

beforeAll(async () => {
  receiver = await new Receiver().start();
}, LONGEST_MS);

afterAll(() => receiver.stop());

/** The secret in the dialog that shows it once; it is copied, and the dialog closed. */
async function toldOnce(): Promise<string> {
  const { page } = visit;
  const secret = await page.locator("dialog .secret").inputValue();
  await visit.answer("Copy");
  await page.getByRole("button", { name: "Copied", exact: true }).waitFor();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  if (copied !== secret) throw new Error("what was copied is not what was shown");
  await visit.answer("I have copied it");
  await page.locator("dialog[open]").waitFor({ state: "detached" });
  return secret;
}

/** Registers an endpoint by the form. */
async function register(name: string, url: string, more: () => Promise<void> = async () => {}) {
  const { page } = visit;
  await visit.go("#/webhooks", "h1");
  await visit.press("Register");
  await page.locator("dialog input[type=url]").fill(url);
  await page.getByLabel("Name", { exact: true }).fill(name);
  await more();
  await visit.answer("Register");
  const secret = await toldOnce();
  await page.locator("tbody tr", { hasText: name }).locator("a").first().click();
  await page.locator("h1", { hasText: name }).waitFor();
  return secret;
}

describe("webhooks", () => {
  it(
    "are registered, tested, paused, resumed, get another secret, and are removed",
    async () => {
      visit = await studio.visit();
      const { page } = visit;
      const url = receiver.answering("/well", { status: 200, body: "all is well" });
      const secret = await register("Well", url);
      await visit.press("Send a test");
      await visit.noted(/on its way/);
      await page
        .locator(".with-list tbody tr", { hasText: "Delivered" })
        .locator("a")
        .first()
        .click();
      await page.locator(".attempt.is-good", { hasText: "200" }).waitFor();
      await page.locator(".attempt summary").click();
      await page.locator(".attempt pre", { hasText: "all is well" }).waitFor();
      await visit.press("Send again");
      await visit.noted(/sent again/);
      await page.locator(".attempt").nth(1).waitFor();
      await page.locator(".back a").click();
      await visit.press("Pause");
      await page.locator(".state", { hasText: "Paused" }).waitFor();
      await visit.press("Resume");
      await page.locator(".state", { hasText: "Active" }).waitFor();
      await visit.press("Rotate secret");
      await visit.answer("Rotate secret");
      expect(await toldOnce()).not.toBe(secret);
      await visit.press("Remove");
      await visit.answer("Remove");
      await visit.noted(/removed/);
      await page.locator("h1", { hasText: "Webhooks" }).waitFor();
      expect(await visit.end()).toEqual([]);
    },
    LONGEST_MS,
  );

  it(
    "show why deliveries fail, and send again what was given up",
    async () => {
      visit = await studio.visit();
      const { page } = visit;
      const url = receiver.answering("/gone", { status: 422, body: "no such account" });
      const desk = new Desk(inject("url"), inject("adminKey"));
      await desk.register("piccolo");
      await desk.api.call("POST", "/v1/webhooks", {
        url,
        name: "Sick",
        events: ["task_started"],
        filters: { agent_ids: ["piccolo"] },
        final_statuses: [422],
      });
      await desk.hold("piccolo", "given-up");
      await desk.begin("given-up");
      await visit.go("#/webhooks", "tbody tr");
      await page.locator("tbody tr", { hasText: "Sick" }).locator("a").first().click();
      await page.locator(".with-list select").selectOption("exhausted");
      await page
        .locator(".with-list tbody tr", { hasText: "Exhausted" })
        .locator("a")
        .first()
        .click();
      await page.locator(".attempt.is-bad", { hasText: "422" }).waitFor();
      receiver.answering("/gone", { status: 200, body: "found it" });
      await page.locator(".back a").click();
      await visit.press("Recover");
      await visit.answer("Count");
      await page.locator("dialog", { hasText: "Deliveries that fit: 1" }).waitFor();
      await visit.answer("Recover");
      await page.locator(".recovery", { hasText: "1 of 1" }).waitFor();
      await page.locator(".with-list tbody tr", { hasText: "Delivered" }).waitFor();
      expect(await visit.end()).toEqual([]);
    },
    LONGEST_MS,
  );

  it(
    "that have to prove themselves say so until they have",
    async () => {
      visit = await studio.visit();
      const { page } = visit;
      const url = receiver.answering("/proof", { status: 503, body: "not yet" });
      await register("Proof", url, () => page.getByLabel("Ask for a proof first").check());
      await page.locator(".note-box", { hasText: "not met the challenge" }).waitFor();
      visit.expects(/^422 \/v1\/webhooks\/\w+\/verify$/);
      await visit.press("Verify");
      await page.locator(".problem", { hasText: "challenge" }).waitFor();
      receiver.answering("/proof", { status: 200, body: "" });
      await visit.press("Verify");
      await visit.noted(/met the challenge/);
      await page.locator(".state", { hasText: "Active" }).waitFor();
      expect(await visit.end()).toEqual([]);
    },
    LONGEST_MS,
  );
});

describe("alerts", () => {
  it(
    "are looked after with a note, silenced with a reason, and told again; channels are tried",
    async () => {
      visit = await studio.visit();
      const { page } = visit;
      const { api } = new Desk(inject("url"), inject("adminKey"));
      await api.call("PUT", "/v1/alert-rules/wires", {
        title: "Many tasks fail",
        metric: "task_failure_rate",
        comparison: "above",
        threshold: 0.2,
        is_enabled: false,
      });
      const url = receiver.answering("/on-call", { status: 200, body: "" });
      await api.call("PUT", "/v1/alert-channels/on-call", {
        name: "On call",
        kind: "webhook",
        url,
      });
      const played = new PlayedAlerts({
        title: "Four of ten tasks fail",
        detail: "87 of 212",
        subject: "data_analysis",
      });
      await played.on(page);
      await visit.go("#/alerts", "tbody tr");
      await page.locator("tbody tr", { hasText: "Firing" }).locator("a").first().click();
      await visit.press("Acknowledge");
      await page.locator("dialog textarea").fill("rolling back");
      await visit.answer("Acknowledge");
      await page.locator(".facts", { hasText: "rolling back" }).waitFor();
      await visit.press("Silence");
      await page.getByLabel("For how long").selectOption("14400");
      await page.getByLabel("Reason").fill("known since noon");
      await visit.answer("Silence");
      await visit.noted(/Silenced/);
      await visit.go("#/alerts?view=silences", "tbody tr");
      await page.locator("tbody tr", { hasText: "known since noon" }).waitFor();
      await visit.press("Lift the silence: known since noon");
      await visit.answer("Lift");
      await page
        .locator("tbody tr", { hasText: "known since noon" })
        .waitFor({ state: "detached" });
      expect(await page.evaluate(() => document.activeElement?.tagName)).not.toBe("BODY");
      await visit.go("#/alerts?view=rules", "tbody tr");
      await page
        .locator("tbody tr", { hasText: "wires" })
        .getByText("Share of failed tasks is above 20%")
        .waitFor();
      await visit.go("#/alerts?view=channels", "tbody tr");
      await visit.press("Test On call");
      await visit.noted(/On call/);
      await page
        .locator("tbody tr", { hasText: "On call" })
        .getByRole("link", { name: "Deliveries" })
        .click();
      await page.locator(".with-list tbody tr", { hasText: "Delivered" }).waitFor();
      expect(await visit.end()).toEqual([]);
    },
    LONGEST_MS,
  );

  it(
    "of this server are listed, none of them as if it had no routes for them",
    async () => {
      visit = await studio.visit();
      for (const view of ["alerts", "silences", "rules", "channels"]) {
        await visit.go(`#/alerts?view=${view}`, ".list, .empty");
        expect(await visit.text()).not.toContain("This server has no alerts yet");
      }
      expect(await visit.end()).toEqual([]);
    },
    LONGEST_MS,
  );
});

describe("keys", () => {
  it(
    "are made, told once, rotated and revoked",
    async () => {
      visit = await studio.visit();
      const { page } = visit;
      await visit.go("#/keys", "h1");
      await visit.press("New key");
      await page.getByLabel("Name", { exact: true }).fill("Reporter");
      await page.getByLabel(/^Orchestrate/).uncheck();
      await page.getByLabel(/^Observe/).check();
      await visit.answer("New key");
      const key = await toldOnce();
      const reporter = await studio.visit({ key });
      reporter.expects(/^403 \/v1\/keys$/);
      await reporter.go("#/keys", ".empty");
      await expect.poll(() => reporter.text()).toContain("Keys are for administrators");
      await expect
        .poll(() => reporter.page.getByRole("button", { name: "New key" }).count())
        .toBe(0);
      expect(await reporter.end()).toEqual([]);
      await visit.press("Rotate Reporter");
      await visit.answer("Rotate");
      expect(await toldOnce()).not.toBe(key);
      await visit.press("Revoke Reporter");
      await visit.answer("Revoke");
      await visit.noted(/Reporter/);
      await page.locator("tbody tr", { hasText: "Reporter" }).waitFor({ state: "detached" });
      expect(await visit.end()).toEqual([]);
    },
    LONGEST_MS,
  );
});
