import { describe, expect, it, vi } from "vitest";

import { WaitingClaims } from "../../src/dispatch/pool/waiting-claims.ts";

const order = (agent_id: string, wait_ms = 10_000) => ({ agent_id, max_tasks: 1, wait_ms });

describe("waiting claims", () => {
  it("keep the order in which they came, and leave it when they are answered", async () => {
    const claims = new WaitingClaims();
    const first = claims.add(order("bob"), () => {});
    const second = claims.add(order("ann"), () => {});
    const before = claims.all.map((waiting) => waiting.order.agent_id);

    claims.all[0]?.end({ known: true, offers: [] });
    await first;

    expect(before).toEqual(["bob", "ann"]);
    expect([claims.has("ann"), claims.has("bob")]).toEqual([true, false]);
    claims.all[0]?.end({ known: false, offers: [] });
    expect(await second).toEqual({ known: false, offers: [] });
  });

  it("end with nothing when the time is over", async () => {
    vi.useFakeTimers();
    const claims = new WaitingClaims();
    const waiting = claims.add(order("ann", 25_000), () => {});

    vi.advanceTimersByTime(25_000);
    vi.useRealTimers();

    expect(await waiting).toEqual({ known: true, offers: [] });
    expect(claims.all).toEqual([]);
  });

  it("are answered once", async () => {
    const claims = new WaitingClaims();
    const onEnd = vi.fn<() => void>();
    const waiting = claims.add(order("ann"), onEnd);
    const end = claims.all[0]?.end;

    end?.({ known: true, offers: [{ task_id: "t", attempt: 1, decision: "{}" }] });
    end?.({ known: false, offers: [] });

    expect(await waiting).toMatchObject({ known: true, offers: [{ task_id: "t" }] });
    expect(onEnd).toHaveBeenCalledOnce();
  });
});
