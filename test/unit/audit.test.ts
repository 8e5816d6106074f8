import { describe, expect, it } from "vitest";

import { changeDetail, creationDetail, patchAction } from "../../src/delivery/registry/audit.ts";
import {
  storedRegistrationSchema,
  type Webhook,
} from "../../src/delivery/registry/registration.ts";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

function webhook(fields: Record<string, unknown> = {}, more: Partial<Webhook> = {}): Webhook {
  return {
    tenant: "default",
    webhook_id: "wh_0123456789ABCDEFGHIJkl",
    registration: storedRegistrationSchema.parse({
      url: "https://hooks.example.com/",
      events: ["all"],
      ...fields,
    }),
    secrets: [{ secret: SECRET, expires_at: null }],
    state: "active",
    level: 0,
    isVerified: true,
    routing: [],
    version: 1,
    created_at: "2026-11-22T10:00:00.000Z",
    ...more,
  };
}

describe("what is recorded of a change", () => {
  it("is nothing where nothing changed, nor where a default was given", () => {
    expect(changeDetail(webhook(), webhook({ timeout: 15, lane_policy: "block" }))).toEqual({
      changes: {},
    });
  });

  it.each([
    [{ name: "a" }, {}, { name: { from: "a", to: null } }],
    [{ timeout: 3 }, { timeout: 4 }, { timeout: { from: 3, to: 4 } }],
    [{ filters: { tags: ["a"] } }, { filters: { tags: ["a"] } }, {}],
    [{}, { headers: { a: "1" } }, { headers: { added: ["a"], removed: [], changed: [] } }],
    [
      { headers: { a: "1", b: "2" } },
      { headers: { b: "3" } },
      { headers: { added: [], removed: ["a"], changed: ["b"] } },
    ],
  ])("from %j to %j is %j", (before, after, changes) => {
    expect(changeDetail(webhook(before), webhook(after))).toEqual({ changes });
  });

  it("has no secret in it, and of a value that is too long its length alone", () => {
    const tags = Array.from({ length: 50 }, (_, index) => `${index} `.padEnd(100, "y"));
    const after = webhook(
      { filters: { tags } },
      { secrets: [{ secret: SECRET, expires_at: "x" }] },
    );

    const detail = changeDetail(webhook(), after);

    expect(detail).toEqual({
      changes: {
        filters: {
          from: null,
          to: { omitted_characters: JSON.stringify({ tags }).length },
        },
      },
    });
  });

  it("is of a creation all that was asked for, of headers the names", () => {
    const detail = creationDetail(webhook({ headers: { "x-key": "value" }, timeout: 7 }));

    expect(detail).toMatchObject({
      registration: { url: "https://hooks.example.com/…", timeout: 7, header_names: ["x-key"] },
    });
    expect(JSON.stringify(detail)).not.toMatch(/whsec_|value/);
  });
});

describe("the word for a change by PATCH", () => {
  const paused = { state: "paused" } as const;

  it.each([
    ["webhook_changed", webhook(), webhook({ timeout: 3 })],
    ["webhook_changed", webhook(), webhook({ timeout: 3 }, paused)],
    ["webhook_changed", webhook(), webhook()],
    ["webhook_paused", webhook(), webhook({}, paused)],
    ["webhook_resumed", webhook({}, paused), webhook()],
    ["webhook_resumed", webhook({}, { state: "disabled" }), webhook()],
  ])("is %s", (action, before, after) => {
    expect(patchAction(before, after)).toBe(action);
  });
});
