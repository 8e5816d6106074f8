import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { newAddress, newIsolate, newKey } from "./offenders.ts";

/** Requests a minute (protocol.md §7, Sizes). */
const QUOTA = 600;

/** The platform's windows end with the minute: waits for the next one when this one is nearly over. */
async function freshWindow(): Promise<void> {
  const left_ms = 60_000 - (Date.now() % 60_000);
  if (left_ms < 15_000) await new Promise((resolve) => void setTimeout(resolve, left_ms));
}

describe("the limit by address", () => {
  it("refuses request 601 of a minute with 429, when to try again and the rate headers, on every path", async () => {
    await freshWindow();
    const address = newAddress();
    const { call } = newIsolate(address);
    const paths = ["/health", "/v1/tasks", "/nothing", "/v1/schemas"];
    const statuses: number[] = [];
    for (let turn = 0; turn < QUOTA; turn += 1) {
      statuses.push((await call(paths[turn % paths.length] ?? "")).status);
    }

    const refused = await Promise.all(paths.map((path) => call(path)));
    const withKey = await call("/v1/tasks", { key: env.BATUTA_ADMIN_KEY });
    const elsewhere = await newIsolate(newAddress()).call("/health");

    expect(statuses.filter((status) => status === 429)).toEqual([]);
    for (const { status, code, headers } of [...refused, withKey]) {
      expect([status, code]).toEqual([429, "rate_limited"]);
      expect(headers.get("Retry-After")).toBe("60");
      expect(headers.get("RateLimit-Policy")).toBe('"address";q=600;w=60');
      expect(headers.get("RateLimit")).toBe('"address";r=0;t=60');
    }
    expect(elsewhere.status).toBe(200);
  }, 90_000);

  it("is one for all addresses of a site, and for all isolates of a place", async () => {
    await freshWindow();
    const site = "2001:db8:77:1";
    const isolates = [newIsolate(`${site}::1`), newIsolate(`${site}:ffff::2`)];
    for (let turn = 0; turn < QUOTA; turn += 1) await isolates[turn % 2]?.call("/health");

    const third = await newIsolate(`${site}:1:2:3:4`).call("/health");
    const neighbour = await newIsolate("2001:db8:77:2::1").call("/health");

    expect([third.status, neighbour.status]).toEqual([429, 200]);
  }, 90_000);

  it("refuses before the key is looked at", async () => {
    await freshWindow();
    const { call } = newIsolate(newAddress());
    for (let turn = 0; turn < QUOTA; turn += 1) await call("/health");

    const { key } = await newKey("acme", ["observe"]);
    const answers = [await call("/v1/tasks", { key }), await call("/v1/tasks", { key: "guess" })];

    expect(answers.map(({ code }) => code)).toEqual(["rate_limited", "rate_limited"]);
  }, 90_000);
});
