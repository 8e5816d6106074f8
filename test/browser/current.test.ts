import { describe, expect, inject, it } from "vitest";

import { Desk } from "./desk.ts";
import { playOverview } from "./played-overview.ts";
import { LONGEST_MS, openStage } from "./stage.ts";
import type { Visit } from "./visit.ts";

/* What pages show while things change, tabs are hidden, streams are refused and sources are silent. */

const studio = openStage();
const desk = new Desk(inject("url"), inject("adminKey"));
let visit: Visit;

describe("lists", () => {
  it(
    "lose what no longer fits, and keep the focus on the page",
    async () => {
      visit = await studio.visit();
      const { page } = visit;
      await desk.register("viola");
      await desk.hold("viola", "viola-ends", { tags: ["viola"] });
      await desk.begin("viola-ends");
      await visit.go("#/tasks?status=running&tag=viola", ".list tbody tr");
      await page.locator("tbody tr a").first().focus();
      await desk.complete("viola-ends", "All is played", { played: true });
      await page.locator("tbody tr").waitFor({ state: "detached" });
      expect(await visit.focused()).toBe("Tasks");
      expect(await visit.end()).toEqual([]);
    },
    LONGEST_MS,
  );

  it(
    "are filtered by all that was chosen, however quickly",
    async () => {
      visit = await studio.visit();
      const { page } = visit;
      await visit.go("#/tasks", ".toolbar");
      await page.getByLabel("Agent", { exact: true }).fill("sam");
      await page.getByLabel("Status", { exact: true }).selectOption("failed");
      await page.waitForURL(/agent_id=sam/);
      expect(page.url()).toContain("status=failed");
      expect(await visit.end()).toEqual([]);
    },
    LONGEST_MS,
  );

  it(
    "of a task's deliveries go on to the newest",
    async () => {
      visit = await studio.visit();
      const { page } = visit;
      const path = "/v1/tasks/many/deliveries";
      const items = Array.from({ length: 52 }, (_, index) => ({
        seq: index + 1,
        type: index === 51 ? "task_completed" : "task_progress",
        state: "delivered",
        deliveries: [
          {
            delivery_id: `d${index}`,
            webhook_id: "wh_1",
            state: "delivered",
            attempts_made: 1,
            created_at: new Date().toISOString(),
          },
        ],
      }));
      await desk.register("triangle");
      await desk.hold("triangle", "many");
      await page.route(
        (url) => url.pathname === path,
        (route) => {
          const after = Number(new URL(route.request().url()).searchParams.get("after") ?? 0);
          const shown = items.slice(after, after + 50);
          const next_after = after === 0 ? 50 : null;
          return route.fulfill({ json: { items: shown, next_after } });
        },
      );
      await visit.go("#/tasks/many?view=deliveries", "tbody tr");
      await visit.press("Show more");
      await page.locator("tbody tr", { hasText: "· 52" }).waitFor();
      await expect.poll(() => page.locator(".task-main tbody tr").count()).toBe(52);
      expect(await visit.end()).toEqual([]);
    },
    LONGEST_MS,
  );
});

describe("a task", () => {
  it(
    "that ends while nobody looks is shown in full as soon as somebody does",
    async () => {
      visit = await studio.visit();
      const { page } = visit;
      const turn = (state: string): Promise<void> =>
        page.evaluate((to) => {
          Object.defineProperty(document, "visibilityState", { configurable: true, value: to });
          document.dispatchEvent(new Event("visibilitychange"));
        }, state);
      await desk.api.call("POST", "/v1/tasks", {
        task_id: "drum-roll",
        task_type: "general",
        description: "Something that nobody here can do",
        requires: { capabilities: ["drum-roll"] },
      });
      await visit.go("#/tasks/drum-roll?view=result", ".explain");
      await page.locator(".task-aside", { hasText: "It waits for" }).waitFor();
      await turn("hidden");
      await desk.api.call("POST", "/v1/tasks/drum-roll/commands", { command: "cancel" });
      await page.locator(".task-aside dt", { hasText: "Ended" }).waitFor();
      await turn("visible");
      await page.locator(".report").waitFor();
      await visit.settled();
      expect(await page.locator(".task-aside").innerText()).not.toContain("It waits for");
      expect(await visit.end()).toEqual([]);
    },
    LONGEST_MS,
  );

  it(
    "whose stream is refused is asked for, with its events, and not called ended",
    async () => {
      visit = await studio.visit();
      const { page } = visit;
      visit.expects(/^403 .*\/stream$/);
      await page.route(/\/stream$/, (route) => route.fulfill({ status: 403, json: {} }));
      await desk.register("gong");
      await desk.hold("gong", "gong-waits");
      await visit.go("#/tasks/gong-waits", ".event");
      await expect.poll(() => page.locator(".live").innerText()).toContain("Every 10 s");
      await desk.begin("gong-waits");
      await page.locator(".event", { hasText: "Started" }).waitFor();
      expect(await visit.end()).toEqual([]);
    },
    LONGEST_MS,
  );
});

describe("the overview", () => {
  it(
    "says what it does not know, in place of all being well",
    async () => {
      visit = await studio.visit();
      const { page } = visit;
      await playOverview(page, ["alerts", "agents", "escalations_open", "cost_usd", "webhooks"]);
      await visit.go("#/overview", ".figures");
      const unknown = page.locator(".figure", { hasText: "not known at the moment" });
      await expect
        .poll(() => unknown.locator("dt").allInnerTexts())
        .toEqual([
          "Agents online",
          "Alerts firing",
          "Troubled webhooks",
          "Open escalations",
          "Cost",
        ]);
      await expect
        .poll(() => unknown.locator(".figure-value").allInnerTexts())
        .toEqual(Array.from({ length: 5 }, () => "—"));
      expect(await visit.end()).toEqual([]);
    },
    LONGEST_MS,
  );
});
