import type { Page } from "playwright-core";
import { z } from "zod";

/* What somebody meets who has a keyboard or a screen reader, while machines and servers take their time. */

/** More than the console waits between two looks at a list of keys, milliseconds. */
const LOOK_MS = 16_000;
const PAGE = 50;

const stopsSchema = z.array(z.string());

/** Lets the browser draw late, as on a machine that is busy: what is put off until after a frame comes then. */
export async function lag(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const later = window.setTimeout.bind(window);
    const lateMs = 700;
    window.requestAnimationFrame = (draw) => later(() => draw(performance.now()), lateMs);
    Object.assign(window, {
      setTimeout: (act: () => void, ms = 0) => later(act, Math.max(ms, lateMs)),
    });
  });
}

/** Notes from now on where the focus goes. */
export async function listen(page: Page): Promise<() => Promise<string[]>> {
  await page.evaluate(() => {
    const stops: string[] = [];
    document.addEventListener("focusin", ({ target }) => {
      if (target instanceof HTMLElement) stops.push(target.ariaLabel ?? target.textContent ?? "");
    });
    Object.assign(window, { stops });
  });
  return async () => stopsSchema.parse(await page.evaluate("window.stops"));
}

/** What has the focus, as a reader would say it. */
export function said(page: Page): Promise<string> {
  return page.evaluate(() => {
    const { activeElement: element, body } = document;
    if (element === null || element === body) return "nothing";
    return element.ariaLabel ?? element.textContent ?? "";
  });
}

/** Goes elsewhere, and presses a button there by the keyboard in the moment in which it appears. */
export async function pressAtOnce(page: Page, hash: string, name: string): Promise<void> {
  await page.evaluate(
    ([to, words]) =>
      new Promise<void>((resolve) => {
        const observer = new MutationObserver(() => {
          const buttons = [...document.querySelectorAll("button")];
          const button = buttons.find(({ textContent }) => textContent === words);
          if (button === undefined) return;
          observer.disconnect();
          button.focus();
          button.click();
          resolve();
        });
        observer.observe(document.body, { childList: true, subtree: true });
        location.hash = to;
      }),
    [hash, name] as const,
  );
}

const keyOf = (name: string) => ({
  key_id: `key_${name}`,
  name,
  tenant: "default",
  scopes: ["observe"],
  state: "active",
  created_at: "2026-01-01T00:00:00.000Z",
  expires_at: null,
  rotated_at: null,
  retiring_until: null,
  last_used_at: null,
});

/** A server whose keys have these names, in this order. */
export class PlayedKeys {
  readonly #page: Page;
  #names: readonly string[];

  constructor(page: Page, names: readonly string[]) {
    this.#page = page;
    this.#names = names;
  }

  /** Answers for the server from now on; the page's clock can be put forward. */
  async play(): Promise<void> {
    await this.#page.clock.install();
    await this.#page.route(
      (url) => url.pathname === "/v1/keys",
      (route) => {
        const from = Number(new URL(route.request().url()).searchParams.get("cursor") ?? 0);
        const to = from + PAGE;
        const next_cursor = to < this.#names.length ? String(to) : null;
        const items = this.#names.slice(from, to).map(keyOf);
        return route.fulfill({ json: { items, next_cursor } });
      },
    );
  }

  /** Has other keys, and waits until the page shows them. */
  async become(...names: readonly string[]): Promise<void> {
    this.#names = names;
    await this.#page.clock.fastForward(LOOK_MS);
    const rows = names.map((name) => `key_${name}`).join("\n");
    await this.#page.waitForFunction(
      (wanted) =>
        [...document.querySelectorAll("tbody .mono")]
          .map(({ textContent }) => textContent)
          .join("\n") === wanted,
      rows,
    );
  }
}
