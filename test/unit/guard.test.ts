import { describe, expect, it } from "vitest";
import { z } from "zod";

import { createGuard } from "../../src/history/guard.ts";
import { ok } from "../../src/lib/result.ts";

function newGuard() {
  const clock = { now: 0 };
  const lines: string[] = [];
  const guard = createGuard(
    () => clock.now,
    (_level, event) => lines.push(event),
  );
  return { guard, clock, lines };
}

const down = () => Promise.reject(new Error("D1_ERROR: internal error"));

describe("the guard of the read model", () => {
  it("refuses with unavailable and when to try again, and after five failures without asking", async () => {
    const { guard, lines } = newGuard();
    let calls = 0;

    const first = await guard.read(down);
    for (let call = 1; call < 5; call += 1) await guard.read(down);
    const open = await guard.read(async () => ok((calls += 1)));

    expect(first).toMatchObject({ ok: false, refusal: { code: "unavailable" } });
    expect(open).toMatchObject({
      ok: false,
      refusal: { code: "unavailable", extra: { retry_after: 5 } },
    });
    expect(calls).toBe(0);
    expect(lines.filter((line) => line === "read_model_down")).toHaveLength(1);
  });

  it("lets answers and refusals through, and notices when the database is back", async () => {
    const { guard, clock, lines } = newGuard();
    for (let call = 0; call < 5; call += 1) await guard.read(down);
    clock.now = 5_000;

    expect(await guard.read(async () => ok("back"))).toEqual(ok("back"));
    expect(await guard.get(async () => 7)).toBe(7);
    expect(lines.at(-1)).toBe("read_model_back");
  });

  it("throws what a face answers with patience, where there is no refusal to give", async () => {
    const { guard } = newGuard();

    await expect(guard.get(down)).rejects.toMatchObject({ retryable: true, retry_after: 5 });
  });

  it("takes a row that can't be read for a bug and not for an outage", async () => {
    const { guard } = newGuard();
    const broken = async () => z.string().parse(1);

    for (let call = 0; call < 6; call += 1)
      await expect(guard.get(broken)).rejects.toThrow(z.ZodError);

    expect(await guard.get(async () => "still asked")).toBe("still asked");
  });
});
