/** An HTTP client of load runs: every answer is a value, also one that never came. */
import http from "node:http";

/** How long an answer is waited for unless told otherwise, milliseconds: longer than a claim may wait. */
export const ANSWER_WITHIN_MS = 20_000;

/** How long a connection may rest, milliseconds: workerd keeps one for 5 s. */
const RESTING_MS = 1_500;

/** What the network does when a server has no more connections to give, or goes away. */
const DROPPED = "dropped connection";
const TIMED_OUT = "no answer in time";

/** Calls one server with one key. As many connections as are asked for: a client that waits for a free one hides the wait. */
export class Caller {
  // A connection that rests is closed here before the server closes it, under the feet of the next request.
  #agent = new http.Agent({ keepAlive: true, maxSockets: Infinity, timeout: RESTING_MS });
  #base;
  #key;
  #withinMs;

  constructor(base, key, { withinMs = ANSWER_WITHIN_MS } = {}) {
    this.#base = base;
    this.#key = key;
    this.#withinMs = withinMs;
  }

  /**
   * What came of a request; never throws.
   *
   * @returns {Promise<{ outcome: string, status: number | null, body: object | null, retryAfterS: number | null }>} the
   *   outcome is `ok` for 2xx, `<status> <code>` for a refusal, and otherwise what the network did
   */
  async send(method, path, body, headers = {}) {
    try {
      return answerOf(await this.#exchange(method, path, { body, headers }));
    } catch (error) {
      const outcome = error.name === "TimeoutError" ? TIMED_OUT : DROPPED;
      return { outcome, status: null, body: { detail: String(error) }, retryAfterS: null };
    }
  }

  /** The body of an answer that has to be 2xx. @throws Error with what came in its place */
  async call(method, path, body, headers = {}) {
    const answer = await this.send(method, path, body, headers);
    if (answer.outcome === "ok") return answer.body;
    throw new Error(`${method} ${path}: ${answer.outcome} ${JSON.stringify(answer.body)}`);
  }

  close() {
    this.#agent.destroy();
  }

  #exchange(method, path, { body, headers }) {
    const { promise, resolve, reject } = Promise.withResolvers();
    const options = {
      method,
      agent: this.#agent,
      signal: AbortSignal.timeout(this.#withinMs),
      headers: {
        ...(this.#key && { authorization: `Bearer ${this.#key}` }),
        ...(body !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
    };
    const request = http.request(new URL(path, this.#base), options, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => (text += chunk));
      response.on("end", () => resolve({ response, text }));
      response.on("error", reject);
    });
    // A request that is given up has the reason of its signal as the cause.
    request.on("error", (error) => reject(error.cause ?? error));
    request.end(body === undefined ? undefined : JSON.stringify(body));
    return promise;
  }
}

function answerOf({ response, text }) {
  const status = response.statusCode;
  const body = parsed(text);
  const isOk = status >= 200 && status < 300;
  const retryAfter = response.headers["retry-after"];
  return {
    outcome: isOk ? "ok" : `${status} ${body?.code ?? "without a code"}`,
    status,
    body,
    retryAfterS: retryAfter === undefined ? null : Number(retryAfter),
  };
}

function parsed(text) {
  try {
    return text === "" ? null : JSON.parse(text);
  } catch {
    return { detail: text.slice(0, 200) };
  }
}

/** Whether it may go well when it is tried again: the server asks for patience, or it is unknown what it has done. */
export function isPassing({ status }) {
  return status === null || status === 429 || status === 503;
}
