import { describe, expect, it } from "vitest";

import { changePolicy } from "../../src/access/limit-changes.ts";
import {
  DEFAULT_LIMITS,
  DEFAULT_POLICY,
  limitsFor,
  quotaOf,
} from "../../src/access/limit-policy.ts";
import { keyLimitsRequestSchema, limitsPatchSchema } from "../../src/protocol/limits.ts";
import { LimitWorld } from "./limit-world.ts";

const patch = (limits: object) => ({ patch: limitsPatchSchema.parse({ limits }) });
const OWN = { total: 100, execute: 40, status: 30, admin: 10 };

describe("a change of limits", () => {
  it("leaves what is not named, and null is the default again", () => {
    const first = changePolicy(DEFAULT_POLICY, patch({ execute: 500, total: 2_000 }));
    if (!first.ok) throw new Error("refused");
    const second = changePolicy(first.value.policy, patch({ execute: null }));

    expect(first.value).toMatchObject({
      policy: { limits: { execute: 500, total: 2_000 } },
      changes: [{ kind: "limits", from: DEFAULT_LIMITS, to: { execute: 500, status: 720 } }],
    });
    expect(second).toMatchObject({ value: { policy: { limits: { total: 2_000 } } } });
    expect(second.ok && limitsFor(second.value.policy, "k1").execute).toBe(300);
  });

  it("is none when all was so already", () => {
    expect(changePolicy(DEFAULT_POLICY, patch({ execute: 300 }))).toMatchObject({
      value: { changes: [] },
    });
  });

  it.each([
    [{ total: 360 }, "/limits/total", "360"],
    [{ execute: 1_150 }, "/limits/total", "1200"],
    [{ status: 841 }, "/limits/status", "841"],
    [{ execute: 500 }, "/limits/status", "720"],
  ])("refuses limits that contradict each other: %j", (limits, pointer, received) => {
    expect(changePolicy(DEFAULT_POLICY, patch(limits))).toMatchObject({
      refusal: { code: "validation_failed", errors: [{ pointer, received }] },
    });
  });

  it.each([{ admin: 9 }, { total: 0 }, { execute: 1.5 }, { status: 1_000_001 }, { notify: 5 }])(
    "refuses what can be no limit, of the tenant and of a key: %j",
    (limits) => {
      expect(limitsPatchSchema.safeParse({ limits }).success).toBe(false);
      expect(keyLimitsRequestSchema.safeParse({ limits: { ...OWN, ...limits } }).success).toBe(
        false,
      );
    },
  );

  it("asks for something to change", () => {
    expect(limitsPatchSchema.safeParse({}).success).toBe(false);
  });

  it("gives a key limits of its own, which a change of the tenant's leaves alone, and takes them away", () => {
    const given = changePolicy(DEFAULT_POLICY, { key_id: "k1", limits: OWN });
    if (!given.ok) throw new Error("refused");
    const cleared = changePolicy(given.value.policy, { key_id: "k1", limits: null });

    expect(limitsFor(given.value.policy, "k1")).toEqual(OWN);
    expect(limitsFor(given.value.policy, "k2")).toEqual(DEFAULT_LIMITS);
    expect(cleared).toMatchObject({
      value: { policy: { keys: {} }, changes: [{ kind: "key_limits", from: OWN, to: null }] },
    });
    expect(changePolicy(DEFAULT_POLICY, { key_id: "k1", limits: null })).toMatchObject({
      refusal: { code: "key_not_found" },
    });
  });

  it.each(["constructor", "toString", "__proto__"])(
    "finds no key that is only a name of every object: %s",
    (key_id) => {
      expect(changePolicy(DEFAULT_POLICY, { key_id, limits: null })).toMatchObject({
        refusal: { code: "key_not_found" },
      });
    },
  );

  it("refuses a thousand and first key with limits of its own", () => {
    const keys = Object.fromEntries(
      Array.from({ length: 1_000 }, (_, index) => [`k${index}`, OWN]),
    );
    const full = { ...DEFAULT_POLICY, keys };

    expect(changePolicy(full, { key_id: "one-more", limits: OWN }).ok).toBe(false);
    expect(changePolicy(full, { key_id: "k7", limits: DEFAULT_LIMITS }).ok).toBe(true);
  });

  it("is in force with the next lease, is kept and is shown with who made it", () => {
    const world = new LimitWorld();
    world.book.change({ by: "key_admin", scale: 1, change: patch({ execute: 20 }) });
    const next = world.report({ operation: "execute", needed: 50 });
    world.evict();

    expect(next).toMatchObject({ permits: 20, remaining: 0, limit: 20 });
    expect(world.book.view(1)).toMatchObject({
      limits: { execute: 20, total: 1_200 },
      changes: [{ kind: "limits", by: "key_admin", to: { execute: 20 } }],
    });
    expect(world.lines).toEqual(["info limits_changed"]);
    expect(world.store.written.settings).toBe(1);
  });

  it("keeps the last fifty", () => {
    const world = new LimitWorld();
    for (let execute = 1; execute <= 60; execute += 1) {
      world.book.change({ by: "a", scale: 1, change: patch({ execute }) });
    }

    expect(world.book.view(1).changes).toHaveLength(50);
    expect(world.book.view(1).changes[0]?.to).toMatchObject({ execute: 60 });
  });
});

describe("what limits come to", () => {
  it("multiplies all by the installation's factor, and is at least one request", () => {
    const tiny = quotaOf(DEFAULT_LIMITS, { scale: 0.001, factor: 0.25 });

    expect(tiny).toEqual({ execute: 1, notify: 1, status: 1, admin: 1 });
    expect(quotaOf(DEFAULT_LIMITS, { scale: 2, factor: 1 })).toEqual({
      execute: 600,
      notify: 1_680,
      status: 1_440,
      admin: 120,
    });
  });
});
