import { gzipSync } from "node:zlib";

import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { chunked } from "./chunked.ts";
import { newAddress, newIsolate } from "./offenders.ts";
import type { Sent } from "./offenders.ts";

const MEBIBYTE = 1_048_576;
const ADMIN = { key: env.BATUTA_ADMIN_KEY };

describe("what is too large", () => {
  it.each<[what: string, sent: () => Sent]>([
    ["by its declared length", () => ({ body: "x".repeat(MEBIBYTE + 1) })],
    ["without a declared length", () => ({ body: chunked(3 * MEBIBYTE) })],
    [
      "once it is decompressed",
      () => ({
        body: gzipSync(" ".repeat(64 * MEBIBYTE)),
        headers: { "Content-Encoding": "gzip" },
      }),
    ],
  ])("is refused with 413: %s", async (_what, sent) => {
    const { call } = newIsolate(newAddress());

    const { status, code } = await call("/v1/tasks", { ...ADMIN, ...sent() });

    expect([status, code]).toEqual([413, "body_too_large"]);
  });

  it("is refused with 400 when it is an address", async () => {
    const { call } = newIsolate(newAddress());

    const { status, code } = await call(`/v1/tasks?cursor=${"x".repeat(8_200)}`, ADMIN);

    expect([status, code]).toEqual([400, "validation_failed"]);
  });
});

describe("the pages", () => {
  it.each(["/", "/start", "/docs"])(
    "are served with ids, limits and a strict policy: %s",
    async (path) => {
      const address = newAddress();
      const response = await newIsolate(address).fetch(path);

      expect(response.status).toBe(200);
      expect(response.headers.get("Content-Type")).toMatch(/^text\/html/);
      expect(response.headers.get("X-Request-Id")).toMatch(/^[A-Za-z0-9]{22}$/);
      expect(response.headers.get("Strict-Transport-Security")).toBe("max-age=31536000");
      expect(await response.text()).toContain("<!doctype html>");
    },
  );
});
