import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";

import { FAR, NEAR, askIn, second } from "./two-databases.ts";

/** More in a row than a breaker lets fail. */
const TURNS = 6;

/** Everything that figures of tasks and of the installation are made for. */
const FIGURES = [
  "/v1/metrics",
  "/v1/metrics?step=60&window=900",
  "/v1/insights",
  "/v1/forecast",
  "/v1/objectives",
  "/v1/overview",
  "/v1/repairs",
  "/v1/state",
];

function takeAway(db: D1Database): void {
  const fails = () => {
    throw new Error("D1_ERROR: the database is not there");
  };
  vi.spyOn(db, "prepare").mockImplementation(fails);
  vi.spyOn(db, "batch").mockImplementation(fails);
}

/** An isolate of its own, whose breakers have seen nothing, and that knows both keys and where both tenants are. */
async function freshIsolate(): Promise<Env> {
  const world = { ...env };
  for (const tenant of [NEAR, FAR]) {
    expect((await askIn(world, tenant, "/v1/tasks")).status).toBe(200);
  }
  return world;
}

afterEach(() => vi.restoreAllMocks());

describe("the breakers of two databases", () => {
  it.each(FIGURES)("count for %s what is wrong with DB for DB alone", async (path) => {
    const world = await freshIsolate();

    takeAway(env.DB);
    for (let turn = 0; turn < TURNS; turn += 1) await askIn(world, FAR, path);

    expect((await askIn(world, FAR, "/v1/tasks")).status).toBe(200);
    expect((await askIn(world, FAR, "/v1/metrics")).status).toBe(200);
  });

  it.each(FIGURES)("count for %s what is wrong with the second for that alone", async (path) => {
    const world = await freshIsolate();

    takeAway(second);
    for (let turn = 0; turn < TURNS; turn += 1) await askIn(world, FAR, path);

    expect((await askIn(world, NEAR, "/v1/tasks")).status).toBe(200);
    expect((await askIn(world, NEAR, "/v1/metrics")).status).toBe(200);
  });

  it("answer with 503 and when to try again, whichever of the two a figure needs", async () => {
    const paths = ["/v1/metrics?step=60&window=900", "/v1/insights", "/v1/objectives"];
    for (const db of [env.DB, second]) {
      const world = await freshIsolate();
      takeAway(db);
      for (const path of paths) {
        const { status, body } = await askIn(world, FAR, path);
        expect([status, body["code"], body["retry_after"]]).toEqual([
          503,
          "unavailable",
          expect.any(Number),
        ]);
      }
      vi.restoreAllMocks();
    }
  });
});
