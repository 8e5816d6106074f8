import { setTimeout as pause } from "node:timers/promises";

/** No call goes on for longer, however often the server dies meanwhile. */
const PATIENCE_MS = 120_000;
const CALL_MS = 30_000;
const PAUSE_MS = 100;

/** Calls one server, and again as long as it is not there, as every client has to that wants to be sure. */
export class Api {
  readonly #url: string;
  readonly #key: string;

  constructor(url: string, key: string) {
    this.#url = url;
    this.#key = key;
  }

  /**
   * The body of the answer.
   *
   * @throws when it is refused, or not answered within two minutes
   */
  async call(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<unknown> {
    const giveUpAt = Date.now() + PATIENCE_MS;
    for (;;) {
      const answer = await this.#ask(method, path, body, headers);
      if (answer !== null && answer.status < 300) return JSON.parse(answer.text);
      if ((answer !== null && answer.status < 500) || Date.now() > giveUpAt) {
        throw new Error(`${method} ${path}: ${answer?.status ?? "no answer"} ${answer?.text}`);
      }
      await pause(PAUSE_MS);
    }
  }

  /** Null when there is no answer, or only the beginning of one. */
  async #ask(
    method: string,
    path: string,
    body: unknown,
    headers: Record<string, string>,
  ): Promise<{ status: number; text: string } | null> {
    try {
      const answer = await fetch(this.#url + path, {
        method,
        headers: {
          authorization: `Bearer ${this.#key}`,
          ...(body !== undefined && { "content-type": "application/json" }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(CALL_MS),
      });
      return { status: answer.status, text: await answer.text() };
    } catch {
      // It is dead at the moment; the caller asks again.
      return null;
    }
  }
}
