import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { refuse } from "../../src/lib/result.ts";
import type { Overview } from "../../src/protocol/overview.ts";
import { overviewStream } from "../../src/rest/overview-stream.ts";
import { createFakeApp, send } from "./rest-fakes.ts";

const AT = "2026-11-26T12:00:00.000Z";

const overview = (changes: Partial<Overview> = {}): Overview => ({
  at: AT,
  tasks: {
    active: 0,
    is_complete: true,
    by_status: [],
    created: 0,
    ended: 0,
    succeeded: 0,
    completion_rate: null,
    duration_p50_s: null,
    duration_p95_s: null,
    quality: null,
  },
  cost_usd: 0,
  tokens: 0,
  deliveries: { delivered: 0, failed: 0, success_rate: null, p95_s: null, oldest_due_age_s: null },
  agents: { online: 0, draining: 0, stale: 0, slots: 0, slots_in_use: 0, is_complete: true },
  webhooks: { total: 0, troubled: 0 },
  escalations_open: 0,
  cleanup_debts_open: 0,
  alerts: [],
  objectives: [],
  health: { is_ready: true, dependencies: {} },
  series: [],
  incomplete: [],
  ...changes,
});

describe("the overview's routes", () => {
  it("answer with a look at the key's tenant, and without a body to HEAD of the stream", async () => {
    const asked: string[] = [];
    const look = async (tenant: string) => {
      asked.push(tenant);
      return overview({ cost_usd: 2 });
    };
    const { app } = createFakeApp({ overview: { look } });

    const answer = await send(app, "/v1/overview", { key: "observe" });
    const head = await send(app, "/v1/overview/stream", { key: "observe", method: "HEAD" });

    expect(await answer.json()).toEqual(overview({ cost_usd: 2 }));
    expect([head.status, await head.text()]).toEqual([200, ""]);
    expect(asked).toEqual(["acme"]);
  });

  it("are not for executors, and a forecast takes a known type alone", async () => {
    const { app } = createFakeApp();
    const statusOf = async (path: string, key: string) => (await send(app, path, { key })).status;

    expect(await statusOf("/v1/overview", "execute")).toBe(403);
    expect(await statusOf("/v1/overview/stream", "execute")).toBe(403);
    expect(await statusOf("/v1/forecast", "execute")).toBe(403);
    expect(await statusOf("/v1/forecast?task_type=knitting", "observe")).toBe(400);
    expect(await statusOf("/v1/overview?window=1", "observe")).toBe(400);
  });

  it("say when too many watch, and when to come again", async () => {
    const watch = () =>
      refuse({ code: "rate_limited", detail: "too many", extra: { retry_after: 30 } } as const);
    const { app } = createFakeApp({ overview: { watch } });

    const answer = await send(app, "/v1/overview/stream", { key: "observe" });

    expect([answer.status, answer.headers.get("Retry-After")]).toEqual([429, "30"]);
  });

  it("say when a forecast cannot be made because history is down", async () => {
    const forecast = async () =>
      refuse({ code: "unavailable", detail: "down", extra: { retry_after: 5 } } as const);
    const { app } = createFakeApp({ overview: { forecast } });

    const answer = await send(app, "/v1/forecast");

    expect([answer.status, answer.headers.get("Retry-After")]).toEqual([503, "5"]);
  });
});

describe("the stream of overviews", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function open(changes: { isGood?: () => boolean } = {}) {
    const shown = { next: overview(), looks: 0, left: 0 };
    const withheld: unknown[] = [];
    const stream = overviewStream({
      look: async () => {
        shown.looks += 1;
        return { ...shown.next, at: new Date(Date.parse(AT) + shown.looks).toISOString() };
      },
      leave: () => void (shown.left += 1),
      isStillGood: async () => changes.isGood?.() ?? true,
      tellWithheld: async (places) => void withheld.push(...places),
    });
    const reader = stream.getReader();
    const read = async () => {
      const { done, value } = await reader.read();
      return done ? null : new TextDecoder().decode(value);
    };
    return { shown, withheld, reader, read };
  }

  it("sends one at once, and another when more than its instant has changed", async () => {
    const { shown, read } = open();

    expect(await read()).toBe(": open\n\n");
    expect(await read()).toMatch(/^id: \d+\nevent: overview\ndata: {"at":.*}\n\n$/);
    await vi.advanceTimersByTimeAsync(4_000);
    shown.next = overview({ cost_usd: 7 });
    await vi.advanceTimersByTimeAsync(2_000);

    expect(shown.looks).toBe(4);
    expect(await read()).toContain('"cost_usd":7');
  });

  it("keeps the connection alive, and ends after five minutes", async () => {
    const { read } = open();
    await read();
    await read();

    await vi.advanceTimersByTimeAsync(15_000);
    expect(await read()).toBe(": keep-alive\n\n");
    await vi.advanceTimersByTimeAsync(300_000);

    for (let chunk = await read(); chunk !== null; chunk = await read()) {
      expect(chunk).toBe(": keep-alive\n\n");
    }
  });

  it("ends when the key is no longer good, and looks no more when nobody reads", async () => {
    let isGood = true;
    const revoked = open({ isGood: () => isGood });
    const left = open();
    await revoked.read();
    await revoked.read();

    isGood = false;
    await left.reader.cancel();
    const { looks } = left.shown;
    await vi.advanceTimersByTimeAsync(15_000);

    expect(await revoked.read()).toBeNull();
    expect([revoked.shown.left, left.shown.left]).toEqual([1, 1]);
    expect(left.shown.looks).toBe(looks);
  });

  it("holds back what breaks its schema, and goes on", async () => {
    const { shown, withheld, read } = open();
    await read();
    await read();

    shown.next = overview({ tokens: 0.5 });
    await vi.advanceTimersByTimeAsync(2_000);
    shown.next = overview({ tokens: 5 });
    await vi.advanceTimersByTimeAsync(2_000);

    expect(withheld).toMatchObject([{ pointer: "/tokens" }]);
    expect(await read()).toContain('"tokens":5');
  });
});
