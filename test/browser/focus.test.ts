import { describe, expect, inject, it } from "vitest";

import { Desk } from "./desk.ts";
import { lag, listen, PlayedKeys, pressAtOnce, said } from "./reader.ts";
import { LONGEST_MS, openStage } from "./stage.ts";
import type { Visit } from "./visit.ts";

/* Whoever has the keyboard or a reader never loses their place, however busy the machine and however slow the server. */

const studio = openStage();
const desk = new Desk(inject("url"), inject("adminKey"));
let visit: Visit;

describe("a dialog", () => {
  it(
    "has what is typed from the first moment on",
    async () => {
      visit = await studio.visit();
      const { page } = visit;
      await lag(page);
      await visit.go("#/keys", ".page-aside button");
      await page.locator(".page-aside button").focus();
      await page.keyboard.press("Enter");
      await page.keyboard.type("Typed at once");
      expect(await page.getByLabel("Name", { exact: true }).inputValue()).toBe("Typed at once");
      expect(await visit.end()).toEqual([]);
    },
    LONGEST_MS,
  );

  it(
    "gives the focus back in the moment it goes, with nothing said between",
    async () => {
      visit = await studio.visit();
      const { page } = visit;
      await lag(page);
      await visit.go("#/keys", ".page-aside button");
      await visit.press("New key");
      await page.locator("dialog[open]").waitFor();
      const stops = await listen(page);
      await visit.answer("Back");
      expect(await visit.focused()).toBe("New key");
      expect(await stops()).toEqual(["Back", "New key"]);
      expect(await visit.end()).toEqual([]);
    },
    LONGEST_MS,
  );

  it(
    "gives the focus back to its button, though that was pressed as soon as the page was there",
    async () => {
      visit = await studio.visit();
      const { page } = visit;
      await visit.go("#/overview", ".figures");
      await pressAtOnce(page, "#/keys", "New key");
      await visit.answer("Back");
      await page.locator("dialog").waitFor({ state: "detached" });
      expect(await visit.focused()).toBe("New key");
      expect(await visit.end()).toEqual([]);
    },
    LONGEST_MS,
  );

  it(
    "that came with the page leaves the focus on its heading",
    async () => {
      visit = await studio.visit();
      const { page } = visit;
      await visit.go("#/tasks?new=1", "dialog[open]");
      await page.mouse.click(8, 8);
      await page.locator("dialog").waitFor({ state: "detached" });
      expect(await visit.focused()).toBe("Tasks");
      expect(await visit.end()).toEqual([]);
    },
    LONGEST_MS,
  );

  it(
    "about a row that has gone meanwhile leads to the row that is there now",
    async () => {
      visit = await studio.visit();
      const { page } = visit;
      const keys = new PlayedKeys(page, ["one", "two", "three"]);
      await keys.play();
      await visit.go("#/keys", "tbody tr");
      await page.getByRole("button", { name: "Revoke two" }).focus();
      await page.keyboard.press("Enter");
      await page.locator("dialog[open]").waitFor();
      await keys.become("one", "three");
      await visit.answer("Back");
      await page.locator("dialog").waitFor({ state: "detached" });
      expect(await said(page)).toBe("Rotate three");
      expect(await visit.end()).toEqual([]);
    },
    LONGEST_MS,
  );
});

describe("a page", () => {
  it(
    "that comes late takes the focus to its heading, but not from whoever has gone on",
    async () => {
      visit = await studio.visit();
      const { page } = visit;
      const release = new Map<string, () => void>();
      await page.route(/\/chunks\/(keys|agents)-page/, async (route) => {
        const name = /chunks\/(\w+)-page/.exec(route.request().url())?.[1] ?? "";
        await new Promise<void>((resolve) => release.set(name, resolve));
        await route.continue();
      });
      await visit.go("#/overview", ".figures");
      await page.locator(".nav a", { hasText: "Keys" }).focus();
      await page.keyboard.press("Enter");
      await page.locator(".loading").waitFor();
      await expect.poll(() => release.has("keys")).toBe(true);
      release.get("keys")?.();
      await page.locator("h1", { hasText: "Keys" }).waitFor();
      expect(await visit.focused()).toBe("Keys");
      await page.locator(".nav a", { hasText: "Agents" }).focus();
      await page.keyboard.press("Enter");
      await page.locator(".loading").waitFor();
      await page.getByRole("button", { name: "Sign out" }).focus();
      await expect.poll(() => release.has("agents")).toBe(true);
      release.get("agents")?.();
      await page.locator("h1", { hasText: "Agents" }).waitFor();
      await visit.settled();
      expect(await visit.focused()).toBe("Sign out");
      expect(await page.locator("[aria-atomic]").textContent()).toBe("Agents");
      expect(await visit.end()).toEqual([]);
    },
    LONGEST_MS,
  );

  it(
    "that cannot be had takes the focus, too",
    async () => {
      visit = await studio.visit();
      const { page } = visit;
      await page.route(/\/chunks\/task-page/, (route) => route.abort());
      await desk.register("celesta");
      await desk.hold("celesta", "celesta-waits", { tags: ["celesta"] });
      await visit.go("#/tasks?tag=celesta", "tbody tr a");
      await page.locator("tbody tr a").first().focus();
      await page.keyboard.press("Enter");
      await page.getByText("This page could not be loaded").waitFor();
      expect(await visit.focused()).toBe("Tasks");
      expect(await visit.end()).toEqual([]);
    },
    LONGEST_MS,
  );

  it(
    "of a session has the focus after signing in, and the key's field has it whenever one has ended",
    async () => {
      visit = await studio.visit({ key: null });
      const { page } = visit;
      const field = page.locator("#key");
      await visit.go("", "#key");
      for (const _ of ["first", "second"]) {
        // oxlint-disable no-await-in-loop
        await field.waitFor();
        expect(await field.evaluate((one) => one === document.activeElement)).toBe(true);
        await page.keyboard.type(inject("adminKey"));
        await page.keyboard.press("Enter");
        await page.locator("h1", { hasText: "Overview" }).waitFor();
        expect(await visit.focused()).toBe("Overview");
        await page.getByRole("button", { name: "Sign out" }).focus();
        await page.keyboard.press("Enter");
        // oxlint-enable no-await-in-loop
      }
      await field.waitFor();
      expect(await field.evaluate((one) => one === document.activeElement)).toBe(true);
      expect(await visit.end()).toEqual([]);
    },
    LONGEST_MS,
  );
});

describe("a list", () => {
  const ROTATE_TWO = { name: "Rotate two", exact: true };

  it(
    "keeps the focus on a row that moves, where browsers can't move a row in one step, too",
    async () => {
      visit = await studio.visit();
      const { page } = visit;
      await page.addInitScript(() => {
        Reflect.deleteProperty(Element.prototype, "moveBefore");
      });
      const keys = new PlayedKeys(page, ["one", "two", "three", "four"]);
      await keys.play();
      await visit.go("#/keys", "tbody tr");
      await page.getByRole("button", ROTATE_TWO).focus();
      await keys.become("three", "four", "one", "two");
      expect(await said(page)).toBe("Rotate two");
      await keys.become("two", "four", "three", "one");
      expect(await said(page)).toBe("Rotate two");
      expect(await visit.end()).toEqual([]);
    },
    LONGEST_MS,
  );

  it(
    "leads from a row that goes to the one that is there now, whatever has come above and wherever the window is",
    async () => {
      visit = await studio.visit();
      const { page } = visit;
      const keys = new PlayedKeys(page, ["one", "two", "three"]);
      await keys.play();
      await visit.go("#/keys", "tbody tr");
      await page.getByRole("button", ROTATE_TWO).focus();
      await keys.become("new", "newer", "one", "two", "three");
      // As when another window comes to the front.
      await page.evaluate(() =>
        document.activeElement?.dispatchEvent(new FocusEvent("focusout", { bubbles: true })),
      );
      await keys.become("new", "newer", "one", "three");
      expect(await said(page)).toBe("Rotate three");
      expect(await visit.end()).toEqual([]);
    },
    LONGEST_MS,
  );

  it(
    "leads from the button that showed the rest to the first row of it",
    async () => {
      visit = await studio.visit();
      const { page } = visit;
      const names = Array.from({ length: 70 }, (_, index) => `no-${index + 1}`);
      await new PlayedKeys(page, names).play();
      await visit.go("#/keys", "tbody tr");
      await page.getByRole("button", { name: "Show more" }).focus();
      await page.keyboard.press("Enter");
      await page.getByRole("button", { name: "Show more" }).waitFor({ state: "detached" });
      expect(await said(page)).toBe("Rotate no-51");
      expect(await visit.end()).toEqual([]);
    },
    LONGEST_MS,
  );
});

describe("what is typed", () => {
  it(
    "as soon as a list is there goes through its rows",
    async () => {
      visit = await studio.visit();
      const { page } = visit;
      await desk.register("psaltery");
      await desk.hold("psaltery", "psaltery-waits", { tags: ["psaltery"] });
      await lag(page);
      await visit.go("#/tasks?tag=psaltery", "tbody tr a");
      await page.keyboard.press("j");
      expect(await said(page)).toContain("psaltery-waits");
      expect(await visit.end()).toEqual([]);
    },
    LONGEST_MS,
  );

  it(
    "while the list is asked for what was typed before stays in its field",
    async () => {
      visit = await studio.visit();
      const { page } = visit;
      await lag(page);
      await visit.go("#/tasks", ".toolbar");
      const field = page.getByLabel("Agent", { exact: true });
      await field.focus();
      await page.keyboard.type("sa");
      await page.waitForURL(/agent_id=sa$/);
      await page.keyboard.type("m");
      expect(await field.inputValue()).toBe("sam");
      await page.waitForURL(/agent_id=sam$/);
      expect(await visit.end()).toEqual([]);
    },
    LONGEST_MS,
  );
});
