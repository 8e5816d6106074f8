import { afterEach, describe, expect, it, vi } from "vitest";

import { consoleLog } from "../../src/lib/log.ts";
import type { LogFields } from "../../src/lib/log.ts";

afterEach(() => vi.restoreAllMocks());

/** What is printed for these fields. */
function lineOf(fields?: LogFields): string {
  const print = vi.spyOn(console, "log").mockImplementation(() => {});
  consoleLog("task", () => 0)("info", "task_ended", fields);
  return String(print.mock.calls[0]?.[0]);
}

describe("a log line", () => {
  it("is one JSON object with its fields at the top", () => {
    expect(JSON.parse(lineOf({ attempts: 2, reason: null }))).toEqual({
      time: "1970-01-01T00:00:00.000Z",
      level: "info",
      component: "task",
      event: "task_ended",
      attempts: 2,
      reason: null,
    });
  });

  it("needs no fields", () => {
    expect(Object.keys(JSON.parse(lineOf()))).toEqual(["time", "level", "component", "event"]);
  });

  it.each([
    ["lease_token", "abc"],
    ["Authorization", "anything"],
    ["webhook_secret", "abc"],
    ["detail", "sent whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw to it"],
    ["detail", "header was Bearer abcdefgh12345678"],
    ["detail", "key bk_0123456789abcdef"],
  ])("hides what %s says when it looks like a secret: %s", (name, value) => {
    const line = lineOf({ [name]: value });

    expect(line).toContain("[redacted]");
    expect(line).not.toMatch(/abc|MfKQ9r8GKY|0123456789|anything/);
  });

  it("cuts a text that is too long, and says how long it was", () => {
    const { detail } = JSON.parse(lineOf({ detail: "x".repeat(1_000_000) }));

    expect(detail).toBe(`${"x".repeat(2_000)}… (1000000 characters)`);
  });

  it("shows no half of a key that stands where it is cut", () => {
    const line = lineOf({ detail: `${"x".repeat(1_990)} bk_0123456789abcdef0123` });

    expect(line).not.toContain("bk_");
  });

  it.each(["x", "\u0000", "漢", "😀"])("is never of more than 8 KiB: %j", (text) => {
    const fields = Object.fromEntries(
      Array.from({ length: 20 }, (_, index) => [`field_${index}`, text.repeat(2_000)]),
    );
    const line = lineOf({ first: 1, ...fields });

    expect(new TextEncoder().encode(line).byteLength).toBeLessThanOrEqual(8_192);
    expect(JSON.parse(line)).toMatchObject({
      event: "task_ended",
      first: 1,
      fields_cut: expect.any(Number),
    });
  });

  it.each([
    ["error", "error"],
    ["warning", "warn"],
    ["info", "log"],
    ["debug", "log"],
  ] as const)("of level %s goes to console.%s", (level, method) => {
    const print = vi.spyOn(console, method).mockImplementation(() => {});

    consoleLog("task", () => 0)(level, "something");

    expect(print).toHaveBeenCalledTimes(1);
  });
});
