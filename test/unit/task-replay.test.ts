import { describe, expect, it } from "vitest";

import { remembered } from "../../src/task/machine/replay.ts";
import type { Memo } from "../../src/task/machine/state.ts";

const MEMO: Memo = {
  attempt: 1,
  beat_at: 0,
  checkpoint: null,
  cost_usd: 0,
  tokens: 0,
  earlier: { cost_usd: 0, tokens: 0 },
  end: null,
};

/** What becomes of messages `agent timestamp id`, each at the second that it was signed unless told otherwise. */
function outcomes(messages: readonly string[], nowS?: number): { fates: string[]; memo: Memo } {
  let memo = MEMO;
  const fates = messages.map((message) => {
    const [agent_id = "", time = "", id = ""] = message.split(" ");
    const timestamp = Number(time);
    const done = remembered(memo, { agent_id, id, timestamp }, (nowS ?? timestamp) * 1_000);
    if (done.ok) memo = done.value;
    return done.ok ? "taken" : done.refusal.code;
  });
  return { fates, memo };
}

describe("a signed message", () => {
  it("is taken once, and refused when the same bytes come again", () => {
    const { fates } = outcomes(["ann 1000 a", "ann 1000 a", "ann 1001 b", "ann 1000 a"]);

    expect(fates).toEqual(["taken", "replayed", "taken", "replayed"]);
  });

  it("is another one when it is signed again, has another id, or is another agent's", () => {
    const { fates } = outcomes(["ann 1000 a", "ann 1001 a", "ann 1000 b", "bob 1000 a"]);

    expect(fates).toEqual(["taken", "taken", "taken", "taken"]);
  });

  it("stays known for as long as it could pass the edge, however many follow", () => {
    const many = Array.from({ length: 600 }, (_, second) => `ann ${1_000 + second} m`);
    const replays = many.slice(-599);

    const { fates, memo } = outcomes([...many, ...replays], 1_599);

    expect(fates.slice(0, 600).every((fate) => fate === "taken")).toBe(true);
    expect(new Set(fates.slice(600))).toEqual(new Set(["replayed"]));
    expect(memo.signed?.["ann"]?.seen).toHaveLength(64);
  });

  it("is forgotten when it is too old to pass, with its agent", () => {
    const { memo } = outcomes(["ann 1000 a", "bob 1650 b"]);

    expect(memo.signed).toEqual({ bob: { floor: 0, seen: [[1_650, "b"]] } });
  });

  it("is none when a key was sent", () => {
    expect(remembered(MEMO, null, 0)).toEqual({ ok: true, value: MEMO });
  });
});
