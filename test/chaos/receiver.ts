import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as pause } from "node:timers/promises";

import { z } from "zod";

import { between } from "./draw.ts";
import { isSignedWith, textOf } from "./letter.ts";

/** Of a hundred requests so many get 500, and so many no answer at all. */
const FAIL_SHARE = 0.08;
const HANG_SHARE = 0.03;

/** Fewer than the retries of an endpoint, so that none can run out of them. */
const MOST_FAILURES = 5;

/** An answer takes up to this, milliseconds: a kill finds requests under way. */
const LONGEST_ANSWER_MS = 40;

const bodySchema = z.object({
  type: z.string(),
  data: z.object({ task_id: z.string(), seq: z.int(), prev_seq: z.int().nullable() }),
});

/** One request as it arrived. */
export interface Receipt {
  endpoint: string;
  message_id: string;
  body: string;
  isSigned: boolean;
  type: string;
  task_id: string;
  seq: number;
  prev_seq: number | null;
}

/** A webhook receiver that outlives the server: it verifies every signature, and is not always well. */
export class Receiver {
  /** Everything that came, in order of arrival. */
  readonly receipts: Receipt[] = [];
  /** What the receiver itself could not cope with. */
  readonly faults: unknown[] = [];
  /** Requests that have come and have no answer yet. */
  open = 0;
  readonly #draw: () => number;
  readonly #secrets = new Map<string, string>();
  readonly #failures = new Map<string, number>();
  readonly #outages = new Map<string, number>();
  readonly #server = createServer((request, response) => {
    this.open += 1;
    response.once("close", () => (this.open -= 1));
    this.#receive(request, response).catch((error: unknown) => {
      this.faults.push(error);
      response.destroy();
    });
  });
  #url = "";

  constructor(draw: () => number) {
    this.#draw = draw;
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const { port } = z.object({ port: z.int() }).parse(this.#server.address());
    this.#url = `http://127.0.0.1:${port}`;
    return this;
  }

  /** Address of an endpoint: its name is the path. */
  urlOf(endpoint: string): string {
    return `${this.#url}/${endpoint}`;
  }

  /** What the requests to an endpoint are signed with. */
  trust(endpoint: string, secret: string): void {
    this.#secrets.set(endpoint, secret);
  }

  /** The next requests to an endpoint are all answered with 503. */
  breakDown(endpoint: string, requests: number): void {
    this.#outages.set(endpoint, requests);
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await textOf(request);
    const endpoint = (request.url ?? "").slice(1);
    const message_id = z.string().parse(request.headers["webhook-id"]);
    const { type, data } = bodySchema.parse(JSON.parse(body));
    const isSigned = isSignedWith(this.#secrets.get(endpoint) ?? "", body, request);
    this.receipts.push({ endpoint, message_id, body, isSigned, type, ...data });
    const status = this.#statusFor(endpoint, message_id);
    if (status === null) return;
    await pause(between(this.#draw, 0, LONGEST_ANSWER_MS));
    response.writeHead(status).end();
  }

  /** Null for no answer. Nothing fails more often than its retries can make up for. */
  #statusFor(endpoint: string, message_id: string): number | null {
    const failures = this.#failures.get(message_id) ?? 0;
    if (failures >= MOST_FAILURES) return 204;
    const outage = this.#outages.get(endpoint) ?? 0;
    // Well again after an outage: chance would open its breaker anew, and the storm would take minutes.
    if (outage === 0 && this.#outages.has(endpoint)) return 204;
    const luck = this.#draw();
    if (outage === 0 && luck >= FAIL_SHARE + HANG_SHARE) return 204;
    this.#failures.set(message_id, failures + 1);
    if (outage > 0) {
      this.#outages.set(endpoint, outage - 1);
      return 503;
    }
    return luck < FAIL_SHARE ? 500 : null;
  }
}
