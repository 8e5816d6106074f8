import { exports } from "cloudflare:workers";

import type { Route } from "../../../src/rest/route.ts";
import { PLANTED } from "./hostile.ts";
import { placeholder } from "./messages.ts";
import { judge, LogWatch } from "./oracle.ts";
import type { Outcome } from "./oracle.ts";
import { wrapped } from "./requests.ts";
import type { Drawn } from "./requests.ts";
import { World } from "./world.ts";
import type { Scene } from "./world.ts";

/** A stream that stays quiet is let go after this, milliseconds. */
const QUIET_MS = 50;
/** Nothing that was asked here may take longer, milliseconds. */
export const LONGEST_MS = 20_000;

/** Waits that the contract allows would be waited for; others it refuses at once. */
const withoutWaits = (text: string): string =>
  text.replaceAll(
    /("wait_seconds":)(?:[1-9]|1\d|2[0-5])(?=[,}])/g,
    (_all, name: string) => `${name}0`,
  );

/** What may leave nothing of its task, webhook or agent to speak of. */
const SPENDING = new Set([
  "command_task",
  "decline_task",
  "notify",
  "end_task",
  "resolve_escalation",
  "delete_agent",
  "drain_agent",
  "delete_webhook",
]);

/** The beginning of a stream, or a whole body. */
async function textOf(response: Response): Promise<string> {
  if (response.webSocket !== null) {
    response.webSocket.accept();
    response.webSocket.close();
    return "";
  }
  if (response.headers.get("content-type") !== "text/event-stream") return response.text();
  const reader = response.body?.getReader();
  const quiet = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), QUIET_MS));
  const first = await Promise.race([reader?.read(), quiet]);
  await reader?.cancel();
  return first?.value === undefined ? "" : new TextDecoder().decode(first.value);
}

/** Sends what was drawn, judges what comes back, and counts it. */
export class FuzzClient {
  readonly world: World;
  readonly log: LogWatch;
  /** How often each route answered with each status. */
  readonly answered = new Map<string, Map<number, number>>();
  cases = 0;
  slowest = { ms: 0, call: "" };
  readonly #cursors = new Map<string, string>();

  constructor(world: World, log: LogWatch) {
    this.world = world;
    this.log = log;
  }

  static async create(): Promise<FuzzClient> {
    const world = await World.create();
    return new FuzzClient(world, new LogWatch());
  }

  /**
   * The status of the answer.
   *
   * @param route which one it is meant for; null for an address that is nobody's
   * @param place the scene as it is; otherwise what was used up of it is made anew
   * @throws when the answer breaks what holds for every answer
   */
  async send(route: Route | null, drawn: Drawn, place?: Scene): Promise<number> {
    const scene = place ?? (await this.world.scene(drawn.scene));
    const request = await this.#request(route, drawn, scene);
    const begun = Date.now();
    const response = await exports.default.fetch(request);
    const { pathname } = new URL(request.url);
    const text = await textOf(response);
    const tookMs = Date.now() - begun;
    if (tookMs > this.slowest.ms) this.slowest = { ms: tookMs, call: route?.id ?? drawn.path };
    const { status, headers } = response;
    const outcome: Outcome = { status, headers, text, path: pathname };
    this.#count(route?.id ?? "nowhere", status);
    judge(outcome, { route, world: this.world, log: this.log });
    if (route !== null) this.#notice(route, outcome, scene);
    return status;
  }

  async #request(route: Route | null, drawn: Drawn, scene: Scene): Promise<Request> {
    const now = Date.now();
    const fill = (text: string): string => {
      const filled = Object.entries(scene.values).reduce(
        (all, [name, value]) => all.replaceAll(placeholder(name), value),
        text,
      );
      return filled
        .replaceAll(placeholder("now"), new Date(now).toISOString())
        .replaceAll(placeholder("soon"), new Date(now + 3_600_000).toISOString())
        .replaceAll(placeholder("cursor"), this.#cursors.get(route?.id ?? "") ?? "AAAA");
    };
    const query = drawn.query
      .map(([name, value]) => [name, fill(value).toWellFormed()] as const)
      .filter(([name, value]) => !name.startsWith("wait") || !/^0*(?:[1-9]|[1-5]\d)$/.test(value))
      .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
    const body = drawn.body === null ? null : await wrapped(withoutWaits(fill(drawn.body)), drawn);
    const headers = new Headers(this.#authorization(drawn.sender));
    // Each from another address, of the range for benchmarks (RFC 2544): none is ever blocked for what others did.
    const from = `198.18.${Math.floor(this.cases / 250) % 250}.${this.cases % 250}`;
    const given = { "CF-Connecting-IP": from, ...body?.headers, ...drawn.headers };
    for (const [name, value] of Object.entries(given)) headers.set(name, fill(value));
    const search = query.length > 0 ? `?${query.join("&")}` : "";
    return new Request(`https://batuta.test${fill(drawn.path)}${search}`, {
      method: drawn.method,
      headers,
      ...(body !== null && { body: body.bytes }),
    });
  }

  #authorization(sender: Drawn["sender"]): Record<string, string> {
    if (sender === "nobody") return {};
    const key = sender === "liar" ? `bk_${PLANTED}` : this.world.keys.get(sender);
    return { authorization: `Bearer ${key}` };
  }

  #count(name: string, status: number): void {
    this.cases += 1;
    const counts = this.answered.get(name) ?? new Map<number, number>();
    counts.set(status, (counts.get(status) ?? 0) + 1);
    this.answered.set(name, counts);
  }

  /** Remembers where a list goes on, and what of the scene was used up. */
  #notice(route: Route, { status, text }: Outcome, scene: Scene): void {
    if (status >= 300) return;
    const [, cursor] = /"next_cursor":"([^"]+)"/.exec(text) ?? [];
    if (cursor !== undefined) this.#cursors.set(route.id, cursor);
    if (route.method === "GET") return;
    if (route.id === "claim_tasks") scene.noteClaim(JSON.parse(text));
    const isHook = /:webhook_id|:delivery_id/.test(route.path);
    scene.use(isHook ? "hook" : "task", SPENDING.has(route.id));
  }

  /** How many answers had a status. */
  count(status: number): number {
    return [...this.answered.values()].reduce((sum, counts) => sum + (counts.get(status) ?? 0), 0);
  }

  /** Each route and its answers, one a line; then how many there were, and which took longest. */
  table(): string {
    const routes = [...this.answered].map(([name, counts]) => {
      const statuses = [...counts].toSorted(([one], [other]) => one - other);
      return `${name.padEnd(28)} ${statuses.map(([status, count]) => `${status}×${count}`).join("  ")}`;
    });
    const { ms, call } = this.slowest;
    return [...routes, `${this.cases} cases, the slowest ${ms} ms: ${call}`].join("\n");
  }
}
