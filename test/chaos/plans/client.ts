import { setTimeout as pause } from "node:timers/promises";

import { z } from "zod";

import { askOnce } from "../api.ts";

/** No call goes on for longer, however often the server dies meanwhile. */
const PATIENCE_MS = 150_000;
const CALL_MS = 15_000;
const PAUSE_MS = 150;

/** What the server made of a call: a body, or the code of a refusal. */
export type Reply = { ok: true; body: unknown } | { ok: false; status: number; code: string };

const problemSchema = z.object({ code: z.string() });

/** Calls a server with the key of one tenant, and again as long as it has no answer that means anything. */
export class Client {
  readonly tenant: string;
  readonly #url: string;
  readonly #key: string;

  constructor(url: string, tenant: string, key: string) {
    this.#url = url;
    this.tenant = tenant;
    this.#key = key;
  }

  /**
   * The body of the answer, or the refusal.
   *
   * @throws when there is neither within two and a half minutes
   */
  async ask(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Reply> {
    const giveUpAt = Date.now() + PATIENCE_MS;
    for (;;) {
      const answer = await askOnce(this.#url + path, this.#key, {
        method,
        body,
        headers,
        limitMs: CALL_MS,
      });
      if (answer !== null && answer.status < 300) return { ok: true, body: jsonOf(answer.text) };
      if (answer !== null && answer.status < 500 && answer.status !== 429) {
        const { code } = problemSchema.parse(jsonOf(answer.text));
        return { ok: false, status: answer.status, code };
      }
      if (Date.now() > giveUpAt) {
        throw new Error(`${method} ${path}: ${answer?.status ?? "no answer"} ${answer?.text}`);
      }
      await pause(PAUSE_MS);
    }
  }

  /**
   * The body of the answer.
   *
   * @throws when it is refused, or not answered in time
   */
  async must(method: string, path: string, body?: unknown): Promise<unknown> {
    const reply = await this.ask(method, path, body);
    if (reply.ok) return reply.body;
    throw new Error(`${method} ${path}: ${reply.status} ${reply.code}`);
  }

  /** All items of a list; no list here has more than a hundred pages. */
  async all<Item>(path: string, item: z.ZodType<Item>, cursor = "cursor"): Promise<Item[]> {
    const pageSchema = z.object({ items: z.array(item), next_cursor: z.string().nullable() });
    const items: Item[] = [];
    let next = "";
    for (let page = 0; page < 100; page += 1) {
      const answer = pageSchema.parse(await this.must("GET", path + next));
      items.push(...answer.items);
      if (answer.next_cursor === null) return items;
      next = `&${cursor}=${encodeURIComponent(answer.next_cursor)}`;
    }
    throw new Error(`${path} does not come to an end.`);
  }
}

function jsonOf(text: string): unknown {
  return text === "" ? null : JSON.parse(text);
}
