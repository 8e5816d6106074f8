import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { isTold, overview, tidingsOf } from "../../src/console/api/overview.ts";
import type { Answer } from "../../src/console/api/problem.ts";
import { taskDeliveries } from "../../src/console/api/tasks.ts";
import { lookAgain, oneAtATime } from "../../src/console/lib/looks.ts";
import { readChain, type ListPage } from "../../src/console/lib/page-chain.ts";
import { mergeRows } from "../../src/console/lib/row-merge.ts";
import { pause, whenVisible } from "../../src/console/lib/waits.ts";

/* What the console looks at again and again: when, in which order, and what a list shows of it. */

describe("looking at one thing", () => {
  it("is done one at a time: no older answer after a newer one, no second call beside one that waits", async () => {
    const answers: ((value: number) => void)[] = [];
    const shown: number[] = [];
    const look = oneAtATime(async () => {
      shown.push(await new Promise<number>((resolve) => answers.push(resolve)));
    });

    const first = look();
    const all = Promise.all([look(), look(), look()]);
    expect(answers).toHaveLength(1);
    answers[0]?.(41);
    await first;
    await expect.poll(() => answers).toHaveLength(2);
    answers[1]?.(77);
    await all;

    expect(shown).toEqual([41, 77]);
    void look();
    expect(answers).toHaveLength(3);
  });

  it("goes on after a look that failed", async () => {
    let looks = 0;
    const look = oneAtATime(async () => {
      looks += 1;
      if (looks === 1) throw new Error("a bug");
    });

    await expect(look()).rejects.toThrow("a bug");
    await look();

    expect(looks).toBe(2);
  });
});

/** A page that somebody looks at, or not. */
class Tab extends EventTarget {
  visibilityState = "hidden";

  turn(state: string): void {
    this.visibilityState = state;
    this.dispatchEvent(new Event("visibilitychange"));
  }
}

describe("looking again", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("waits while nobody sees the page, then happens at once, even where once is enough", async () => {
    const tab = new Tab();
    const { signal } = new AbortController();
    const look = vi.fn(() => Promise.resolve(true));
    const ended = lookAgain({
      signal,
      whenSeen: (until) => whenVisible(tab, until),
      look,
      everyMs: () => 0,
    });

    await vi.advanceTimersByTimeAsync(60_000);
    expect(look).not.toHaveBeenCalled();
    tab.turn("visible");
    await ended;

    expect(look).toHaveBeenCalledOnce();
  });

  it("goes on until there is no sense in it, or somebody ends it", async () => {
    const tab = new Tab();
    tab.turn("visible");
    const controller = new AbortController();
    const { signal } = controller;
    const whenSeen = (until: AbortSignal): Promise<void> => whenVisible(tab, until);
    const look = vi.fn(() => Promise.resolve(look.mock.calls.length < 3));
    await Promise.all([
      lookAgain({ signal, whenSeen, look, everyMs: () => 1_000 }),
      vi.advanceTimersByTimeAsync(10_000),
    ]);
    expect(look).toHaveBeenCalledTimes(3);

    const other = vi.fn(() => Promise.resolve(true));
    const ended = lookAgain({ signal, whenSeen, look: other, everyMs: () => 1_000 });
    await vi.advanceTimersByTimeAsync(1_500);
    controller.abort();
    await ended;

    expect(other).toHaveBeenCalledTimes(2);
    await pause(1_000, signal);
    await whenVisible(new Tab(), signal);
    expect(vi.getTimerCount()).toBe(0);
  });
});

const PAGE = 50;

/** A server's list, the newest first, in pages. */
class List {
  rows: number[] = [];

  readonly read = (cursor: string | null): Promise<Answer<ListPage<number>>> => {
    const rows = this.rows.filter((row) => cursor === null || row < Number(cursor));
    const items = rows.slice(0, PAGE);
    const next_cursor = rows.length > PAGE ? String(items.at(-1)) : null;
    return Promise.resolve({ ok: true, value: { items, next_cursor } });
  };

  async pages(count: number) {
    const answer = await readChain(this.read, ({ pages }) => pages >= count);
    if (!answer.ok) throw new Error("refused");
    return answer.value;
  }
}

const numbers = (from: number, to: number): number[] =>
  Array.from({ length: from - to + 1 }, (_, index) => from - index);

describe("pages of a list", () => {
  it("are read one behind the other, without a gap, to the end of those asked for", async () => {
    const list = new List();
    list.rows = numbers(120, 1);

    expect(await list.pages(2)).toEqual({ items: numbers(120, 21), next_cursor: "21", pages: 2 });
    expect(await list.pages(9)).toEqual({ items: numbers(120, 1), next_cursor: null, pages: 3 });
  });

  it("are refused as the server refuses one of them", async () => {
    const problem = { title: "", status: 500, code: "", detail: "", request_id: "", errors: [] };
    const refused = { ok: false, problem } as const;

    expect(
      await readChain(
        () => Promise.resolve(refused),
        () => false,
      ),
    ).toEqual(refused);
  });

  it("of a task's deliveries go on where the answer says", () => {
    expect(taskDeliveries({ items: [], next_after: 104 }).next_cursor).toBe("104");
    expect(taskDeliveries({ items: [], next_after: null }).next_cursor).toBeNull();
  });
});

describe("rows that are looked at again", () => {
  /** What is shown of a list that was read so far. */
  function merged(shown: number[], fresh: number[], isAtTop: boolean, isAll = false) {
    const last = fresh.at(-1) ?? 0;
    return mergeRows(shown, fresh, {
      keyOf: String,
      isAtTop,
      isBehind: (row) => !isAll && row < last,
    });
  }

  it("are the list as it is, when nobody reads further down: 120 new ones leave no hole", () => {
    const fresh = numbers(170, 121);

    expect(merged(numbers(50, 1), fresh, true)).toEqual({ rows: fresh, waiting: 0, isCut: false });
  });

  it("stand where they are while new ones wait, so that nothing moves away", () => {
    expect(merged([5, 4, 3], [7, 6, 5, 4, 3], false)).toEqual({
      rows: [5, 4, 3],
      waiting: 2,
      isCut: false,
    });
  });

  it.each([
    ["in the middle", [5, 4, 3], [5, 3], [5, 3]],
    ["at the end", [5, 4, 3], [5, 4, 2], [5, 4, 2]],
    ["all of them", [5, 4, 3], [], []],
  ])("leave when they are not in the list any more: %s", (_, shown, fresh, rows) => {
    expect(merged(shown, fresh, false, true)).toMatchObject({ rows, waiting: 0 });
  });

  it("stay where nothing is known of them, behind more new ones than were read", () => {
    expect(merged([5, 4, 3], numbers(90, 41), false)).toEqual({
      rows: [5, 4, 3],
      waiting: 50,
      isCut: true,
    });
    expect(merged([5, 4, 3], [6, 5, 4], false)).toEqual({
      rows: [5, 4, 3],
      waiting: 1,
      isCut: false,
    });
  });

  it("come in at the end at once: that moves nothing", () => {
    expect(merged([5, 4], [6, 5, 4, 3, 2], false)).toMatchObject({
      rows: [5, 4, 3, 2],
      waiting: 1,
    });
  });
});

describe("an overview with members that could not be told", () => {
  const seen = { alerts: [{ severity: "error", firing: 2 }], escalations_open: 3 };

  it("knows which they are, and has no tidings of them", () => {
    const whole = overview({ ...seen, incomplete: [] });
    const part = overview({ ...seen, incomplete: ["alerts", "agents"] });

    expect([isTold(part, "agents"), isTold(part, "webhooks")]).toEqual([false, true]);
    expect([tidingsOf(whole), tidingsOf(part)]).toEqual([{ alerts: 2, questions: 3 }, null]);
  });
});
