import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import { ROUTES } from "../../../src/rest/app.ts";
import type { Route } from "../../../src/rest/route.ts";
import { FuzzClient, LONGEST_MS } from "./client.ts";
import { oddities, requestsOf } from "./requests.ts";
import type { Drawn } from "./requests.ts";
import { walk, walks } from "./walks.ts";
import { isWell } from "./world.ts";

/* The long run: FUZZ_CASES=20000 FUZZ_SEED=$RANDOM npm exec vitest -- run --config test/vitest.config.ts --project runtime test/runtime/fuzz */
const cases = Number(env.FUZZ_CASES);
const seed = Number(env.FUZZ_SEED);
/** So many to one route that each is bound to be used as it is meant to be. */
const THOROUGH = 200;
const share = Math.ceil(cases / (ROUTES.length + 1));
const isThorough = share >= THOROUGH;
const TIMEOUT_MS = 60_000 + cases * 100;

// The seed stands in the title, so that whatever fails names it.
describe(`messages drawn from the schemas of every route (FUZZ_SEED=${seed} FUZZ_CASES=${cases})`, () => {
  let client: FuzzClient;

  beforeAll(async () => {
    client = await FuzzClient.create();
  }, 60_000);
  afterAll(() => {
    vi.restoreAllMocks();
    // oxlint-disable-next-line no-console -- the long run is made to be read
    if (isThorough) console.log(client.table());
  });

  const check = (requests: fc.Arbitrary<Drawn>, route: Route | null) =>
    fc.assert(
      fc.asyncProperty(requests, async (drawn) => void (await client.send(route, drawn))),
      { seed, numRuns: share, timeout: LONGEST_MS, interruptAfterTimeLimit: TIMEOUT_MS - 10_000 },
    );

  it.each(ROUTES)(
    "are answered by $id as it declares, without an error, a hang or a secret",
    { timeout: TIMEOUT_MS },
    async (route) => {
      await check(requestsOf(route), route);

      const statuses = [...(client.answered.get(route.id)?.keys() ?? [])];
      const hasWorked = statuses.some((status) => status < 300);
      expect(hasWorked || !isThorough).toBe(true);
    },
  );

  it("leave a task's log dense, in whatever order they come", { timeout: TIMEOUT_MS }, async () => {
    const property = fc.asyncProperty(walks, async (drawn) => {
      const seqs = await walk(client, drawn);

      expect(seqs).toEqual(seqs.map((_, index) => index + 1));
    });
    await fc.assert(property, { seed, numRuns: Math.ceil(share / 2) });
  });

  it("are refused alike at addresses that are nobody's", { timeout: TIMEOUT_MS }, async () => {
    const paths = fc
      .array(fc.oneof(fc.constantFrom("v1", "tasks", "health", "docs", "", "webhooks"), oddities), {
        maxLength: 5,
      })
      .map((parts) => `/${parts.join("/")}/nowhere`);
    const requests = fc.record({
      scene: fc.nat(8),
      sender: fc.constantFrom<Drawn["sender"]>("admin", "nobody", "liar"),
      method: fc.constantFrom(
        "GET",
        "POST",
        "PUT",
        "PATCH",
        "DELETE",
        "HEAD",
        "OPTIONS",
        "PROPFIND",
      ),
      path: paths,
      query: fc.constant([]),
      headers: fc.constant({}),
      body: fc.constant(null),
      transport: fc.constant<Drawn["transport"]>("plain"),
      cut: fc.constant(0),
    });

    await check(requests, null);

    expect(client.answered.get("nowhere")?.get(404)).toBeGreaterThan(0);
  });

  it("are judged, not turned away by a limit", () => {
    expect(client.count(429)).toBeLessThan(client.cases / 20);
    expect(client.count(200)).toBeGreaterThan(client.cases / 10);
  });

  it("leave the Worker well, and no secret in its log", async () => {
    expect(await isWell()).toBe(true);
    expect(client.log.lines.length).toBeGreaterThan(client.cases);
    expect(client.log.leaks(client.world.secrets)).toEqual([]);
    expect(client.log.lines.filter((line) => line.includes('"level":"error"'))).toEqual([]);
  });
});
