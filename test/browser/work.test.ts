import { describe, expect, inject, it } from "vitest";

import { Desk } from "./desk.ts";
import { LONGEST_MS, openStage } from "./stage.ts";
import type { Visit } from "./visit.ts";

/* What people do with tasks, questions, agents and the console itself: each action once, through the page alone. */

const studio = openStage();
const desk = new Desk(inject("url"), inject("adminKey"));
let visit: Visit;

describe("signing in", () => {
  it(
    "refuses a wrong key, takes the right one, remembers theme and language, and forgets the key at the end",
    async () => {
      visit = await studio.visit({ key: null });
      const { page } = visit;
      visit.expects(/^401 \/v1\/tasks$/);
      await visit.go("#/tasks", "#key");
      await page.fill("#key", "bk_wrong");
      await page.keyboard.press("Enter");
      await page.getByText("does not know that key").waitFor();
      await page.fill("#key", `BATUTA_ADMIN_KEY="${inject("adminKey")}"`);
      await page.keyboard.press("Enter");
      await page.locator("h1", { hasText: "Tasks" }).waitFor();
      await page.getByRole("button", { name: /cambiar a español/ }).click();
      await page.locator("h1", { hasText: "Tareas" }).waitFor();
      const theme = page.getByRole("button", { name: /Tema/ });
      await theme.click();
      await theme.click();
      await expect.poll(() => page.locator("html").getAttribute("data-theme")).toBe("dark");
      await visit.press("Salir");
      await page.locator("#key").waitFor();
      expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
      expect(await visit.end()).toEqual([]);
    },
    LONGEST_MS,
  );
});

describe("the keyboard", () => {
  it(
    "goes to each page, through a list and into a row, and says what it can",
    async () => {
      visit = await studio.visit();
      const { page } = visit;
      await desk.register("bassoon");
      await visit.go("#/keys", "h1");
      for (const [key, title] of [
        ["t", "Tasks"],
        ["w", "Webhooks"],
        ["e", "Escalations"],
        ["l", "Alerts"],
        ["k", "Keys"],
        ["o", "Overview"],
        ["a", "Agents"],
      ] as const) {
        await page.keyboard.press("g");
        await page.keyboard.press(key);
        await page.locator("h1", { hasText: title }).waitFor();
      }
      await page.locator(".list tbody tr").first().waitFor();
      await page.keyboard.press("j");
      const name = await page.evaluate(() => document.activeElement?.textContent ?? "");
      await page.keyboard.press("Enter");
      await page.locator("h1", { hasText: name }).waitFor();
      await page.keyboard.press("?");
      await page.locator("dialog[open] .key-list").waitFor();
      await page.keyboard.press("Escape");
      await page.locator("dialog[open]").waitFor({ state: "detached" });
      expect(await visit.end()).toEqual([]);
    },
    LONGEST_MS,
  );
});

describe("tasks", () => {
  it(
    "are submitted by a form, done by the built-in executor, and read to the result as it happens",
    async () => {
      visit = await studio.visit();
      const { page } = visit;
      await visit.go("#/tasks", "h1");
      await visit.press("New task");
      await page.locator("dialog textarea").first().fill("short");
      visit.expects(/^4\d\d \/v1\/tasks$/);
      await visit.answer("Submit");
      await page.locator("dialog .fault").waitFor();
      await visit.answer("Fill in an example");
      await visit.answer("Submit");
      await page.locator(".state", { hasText: "Completed" }).waitFor();
      await page.locator(".tabs a", { hasText: "Result" }).click();
      await page.locator(".report, .json, .prose").first().waitFor();
      expect(await visit.end()).toEqual([]);
    },
    LONGEST_MS,
  );

  it(
    "are found by filter, by words and by id",
    async () => {
      visit = await studio.visit();
      const { page } = visit;
      await desk.register("flute");
      await desk.hold("flute", "find-me", { tags: ["needle"] });
      await visit.go("#/tasks?tag=needle", ".list tbody tr");
      await expect.poll(() => page.locator(".list tbody tr").count()).toBe(1);
      await page.locator("#task-search").fill("nothing of the kind");
      await page.locator(".empty").waitFor();
      await page.locator("#task-search").fill("find-me");
      await page.keyboard.press("Enter");
      await page.locator("h1", { hasText: "find-me" }).waitFor();
      expect(await visit.end()).toEqual([]);
    },
    LONGEST_MS,
  );

  it(
    "show what their executor says at once, and take commands",
    async () => {
      visit = await studio.visit();
      const { page } = visit;
      await desk.register("horn");
      await desk.hold("horn", "steered");
      await visit.go("#/tasks/steered", ".event");
      await desk.begin("steered");
      await desk.say("steered", "task_progress", {
        progress_percentage: 41,
        current_step: "Tuning the horn",
      });
      await page.locator(".task-state", { hasText: "Tuning the horn" }).waitFor();
      await visit.press("Pause");
      await page.locator("dialog input").fill("lunch");
      await visit.answer("Pause");
      await visit.noted(/Pause/);
      await visit.press("Change priority");
      await page.locator("dialog select").selectOption("critical");
      await visit.answer("Change priority");
      await page.locator(".facts", { hasText: "Critical" }).waitFor();
      await page.locator(".tabs a", { hasText: "More" }).click();
      await page.locator("tbody tr", { hasText: "lunch" }).waitFor();
      await visit.press("Cancel task");
      await visit.answer("Cancel task");
      await visit.noted(/Cancel/);
      expect(await visit.end()).toEqual([]);
    },
    LONGEST_MS,
  );
});

describe("questions", () => {
  it(
    "stand in the inbox, are answered by a proposal, and lead to their task",
    async () => {
      visit = await studio.visit();
      const { page } = visit;
      await desk.register("harp");
      await desk.hold("harp", "asking");
      await desk.begin("asking");
      await desk.ask("asking", "Which key is it in?", { options: ["C major", "A minor"] });
      await visit.go("#/tasks/asking", ".asking");
      await page.locator(".asking a").click();
      await page.locator("tbody tr", { hasText: "Which key" }).locator("a").first().click();
      await visit.press("A minor");
      await expect.poll(() => page.locator(".answer-form textarea").inputValue()).toBe("A minor");
      await visit.press("Send answer");
      await visit.noted(/Answered/);
      await page.locator(".prose", { hasText: "A minor" }).waitFor();
      await page.locator(".facts a", { hasText: "asking" }).click();
      await page.locator(".event", { hasText: "A minor" }).first().waitFor();
      expect(await visit.end()).toEqual([]);
    },
    LONGEST_MS,
  );

  it(
    "may change the task or cancel it, and say what is wrong with a change",
    async () => {
      visit = await studio.visit();
      const { page } = visit;
      await desk.register("cello");
      await desk.hold("cello", "doubting");
      await desk.begin("doubting");
      await desk.ask("doubting", "Is there no other way?");
      await visit.go("#/escalations?task_id=doubting", "tbody tr");
      await page.locator("tbody tr a").first().click();
      await page.locator(".answer-form select").selectOption("change");
      await page.locator(".answer-form textarea").last().fill("{");
      await visit.press("Send answer");
      await page.locator(".fault", { hasText: "not a JSON object" }).waitFor();
      await page.locator(".answer-form select").selectOption("cancel");
      await visit.press("Cancel the task");
      await visit.noted(/cancelled/);
      await visit.go("#/escalations?task_id=doubting&state=any", "tbody tr");
      await page.locator("tbody tr", { hasText: "Resolved" }).waitFor();
      expect(await visit.end()).toEqual([]);
    },
    LONGEST_MS,
  );
});

describe("agents", () => {
  it(
    "are drained, taken in again, and removed after a question",
    async () => {
      visit = await studio.visit();
      const { page } = visit;
      await desk.register("tuba");
      await desk.hold("tuba", "tuba-solo");
      await visit.go("#/agents/tuba", ".figures, .facts");
      await page.locator("tbody tr", { hasText: "tuba-solo" }).waitFor();
      await visit.press("Drain");
      await visit.answer("Drain");
      await page.locator(".state", { hasText: "Draining" }).waitFor();
      await visit.press("End draining");
      await visit.noted(/gets tasks again/);
      await page.getByRole("button", { name: "Drain", exact: true }).waitFor();
      await visit.press("Remove");
      await visit.answer("Remove");
      await visit.noted(/removed/);
      await page.locator("h1", { hasText: "Agents" }).waitFor();
      await page.locator("tbody tr", { hasText: "sam" }).waitFor();
      await expect.poll(() => page.locator("tbody tr", { hasText: "tuba" }).count()).toBe(0);
      expect(await visit.end()).toEqual([]);
    },
    LONGEST_MS,
  );
});
