import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest";
import { z } from "zod";

import { Desk } from "./desk.ts";
import { PlayedAlerts } from "./played-alerts.ts";
import { playOverview } from "./played-overview.ts";
import { Receiver } from "./receiver.ts";
import { Studio, type Look, type Visit } from "./visit.ts";

/* Every page, as it is looked at: in both themes and languages, at a desk and on a phone, by people and by axe. */

const LONGEST_MS = 120_000;

/** The phone sees the overview of a busy day, which takes more room than that of this server. */
const LOOKS: readonly [name: string, look: Look & { isBusy?: boolean }][] = [
  ["light-en-desk", { theme: "light", lang: "en" }],
  ["dark-es-phone", { theme: "dark", lang: "es", isPhone: true, isBusy: true }],
];

/** A page and what shows that it is there. */
interface Stop {
  name: string;
  hash: string;
  sign: string;
}

const idSchema = z.object({ webhook_id: z.string() });
/** Something has been sent, whatever came of it. */
const attemptedSchema = z.object({
  items: z.tuple([z.object({ attempts_made: z.int().min(1) })], z.unknown()),
});
const firstId = (list: unknown, name: string): string =>
  z
    .object({ items: z.array(z.record(z.string(), z.unknown())).min(1) })
    .transform(({ items }) => String(items[0]?.[name]))
    .parse(list);

let studio: Studio;
let receiver: Receiver;
let stops: Stop[];

/** Something of every kind, so that no page is empty. */
async function furnish(): Promise<Stop[]> {
  const desk = new Desk(inject("url"), inject("adminKey"));
  const { api } = desk;
  await desk.register("oboe", { version: "2.1", labels: { region: "eu" } });
  await desk.hold("oboe", "pages-asks", { tags: ["paper"], priority: "high" });
  await desk.begin("pages-asks");
  const url = receiver.answering("/pages", { status: 500, body: "out of paper" });
  const made = await api.call("POST", "/v1/webhooks", { url, name: "Accounting" });
  const { webhook_id } = idSchema.parse(made);
  await desk.ask("pages-asks", "Is INV-103 or INV-130 the duplicate?", {
    options: ["INV-103", "INV-130"],
  });
  await desk.hold("oboe", "pages-works", { priority: "critical" });
  await desk.begin("pages-works");
  await desk.say("pages-works", "task_progress", {
    progress_percentage: 62,
    current_step: "Writing the form",
  });
  await api.call("PUT", "/v1/alert-channels/pages", { name: "Room", kind: "webhook", url });
  await api.call("POST", "/v1/silences", {
    rule_id: "cost-unusual",
    max_severity: "info",
    duration_s: 3_600,
    reason: "The printer is being mended",
  });
  await api.call("POST", "/v1/keys", { name: "Nightly reports", scopes: ["observe"] });
  const deliveries = await vi.waitFor(
    async () => {
      const page = await api.call("GET", `/v1/webhooks/${webhook_id}/deliveries`);
      attemptedSchema.parse(page);
      return page;
    },
    { timeout: LONGEST_MS },
  );
  const question = await vi.waitFor(
    async () =>
      firstId(await api.call("GET", "/v1/escalations?task_id=pages-asks"), "escalation_id"),
    { timeout: LONGEST_MS },
  );
  return [
    { name: "overview", hash: "#/overview", sign: ".figures" },
    { name: "tasks", hash: "#/tasks", sign: ".list tbody tr" },
    { name: "task", hash: "#/tasks/pages-works", sign: ".event" },
    { name: "task-result", hash: "#/tasks/pages-works?view=result", sign: ".tabs" },
    { name: "task-trace", hash: "#/tasks/pages-works?view=trace", sign: ".waterfall" },
    { name: "task-deliveries", hash: "#/tasks/pages-works?view=deliveries", sign: ".tabs" },
    { name: "task-more", hash: "#/tasks/pages-works?view=more", sign: ".tabs" },
    { name: "agents", hash: "#/agents", sign: ".list tbody tr" },
    { name: "agent", hash: "#/agents/oboe", sign: ".facts" },
    { name: "webhooks", hash: "#/webhooks", sign: ".list tbody tr" },
    { name: "webhook", hash: `#/webhooks/${webhook_id}`, sign: ".with-list tbody tr" },
    {
      name: "delivery",
      hash: `#/webhooks/${webhook_id}?delivery=${firstId(deliveries, "delivery_id")}`,
      sign: ".attempt, .panel .quiet",
    },
    { name: "escalations", hash: "#/escalations", sign: ".list tbody tr" },
    {
      name: "escalation",
      hash: `#/escalations/${question}`,
      sign: ".answer-form",
    },
    { name: "alerts", hash: "#/alerts", sign: ".list tbody tr" },
    { name: "alert", hash: "#/alerts/al_1", sign: ".facts" },
    { name: "silences", hash: "#/alerts?view=silences", sign: ".list tbody tr" },
    { name: "rules", hash: "#/alerts?view=rules", sign: ".list tbody tr" },
    { name: "channels", hash: "#/alerts?view=channels", sign: ".list tbody tr" },
    { name: "keys", hash: "#/keys", sign: ".list tbody tr" },
    { name: "unknown", hash: "#/nowhere", sign: "h1" },
  ];
}

beforeAll(async () => {
  [studio, receiver] = await Promise.all([Studio.open(), new Receiver().start()]);
  stops = await furnish();
}, LONGEST_MS);

afterAll(async () => {
  receiver.stop();
  await studio.close();
});

/** Plays what takes a day, or minutes, to be there. */
async function play(visit: Visit, isBusy = false): Promise<void> {
  const { page } = visit;
  if (isBusy) await playOverview(page);
  const texts = {
    title: "Four of ten tasks fail",
    detail: "In the last five minutes 87 of 212 tasks have failed.",
    subject: "data_analysis",
  };
  await new PlayedAlerts(texts).on(page);
}

describe.each(LOOKS)("every page in %s", (look, how) => {
  let visit: Visit;

  beforeAll(async () => {
    visit = await studio.visit(how);
    await play(visit, how.isBusy);
  });

  it(
    "is wide enough for its window, and keeps nobody out (axe)",
    async () => {
      const found: Record<string, unknown> = {};
      for (const { name, hash, sign } of stops) {
        await visit.go(hash, sign);
        const overflow = await visit.overflow();
        const barriers = await visit.barriers();
        if (overflow > 0 || barriers.length > 0) found[name] = { overflow, barriers };
        await visit.shoot(`${name}-${look}`);
      }

      expect(found).toEqual({});
    },
    LONGEST_MS,
  );

  it(
    "speaks its language, in the page and in its title",
    async () => {
      const titles = { en: "Escalations", es: "Consultas" };
      await visit.go("#/escalations", ".toolbar");

      await expect.poll(() => visit.page.title()).toBe(`${titles[how.lang ?? "en"]} · Batuta`);
      await expect.poll(() => visit.page.locator("html").getAttribute("lang")).toBe(how.lang);
    },
    LONGEST_MS,
  );

  it(
    "shows in its navigation where one is, however many pages there are",
    async () => {
      await visit.go("#/keys", ".list");
      const box = await visit.page.locator("nav a[aria-current=page]").boundingBox();

      expect(box?.x).toBeGreaterThanOrEqual(0);
      expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(
        how.isPhone === true ? 360 : 1_280,
      );
    },
    LONGEST_MS,
  );

  it("had no error, no dialog, nothing that its policy forbids, and asked nobody else", async () => {
    expect(await visit.end()).toEqual([]);
  });
});

describe.each(LOOKS)("the page to sign in, in %s", (look, how) => {
  it(
    "keeps nobody out, and fits",
    async () => {
      const visit = await studio.visit({ ...how, key: null });
      await visit.go("", "#key");
      await visit.shoot(`sign-in-${look}`);

      expect(await visit.barriers()).toEqual([]);
      expect(await visit.overflow()).toBeLessThanOrEqual(0);
      expect(await visit.end()).toEqual([]);
    },
    LONGEST_MS,
  );
});

describe.each(LOOKS)("forms in %s", (look, how) => {
  it(
    "keep nobody out, and fit",
    async () => {
      const visit = await studio.visit(how);
      await play(visit);
      const { page } = visit;
      const found: Record<string, unknown> = {};
      const forms: readonly [name: string, hash: string, sign: string, button: string][] = [
        ["submit", "#/tasks", ".list", ".page-aside .button"],
        ["register", "#/webhooks", ".list", ".page-aside .button"],
        [
          "recover",
          stops.find(({ name }) => name === "webhook")?.hash ?? "",
          ".figures",
          ".row .button:nth-last-child(2)",
        ],
        ["remove", "#/agents/oboe", ".figures", ".button.danger"],
        ["acknowledge", "#/alerts/al_1", ".facts", ".button.primary"],
        ["create-key", "#/keys", ".list", ".page-aside .button"],
      ];
      for (const [name, hash, sign, button] of forms) {
        await visit.go(hash, sign);
        await page.locator(button).first().click();
        await page.locator("dialog[open]").waitFor();
        const overflow = await visit.overflow();
        const barriers = await visit.barriers();
        if (overflow > 0 || barriers.length > 0) found[name] = { overflow, barriers };
        await page.screenshot({ path: `${inject("shots")}/form-${name}-${look}.png` });
        await page.keyboard.press("Escape");
        await page.locator("dialog[open]").waitFor({ state: "detached" });
      }

      expect(found).toEqual({});
      expect(await visit.end()).toEqual([]);
    },
    LONGEST_MS,
  );
});
