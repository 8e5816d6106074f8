import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as pause } from "node:timers/promises";

import { z } from "zod";

import { between } from "../draw.ts";
import { isSignedWith, textOf } from "../letter.ts";
import type { ReceiverShares } from "./plan.ts";
import { claimedSchema } from "./worker.ts";
import type { Claimed } from "./worker.ts";

/** How long a slow answer takes, at most: longer than an endpoint waits. Milliseconds. */
const SLOWEST_MS = 4_000;

const itemSchema = z.object({
  type: z.string(),
  data: z.object({
    task_id: z.string(),
    seq: z.int(),
    prev_seq: z.int().nullable(),
  }),
});
const batchSchema = z.object({
  type: z.literal("batch"),
  data: z.object({ items: z.array(itemSchema) }),
});
const bodySchema = z.union([batchSchema, itemSchema]);
const pushSchema = z.object({ type: z.literal("task_execution"), data: claimedSchema });

/** One notification as it arrived. */
export interface Receipt {
  /** `<tenant>/<kind>` */
  endpoint: string;
  message_id: string;
  /** What identical requests have in common. */
  body: string;
  isSigned: boolean;
  type: string;
  task_id: string;
  seq: number;
  prev_seq: number | null;
  /** Whether the receiver took it, and did for it what is to be done once. */
  isEffective: boolean;
}

type Fault = keyof ReceiverShares;

/** Takes webhooks and pushed tasks of all tenants, and is not always well. It outlives the server. */
export class Receiver {
  /** Everything that came, in order of arrival. */
  readonly receipts: Receipt[] = [];
  /** What the receiver itself could not cope with. */
  readonly faults: unknown[] = [];
  /** Whether it is ill at present. */
  isIll = false;
  /** Takes a pushed task; set by whoever performs them. */
  perform: (tenant: string, claimed: Claimed) => void = () => {};
  readonly #draw: () => number;
  readonly #shares: ReceiverShares;
  readonly #secrets = new Map<string, string>();
  readonly #taken = new Set<string>();
  readonly #pushed = new Set<string>();
  readonly #server = createServer((request, response) => {
    this.#receive(request, response).catch((error: unknown) => {
      if (!request.destroyed || request.complete) this.faults.push(error);
      response.destroy();
    });
  });
  url = "";

  constructor(draw: () => number, shares: ReceiverShares) {
    this.#draw = draw;
    this.#shares = shares;
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const { port } = z.object({ port: z.int() }).parse(this.#server.address());
    this.url = `http://127.0.0.1:${port}`;
  }

  /** What the requests to `/<area>/<tenant>/<kind>` are signed with. */
  trust(path: string, secret: string): void {
    this.#secrets.set(path, secret);
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await textOf(request);
    const [, area = "", ...rest] = (request.url ?? "").split("/");
    const path = `${area}/${rest.join("/")}`;
    const message_id = z.string().parse(request.headers["webhook-id"]);
    const isSigned = isSignedWith(this.#secrets.get(path) ?? "", body, request);
    const fault = this.#fault();
    // Whoever is slow or answers nonsense has done its work all the same.
    const isEffective = fault === null || fault === "slow" || fault === "garbage";
    if (area === "push") {
      if (isEffective) this.#take(rest[0] ?? "", message_id, body);
    } else {
      this.#note({ endpoint: rest.join("/"), message_id, body, isSigned, isEffective });
    }
    await this.#answer(response, fault, area === "push" ? 202 : 204);
  }

  #take(tenant: string, message_id: string, body: string): void {
    if (this.#pushed.has(message_id)) return;
    this.#pushed.add(message_id);
    this.perform(tenant, pushSchema.parse(JSON.parse(body)).data);
  }

  #note(of: Pick<Receipt, "endpoint" | "message_id" | "body" | "isSigned" | "isEffective">): void {
    const parsed = bodySchema.parse(JSON.parse(of.body));
    const items = "items" in parsed.data ? parsed.data.items : [itemSchema.parse(parsed)];
    // An idempotent receiver does once what comes under one id.
    const key = `${of.endpoint} ${of.message_id}`;
    const isFirst = of.isEffective && !this.#taken.has(key);
    if (isFirst) this.#taken.add(key);
    for (const { type, data } of items) {
      this.receipts.push({ ...of, isEffective: isFirst, type, ...data });
    }
  }

  #fault(): Fault | null {
    let draw = this.#draw();
    if (!this.isIll) return null;
    const kinds: Fault[] = ["error", "busy", "hang", "reset", "slow", "garbage"];
    for (const kind of kinds) {
      draw -= this.#shares[kind];
      if (draw < 0) return kind;
    }
    return null;
  }

  async #answer(response: ServerResponse, fault: Fault | null, well: number): Promise<void> {
    switch (fault) {
      case "error":
        response.writeHead(500).end("broken");
        return;
      case "busy":
        response.writeHead(503, { "retry-after": String(between(this.#draw, 1, 2)) }).end();
        return;
      case "hang":
        return;
      case "reset":
        response.socket?.resetAndDestroy();
        return;
      case "garbage":
        response.socket?.end("\u0000\u0001 this is no HTTP\r\n\r\n");
        return;
      case "slow":
        await pause(between(this.#draw, 200, SLOWEST_MS));
        response.writeHead(well).end();
        return;
      case null:
        response.writeHead(well).end();
    }
  }
}
