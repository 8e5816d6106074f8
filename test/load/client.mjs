/** What load scripts share: an HTTP client, sixteen at a time, and figures. */
import http from "node:http";

/** Requests under way at one time. */
export const CONCURRENCY = 16;

/** Calls one server with one key over connections that stay open. */
export class Client {
  #agent = new http.Agent({ keepAlive: true, maxSockets: 4 * CONCURRENCY });
  #base;
  #key;

  constructor(base, key) {
    this.#base = base;
    this.#key = key;
  }

  /**
   * The parsed body of the answer.
   *
   * @throws Error for any status but 2xx: under load too, a refusal here means that something is broken
   */
  async call(method, path, body, headers = {}) {
    const { status, text } = await this.#send(method, path, body, headers);
    if (status < 200 || status > 299) {
      throw new Error(`${method} ${path} answered ${status}: ${text.slice(0, 500)}`);
    }
    return text === "" ? null : JSON.parse(text);
  }

  #send(method, path, body, headers) {
    const { promise, resolve, reject } = Promise.withResolvers();
    const options = {
      method,
      agent: this.#agent,
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
      response.on("end", () => resolve({ status: response.statusCode, text }));
      response.on("error", reject);
    });
    request.on("error", reject);
    request.end(body === undefined ? undefined : JSON.stringify(body));
    return promise;
  }

  close() {
    this.#agent.destroy();
  }
}

/**
 * Does `count` units, sixteen at a time, but begins none after `limitMs`.
 *
 * @param {(index: number, lane: number) => Promise<void>} unit `lane` is 0 to 15: one unit at a time has it
 * @returns {Promise<number>} units done
 */
export async function inParallel(count, limitMs, unit) {
  const until = performance.now() + limitMs;
  let next = 0;
  const work = async (lane) => {
    while (next < count && performance.now() < until) {
      const index = next++;
      await unit(index, lane);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, (_, lane) => work(lane)));
  return next;
}

/** The value below which a share of all lies; null of nothing. */
export function quantile(values, share) {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? null;
}

/** The middle value; null of nothing. */
export function median(values) {
  return quantile(values, 0.5);
}
