import { describe, expect, it } from "vitest";

import { createEmptied } from "../../src/dispatch/emptied.ts";
import type { EmptiedParts } from "../../src/dispatch/emptied.ts";
import { repeated } from "../../src/dispatch/former.ts";
import { ok, refuse } from "../../src/lib/result.ts";
import type { Refusal } from "../../src/protocol/refusal.ts";
import { at, viewOf } from "../task-news.ts";

const BY = { key_id: "k", tenant: "acme", scopes: ["orchestrate" as const], isBootstrap: false };
const UNKNOWN: Refusal = { code: "task_not_found", detail: "" };
const GONE: Refusal = { code: "task_gone", detail: "It was removed." };
const OLD = viewOf({ phase: "ended", ended_at: at(9) });

const emptied = (parts: Partial<EmptiedParts> = {}) =>
  createEmptied({ pastView: async () => ok(OLD), readable: async () => ok(null), ...parts });
const nothing = async () => refuse(UNKNOWN);

describe("an object that knows no task", () => {
  it("has ended it for orders, and nothing to tell of it", async () => {
    const { orders, reads } = emptied();

    expect(await orders(nothing)(BY, "t")).toMatchObject({ refusal: { code: "task_ended" } });
    expect(await reads(nothing)(BY, "t")).toMatchObject({
      refusal: { code: "task_gone", extra: { ended_at: at(9) } },
    });
  });

  it("says what history says of a task that was removed, and of one that never was", async () => {
    const gone = emptied({ pastView: async () => refuse(GONE) });
    const never = emptied({ pastView: async () => ok(null) });

    expect(await gone.orders(nothing)(BY, "t")).toEqual(refuse(GONE));
    expect(await gone.reads(nothing)(BY, "t")).toEqual(refuse(GONE));
    expect(await never.orders(nothing)(BY, "t")).toEqual(refuse(UNKNOWN));
  });

  it("tells nothing to who may not read the task", async () => {
    const { reads } = emptied({ readable: async () => refuse(UNKNOWN) });

    expect(await reads(nothing)(BY, "t")).toEqual(refuse(UNKNOWN));
  });

  it("leaves every other answer as it is, and asks history nothing", async () => {
    const { orders } = emptied({ pastView: () => Promise.reject(new Error("asked")) });
    const lost: Refusal = { code: "lease_lost", detail: "" };

    expect(await orders(async (_by, _id, more: number) => ok(more))(BY, "t", 7)).toEqual(ok(7));
    expect(await orders(async () => refuse(lost))(BY, "t")).toEqual(refuse(lost));
  });
});

describe("a submission whose task has left its object", () => {
  const again = (known: string | null, past: Parameters<typeof repeated>[2]) =>
    repeated("t", { former: { body_hash: known }, body_hash: "same" }, past);

  it("is answered with the view when it is the same request", async () => {
    expect(await again("same", async () => ok(OLD))).toEqual(ok({ view: OLD, isNew: false }));
  });

  it.each([
    ["another request", "other", ok(OLD)],
    ["a request that nobody noted", null, ok(OLD)],
    ["a task that was removed", "same", refuse(GONE)],
    ["a task that is nowhere", "same", ok(null)],
  ])("is a conflict with %s", async (_what, known, past) => {
    expect(await again(known, async () => past)).toMatchObject({
      refusal: { code: "idempotency_conflict", extra: { existing_task_id: "t" } },
    });
  });

  it("is to be tried again when the archive cannot be read", async () => {
    const away: Refusal = { code: "unavailable", detail: "" };

    expect(await again("same", async () => refuse(away))).toEqual(refuse(away));
  });
});
