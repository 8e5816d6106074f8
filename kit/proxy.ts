import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";

import { z } from "zod";

import { offered, pushedToken, reading, withBody } from "./exchange.ts";
import type { Answer, Exchange } from "./exchange.ts";
import { adopted, restored } from "./registration.ts";

/** What a rule returns to cut the connection in place of an answer. */
export const CUT = Symbol("cut");

/** Passes a request on, and brings the answer; each call is one more delivery of it. */
export type Pass = () => Promise<Answer>;

/** Decides what becomes of one request. */
export type Rule = (exchange: Exchange, pass: Pass) => Promise<Answer | typeof CUT>;

/** What becomes of a claim that brings tasks, on its way to the executor. */
export type OfferRule = (
  answer: Answer,
  task_ids: readonly string[],
) => Promise<Answer | typeof CUT>;

/** Headers that belong to one connection, or that fetch writes itself. */
const OWN_HEADERS = new Set([
  "connection",
  "content-encoding",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "transfer-encoding",
  "upgrade",
  "accept-encoding",
]);

const addressSchema = z.object({ port: z.int() });

function jsonIn(text: string): unknown {
  try {
    return text === "" ? null : JSON.parse(text);
  } catch {
    // What is no JSON is passed on all the same.
    return null;
  }
}

function plainHeaders(entries: Iterable<[string, unknown]>): Record<string, string> {
  const kept = [...entries].filter(([name]) => !OWN_HEADERS.has(name.toLowerCase()));
  return Object.fromEntries(kept.map(([name, value]) => [name.toLowerCase(), String(value)]));
}

/**
 * Stands between a program under test and Batuta, passes everything on, and breaks what a check asks it to break.
 *
 * A program that speaks to `url` speaks to Batuta; an executor that takes pushes gets them through it, too. All that
 * was said is in `exchanges`, in order of arrival; reads (GET) go by without rules and are not kept.
 */
export class Proxy {
  readonly exchanges: Exchange[] = [];
  /** Rules for what is said about one task. */
  readonly #tasks = new Map<string, Rule>();
  /** Looked at when a claim comes; an answer keeps it from Batuta. */
  onClaim: ((exchange: Exchange) => Promise<Answer | null>) | null = null;
  /** Looked at when a claim has brought something: also one that has been waiting since before. */
  onOffer: OfferRule | null = null;
  onPush: Rule | null = null;
  onSubmit: Rule | null = null;
  /** The label of this run. */
  readonly #run: string;
  readonly #target: string;
  /** Where executors really want their pushes. */
  readonly #pushUrls = new Map<string, string>();
  /** What executors were told to verify pushes with, where it came by. */
  readonly secrets = new Map<string, string>();
  readonly #publicUrl: string | null;
  #port = 0;
  readonly #server = createServer((request, response) => {
    this.#take(request, response).catch((error: unknown) => {
      // Nobody is there behind us: the program sees what it would see without us.
      if (!response.headersSent) response.writeHead(502, { "content-type": "text/plain" });
      response.end(String(error));
    });
  });

  /** @param place.publicUrl where Batuta can reach this proxy, when that is not 127.0.0.1 */
  constructor(place: { target: string; run: string; publicUrl: string | null }) {
    this.#target = place.target.replace(/\/$/, "");
    this.#run = place.run;
    this.#publicUrl = place.publicUrl;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** @param port 0 for any */
  async listen(port: number): Promise<this> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, "127.0.0.1", resolve);
    });
    this.#port = addressSchema.parse(this.#server.address()).port;
    return this;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** Everything goes by unbroken again. */
  clear(): void {
    this.#tasks.clear();
    this.onClaim = null;
    this.onOffer = null;
    this.onPush = null;
    this.onSubmit = null;
  }

  setRule(task_id: string, rule: Rule): void {
    this.#tasks.set(task_id, rule);
  }

  /** An address of this proxy whose requests go on to a receiver, under `onPush`. */
  forward(name: string, url: string): string {
    this.#pushUrls.set(name, url);
    return `${this.#publicUrl ?? this.url}/push/${name}`;
  }

  pushUrlOf(agent_id: string): string | null {
    return this.#pushUrls.get(agent_id) ?? null;
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const bytes = await buffer(request);
    const { method = "GET", url = "/" } = request;
    if (method === "GET" || method === "HEAD") return this.#show(request, response);
    const body = jsonIn(bytes.toString("utf8"));
    const headers = plainHeaders(Object.entries(request.headers));
    const exchange: Exchange = {
      at: Date.now(),
      ...reading(method, url, body),
      method,
      path: url,
      headers,
      body,
      token: headers["lease-token"] ?? pushedToken(body),
      passed: [],
      answer: null,
      answeredAt: null,
      isCut: false,
    };
    this.exchanges.push(exchange);
    const pass: Pass = async () => {
      const answer = await this.#send(exchange, bytes);
      exchange.passed.push(answer);
      return answer;
    };
    const outcome = await this.#decide(exchange, pass);
    if (outcome === CUT) {
      exchange.isCut = true;
      exchange.answeredAt = Date.now();
      response.destroy();
      return;
    }
    exchange.answer = outcome;
    exchange.answeredAt = Date.now();
    response.writeHead(outcome.status, { ...outcome.headers });
    response.end(outcome.text);
  }

  async #decide(exchange: Exchange, pass: Pass): Promise<Answer | typeof CUT> {
    const { kind, task_id } = exchange;
    if (kind === "claim") return this.#claim(exchange, pass);
    if (kind === "register") return this.#register(exchange, pass);
    if (kind === "offer") return this.onPush === null ? pass() : this.onPush(exchange, pass);
    if (kind === "submit") return this.onSubmit === null ? pass() : this.onSubmit(exchange, pass);
    const rule = task_id === null ? undefined : this.#tasks.get(task_id);
    return rule === undefined ? pass() : rule(exchange, pass);
  }

  async #claim(exchange: Exchange, pass: Pass): Promise<Answer | typeof CUT> {
    const instead = (await this.onClaim?.(exchange)) ?? null;
    if (instead !== null) return instead;
    const answer = await pass();
    const task_ids = offered(answer);
    return task_ids.length === 0 || this.onOffer === null ? answer : this.onOffer(answer, task_ids);
  }

  async #register(exchange: Exchange, pass: Pass): Promise<Answer> {
    const agent_id = exchange.path.split("?")[0]?.split("/")[3] ?? "";
    const pushUrl = `${this.#publicUrl ?? this.url}/push/${agent_id}`;
    const { registration, url } = adopted(exchange.body, { run: this.#run, pushUrl });
    exchange.body = registration;
    if (url !== null) this.#pushUrls.set(agent_id, url);
    const answer = await pass();
    const told = z.looseObject({ secret: z.string() }).safeParse(answer.body);
    if (told.success) this.secrets.set(agent_id, told.data.secret);
    return answer.status < 300 ? withBody(answer, restored(answer.body, url)) : answer;
  }

  /** Sends a request to whom it is for: what the executor registers goes out as it was changed. */
  async #send(exchange: Exchange, bytes: Buffer): Promise<Answer> {
    const { kind, method, path, headers } = exchange;
    const agent_id = path.split("/")[2] ?? "";
    const target = kind === "offer" ? this.#pushUrls.get(agent_id) : this.#target + path;
    if (target === undefined) throw new Error(`nobody has registered a url for ${agent_id}`);
    const body = kind === "register" ? JSON.stringify(exchange.body) : bytes;
    const answer = await fetch(target, { method, headers, body, redirect: "manual" });
    const text = await answer.text();
    const answerHeaders = plainHeaders(answer.headers.entries());
    return { status: answer.status, headers: answerHeaders, text, body: jsonIn(text) };
  }

  /** A read goes by, piece by piece: it may be a stream that never ends. */
  async #show(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    const answer = await fetch(this.#target + (request.url ?? "/"), {
      method: request.method ?? "GET",
      headers: plainHeaders(Object.entries(request.headers)),
      redirect: "manual",
      signal: gone.signal,
    });
    response.writeHead(answer.status, plainHeaders(answer.headers.entries()));
    if (answer.body === null) response.end();
    else {
      Readable.fromWeb(answer.body)
        .once("error", () => response.destroy())
        .pipe(response);
    }
  }
}
