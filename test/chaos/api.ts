import { setTimeout as pause } from "node:timers/promises";

/** No call goes on for longer, however often the server dies meanwhile. */
const PATIENCE_MS = 120_000;
const CALL_MS = 30_000;
const PAUSE_MS = 100;

/** One request to a server that may be dead. */
interface Call {
  method: string;
  body: unknown;
  headers: Record<string, string>;
  /** How long it may take, milliseconds. */
  limitMs: number;
}

/** Null when there is no answer, or only the beginning of one. */
export async function askOnce(
  url: string,
  key: string,
  { method, body, headers, limitMs }: Call,
): Promise<{ status: number; text: string } | null> {
  try {
    const answer = await fetch(url, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(limitMs),
    });
    return { status: answer.status, text: await answer.text() };
  } catch {
    // It is dead at the moment; the caller asks again.
    return null;
  }
}

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
      const answer = await askOnce(this.#url + path, this.#key, {
        method,
        body,
        headers,
        limitMs: CALL_MS,
      });
      if (answer !== null && answer.status < 300) return JSON.parse(answer.text);
      if ((answer !== null && answer.status < 500) || Date.now() > giveUpAt) {
        throw new Error(`${method} ${path}: ${answer?.status ?? "no answer"} ${answer?.text}`);
      }
      await pause(PAUSE_MS);
    }
  }
}
