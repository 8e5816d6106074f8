import { describe, expect, inject, it, vi } from "vitest";
import { z } from "zod";

import { Desk } from "./desk.ts";
import { LONGEST_MS, openStage } from "./stage.ts";
import type { Visit } from "./visit.ts";

/* What must hold of forms when servers are slow or lose answers, and people change their minds. */

/** History follows a task by a queue. */
const HISTORY = { timeout: 15_000 };

const studio = openStage();
const desk = new Desk(inject("url"), inject("adminKey"));
let visit: Visit;

const pageSchema = z.object({ items: z.array(z.unknown()) });

/** A place beside the dialog. */
const BESIDE = { x: 8, y: 8 };

describe("a change that waits for the server's patience", () => {
  it(
    "is given up by going back, and is not on the page any more",
    async () => {
      visit = await studio.visit();
      const { page } = visit;
      visit.expects(/^429 \/v1\/tasks$/);
      let sent = 0;
      await page.route(
        (url) => url.pathname === "/v1/tasks",
        (route) => {
          if (route.request().method() !== "POST") return route.continue();
          sent += 1;
          return route.fulfill({ status: 429, headers: { "Retry-After": "60" }, json: {} });
        },
      );
      await visit.go("#/tasks?new=1", "dialog[open]");
      await visit.answer("Fill in an example");
      await visit.answer("Submit");
      await page.locator(".patience").waitFor();
      await page.keyboard.press("Enter");
      await visit.answer("Back");
      await page.locator(".patience").waitFor({ state: "detached" });
      expect(sent).toBe(1);
      expect(await visit.end()).toEqual([]);
    },
    LONGEST_MS,
  );

  it(
    "is said to whoever signs in, too",
    async () => {
      visit = await studio.visit({ key: null });
      visit.expects(/^429 \/v1\/tasks$/);
      await visit.page.route(
        (url) => url.pathname === "/v1/tasks",
        (route) => route.fulfill({ status: 429, headers: { "Retry-After": "60" }, json: {} }),
      );
      await visit.go("", "#key");
      await visit.page.fill("#key", inject("adminKey"));
      await visit.page.keyboard.press("Enter");
      await visit.page.locator(".patience").waitFor();
      expect(await visit.end()).toEqual([]);
    },
    LONGEST_MS,
  );
});

describe("a submission whose answer is lost", () => {
  it(
    "says that it may have happened, and makes no second task when it is sent again",
    async () => {
      visit = await studio.visit();
      const { page } = visit;
      let sent = 0;
      await page.route(
        (url) => url.pathname === "/v1/tasks",
        async (route) => {
          if (route.request().method() !== "POST") return route.continue();
          sent += 1;
          if (sent > 1) return route.continue();
          await route.fetch();
          return route.abort("connectionreset");
        },
      );
      await visit.go("#/tasks?new=1", "dialog[open]");
      await visit.answer("Fill in an example");
      await page.getByLabel("Tags", { exact: true }).fill("lost-answer");
      await visit.answer("Submit");
      await page.getByText("Submitting it again unchanged makes no second task").waitFor();
      await visit.answer("Submit");
      await page.locator(".task-head").waitFor();
      await vi.waitFor(async () => {
        const list = await desk.api.call("GET", "/v1/tasks?tag=lost-answer");
        expect(pageSchema.parse(list).items).toHaveLength(1);
      }, HISTORY);
      expect(sent).toBe(2);
      expect(await visit.end()).toEqual([]);
    },
    LONGEST_MS,
  );
});

describe("a dialog", () => {
  it(
    "is not closed by a press beside it when something would be lost, and gives the focus back",
    async () => {
      visit = await studio.visit();
      const { page } = visit;
      const dialog = page.locator("dialog[open]");
      await visit.go("#/keys", "h1");
      await visit.press("New key");
      await dialog.waitFor();
      await page.mouse.click(BESIDE.x, BESIDE.y);
      await dialog.waitFor({ state: "detached" });
      await visit.press("New key");
      const name = page.getByLabel("Name", { exact: true });
      const box = await name.boundingBox();
      await page.mouse.move((box?.x ?? 0) + 20, (box?.y ?? 0) + 10);
      await page.mouse.down();
      await page.mouse.move(BESIDE.x, BESIDE.y);
      await page.mouse.up();
      await name.fill("Steady");
      await page.mouse.click(BESIDE.x, BESIDE.y);
      await visit.answer("New key");
      await page.locator("dialog .secret").waitFor();
      await page.mouse.click(BESIDE.x, BESIDE.y);
      await page.keyboard.press("Escape");
      await expect.poll(() => page.locator("dialog .secret").inputValue()).toMatch(/^bk_/);
      await visit.answer("I have copied it");
      await dialog.waitFor({ state: "detached" });
      expect(await visit.focused()).toBe("New key");
      await visit.press("Revoke Steady");
      await visit.answer("Revoke");
      await page.locator("tbody tr", { hasText: "Steady" }).waitFor({ state: "detached" });
      expect(await visit.focused()).not.toBe("nothing");
      expect(await visit.end()).toEqual([]);
    },
    LONGEST_MS,
  );

  it(
    "says how many fit of what is chosen, not of what was",
    async () => {
      visit = await studio.visit();
      const { page } = visit;
      const made = await desk.api.call("POST", "/v1/webhooks", { url: "http://127.0.0.1:9/none" });
      const { webhook_id } = z.object({ webhook_id: z.string() }).parse(made);
      let release = (): void => undefined;
      const held = new Promise<void>((resolve) => (release = resolve));
      await page.route(/\/recover$/, async (route) => {
        await held;
        await route.continue();
      });
      await visit.go(`#/webhooks/${webhook_id}`, ".figures");
      await visit.press("Recover");
      await visit.answer("Count");
      await page.locator("dialog select").selectOption("delivered");
      release();
      await page.locator('dialog button[aria-disabled="false"]', { hasText: "Count" }).waitFor();
      expect(await page.locator("dialog").innerText()).not.toContain("Deliveries that fit");
      await visit.answer("Count");
      await page.getByText("Deliveries that fit: 0").waitFor();
      expect(await visit.end()).toEqual([]);
    },
    LONGEST_MS,
  );
});
