import path from "node:path";

import axe from "axe-core";
import {
  chromium,
  type Browser,
  type BrowserContext,
  type Page,
  type Response,
} from "playwright-core";
import { inject, vi } from "vitest";
import { z } from "zod";

/** How somebody looks at the console. */
export interface Look {
  theme?: "light" | "dark";
  lang?: "en" | "es";
  isPhone?: boolean;
  /** Signs in with it; null: not at all. The bootstrap key when absent. */
  key?: string | null;
}

const DESKTOP = { width: 1_280, height: 860 };
const PHONE = { width: 360, height: 740 };
/** How long a page may take to show something: this machine may be busy with something else. */
const PATIENCE_MS = 15_000;

const findingsSchema = z.array(z.string());

/** The browser of all tests. */
export class Studio {
  readonly #browser: Browser;

  static async open(): Promise<Studio> {
    return new Studio(await chromium.connect(inject("browser")));
  }

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  /** Somebody who looks at the console. */
  async visit(look: Look = {}): Promise<Visit> {
    const { theme = "light", lang = "en", isPhone = false, key = inject("adminKey") } = look;
    const context = await this.#browser.newContext({
      viewport: isPhone ? PHONE : DESKTOP,
      colorScheme: theme,
      locale: lang,
      reducedMotion: "reduce",
      permissions: ["clipboard-read", "clipboard-write"],
    });
    context.setDefaultTimeout(PATIENCE_MS);
    if (key !== null) {
      await context.addInitScript((secret) => sessionStorage.setItem("batuta.key", secret), key);
    }
    return new Visit(context, await context.newPage());
  }

  async close(): Promise<void> {
    await this.#browser.close();
  }
}

/** One window, with all that goes wrong in it written down. */
export class Visit {
  readonly page: Page;
  readonly #context: BrowserContext;
  readonly #faults: string[] = [];
  readonly #expected: RegExp[] = [];

  constructor(context: BrowserContext, page: Page) {
    this.page = page;
    this.#context = context;
    page.on("pageerror", (error) => this.#faults.push(`error: ${error.message}`));
    page.on("dialog", (dialog) => {
      this.#faults.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on("console", (message) => {
      // Answers are judged by what they are, below.
      const isOfAnswer = message.text().startsWith("Failed to load resource");
      if (message.type() === "error" && !isOfAnswer) {
        this.#faults.push(`console: ${message.text()}`);
      }
    });
    page.on("request", (request) => {
      if (!request.url().startsWith(inject("url"))) this.#faults.push(`asks ${request.url()}`);
    });
    page.on("response", (response) => this.#judge(response));
  }

  /** Answers of this form are meant to come: `404 /v1/tasks/nope`. */
  expects(answer: RegExp): void {
    this.#expected.push(answer);
  }

  /** Goes to a place of the console and waits until it is there: this is on it, and nothing is on its way. */
  async go(hash: string, sign: string): Promise<void> {
    const { page } = this;
    const address = `${inject("url")}/${hash}`;
    if (page.url().startsWith(inject("url"))) {
      await page.evaluate((to) => (location.hash = to), hash);
    } else {
      await page.goto(address);
    }
    await page.locator(sign).first().waitFor();
    await this.settled();
  }

  /** Waits until nothing says that it is loading. */
  async settled(): Promise<void> {
    await vi.waitFor(
      async () => {
        if ((await this.page.locator(".loading").count()) > 0) throw new Error("still loading");
      },
      { timeout: PATIENCE_MS },
    );
  }

  /** Presses a button of the page by its name. */
  async press(name: string): Promise<void> {
    await this.page.getByRole("button", { name, exact: true }).first().click();
  }

  /** Presses a button of the dialog, once that is open. */
  async answer(name: string): Promise<void> {
    await this.page.locator("dialog[open]").getByRole("button", { name, exact: true }).click();
  }

  /** Waits for a note about an action. */
  async noted(words: RegExp): Promise<void> {
    await this.page.locator(".note-good", { hasText: words }).waitFor();
  }

  /** All text of the page as it is shown. */
  text(): Promise<string> {
    return this.page.locator("body").innerText();
  }

  /** What has the focus, by its words. */
  focused(): Promise<string> {
    return this.page.evaluate(() => {
      const { activeElement: element, body } = document;
      return element === null || element === body ? "nothing" : (element.textContent ?? "");
    });
  }

  /** Keeps a picture of the whole page, for people. */
  async shoot(name: string): Promise<void> {
    await this.page.screenshot({
      path: path.join(inject("shots"), `${name}.png`),
      fullPage: true,
      animations: "disabled",
    });
  }

  /** What keeps people out (axe-core): findings that are serious or critical. */
  async barriers(): Promise<string[]> {
    await this.page.evaluate(axe.source);
    return findingsSchema.parse(
      await this.page.evaluate(`axe.run({ resultTypes: ["violations"] }).then(({ violations }) =>
        violations.filter(({ impact }) => impact === "serious" || impact === "critical").flatMap(
          ({ id, nodes }) => nodes.map(({ target, html }) => id + " " + target.join(" ") + ": " + html.slice(0, 160))))`),
    );
  }

  /** How much wider the page is than its window, pixels. */
  overflow(): Promise<number> {
    return this.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  }

  /**
   * Ends the visit.
   *
   * @returns all that went wrong: errors, dialogs, what its policy forbade, refusals that nobody expected, and requests
   * to anywhere else
   */
  async end(): Promise<string[]> {
    await this.#context.close();
    return this.#faults;
  }

  #judge(response: Response): void {
    const status = response.status();
    const { pathname } = new URL(response.url());
    const answer = `${status} ${pathname}`;
    if (status < 400 || this.#expected.some((one) => one.test(answer))) return;
    this.#faults.push(`answer: ${answer}`);
  }
}
