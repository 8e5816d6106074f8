import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as pause } from "node:timers/promises";

import { z } from "zod";

import { Server } from "./server.ts";

/* A server, receivers around it, and all that it says to anybody. */

/** A delivery is retried by a queue message, and a push by an alarm. */
const SETTLED_WITHIN_MS = 20_000;

/** Any JSON object. */
export const anySchema = z.record(z.string(), z.unknown());

/** One answer of the server. */
export interface Answer {
  call: string;
  status: number;
  /** Body and headers. */
  text: string;
  body: Record<string, unknown>;
}

/** One request that came to a receiver. */
interface Arrival {
  path: string;
  headers: string;
  body: string;
}

/** A text that nothing else can contain by chance. */
export const random = (): string => randomBytes(18).toString("base64url");

/** How a receiver answers, by the first part of its address. */
function reply(area: string, body: string, { headers }: IncomingMessage): [number, string] {
  switch (area) {
    case "echo":
      return [500, JSON.stringify({ headers, body })];
    case "refuse":
      return [400, String(headers["authorization"])];
    case "push":
      return [202, ""];
    case "decline":
      return [409, JSON.stringify({ reason: `no room; ${String(headers["webhook-signature"])}` })];
    case "gone":
      return [410, ""];
    default:
      return [204, ""];
  }
}

/** Calls a server of its own, and keeps every output of it. */
export class Surface {
  /** Each secret by its name. */
  readonly secrets = new Map<string, string>();
  /** Every answer of the server. */
  readonly answers: Answer[] = [];
  /** Every request that came to a receiver. */
  readonly arrivals: Arrival[] = [];
  readonly server: Server;
  readonly #receiver = createServer((request, response) => void this.#receive(request, response));
  /** Where the receivers are; the first part of the path says how one answers. */
  url = "";
  /** The key of the next calls. */
  key = "";

  private constructor(server: Server) {
    this.server = server;
    this.keep("admin key", server.adminKey);
    this.key = server.adminKey;
  }

  /** Starts it all. */
  static async start(): Promise<Surface> {
    const sealKey = `seal-${random()}-${random()}`;
    const server = await Server.create({ BATUTA_SEAL_KEY: sealKey, WRANGLER_LOG: "log" });
    const world = new Surface(server);
    world.keep("seal key", sealKey);
    await new Promise<void>((resolve) => world.#receiver.listen(0, "127.0.0.1", resolve));
    const { port } = z.object({ port: z.int() }).parse(world.#receiver.address());
    world.url = `http://127.0.0.1:${port}`;
    await server.start();
    return world;
  }

  /** Ends it all, and removes what the server kept. */
  async stop(): Promise<void> {
    this.#receiver.closeAllConnections();
    this.#receiver.close();
    await this.server.stop();
  }

  /** Notes a secret under a name. */
  keep(name: string, secret: unknown): string {
    const text = z.string().min(16).parse(secret);
    this.secrets.set(name, text);
    return text;
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(z.instanceof(Buffer).parse(chunk));
    const body = Buffer.concat(chunks).toString("utf8");
    const path = request.url ?? "";
    this.arrivals.push({ path, headers: JSON.stringify(request.rawHeaders), body });
    const [status, text] = reply(path.split("/")[1] ?? "", body, request);
    response.writeHead(status, { "content-type": "application/json" }).end(text);
  }

  /** Calls the server, with the key unless another authorization is given; an empty one sends none. */
  async call(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const given = {
      authorization: `Bearer ${this.key}`,
      ...(body !== undefined && { "content-type": "application/json" }),
      ...headers,
    };
    const answer = await fetch(this.server.url + path, {
      method,
      headers: Object.entries(given).filter(([, value]) => value !== ""),
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(30_000),
    });
    const said = await answer.text();
    const text = `${said}\n${JSON.stringify([...answer.headers])}`;
    const isJson = /json/.test(answer.headers.get("content-type") ?? "") && said.startsWith("{");
    const kept = {
      call: `${method} ${path}`,
      status: answer.status,
      text,
      body: isJson ? anySchema.parse(JSON.parse(said)) : {},
    };
    this.answers.push(kept);
    return kept;
  }

  /** Asks until it is so. */
  async until(isThere: () => Promise<boolean>, what: string): Promise<void> {
    const giveUpAt = Date.now() + SETTLED_WITHIN_MS;
    while (!(await isThere())) {
      if (Date.now() > giveUpAt) throw new Error(`It never came: ${what}`);
      await pause(200);
    }
  }
}
