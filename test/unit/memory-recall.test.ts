import { describe, expect, it } from "vitest";

import {
  rank,
  tokensOf,
  type Candidate,
  type Wanted,
} from "../../src/executor/memory/recall/fusion.ts";
import {
  isFaded,
  usedOnce,
  utilityFactor,
  utilityScore,
} from "../../src/executor/memory/recall/utility.ts";
import { succession } from "../../src/executor/memory/supersession.ts";

const NOW = Date.UTC(2026, 10, 26);
const DAY = 86_400_000;

let places = 0;

function found(change: Partial<Candidate> = {}): Candidate {
  places += 1;
  return {
    place: places,
    task_type: "research",
    created_at: NOW,
    use: { used: 0, helped: 0 },
    bytes: 300,
    text_rank: null,
    vector_rank: null,
    similarity: 0.5,
    vector: null,
    ...change,
  };
}

const WANTED: Wanted = {
  now: NOW,
  task_type: "research",
  threshold: 0.2,
  limit: 8,
  max_tokens: 10_000,
};

const order = (candidates: readonly Candidate[], change: Partial<Wanted> = {}) =>
  rank(candidates, { ...WANTED, ...change }).map(({ place }) => place);

describe("the fusion of both searches", () => {
  it("puts what both found above what one of them found first", () => {
    const words = found({ text_rank: 1 });
    const both = found({ text_rank: 3, vector_rank: 3 });
    const near = found({ vector_rank: 2 });

    expect(order([words, near, both])).toEqual([both.place, words.place, near.place]);
    const [first] = rank([words], { ...WANTED, task_type: null, now: NOW + 10_000 * DAY });
    expect(first?.score).toBeCloseTo(1 / 61, 6);
  });

  it.each([
    ["the same type", { task_type: "testing" } as const],
    ["being new", { created_at: NOW - 90 * DAY }],
    ["having helped", { use: { used: 4, helped: 0 } }],
  ])("prefers %s among equals", (_what, change) => {
    const worse = found({ text_rank: 1, ...change });
    const better = found({ text_rank: 1 });

    expect(order([worse, better])).toEqual([better.place, worse.place]);
    expect(order([better, worse])).toEqual([better.place, worse.place]);
  });

  it("leaves out what is below the threshold, and not what cannot be compared", () => {
    const far = found({ text_rank: 1, similarity: 0.19 });
    const incomparable = found({ text_rank: 2, similarity: null });
    const near = found({ vector_rank: 1, similarity: 0.2 });

    expect(order([far, incomparable, near])).toEqual([near.place, incomparable.place]);
  });

  it("gives something else before it repeats itself", () => {
    const first = found({ text_rank: 1, vector: Int8Array.of(127, 0) });
    const same = found({ text_rank: 2, vector: Int8Array.of(127, 0) });
    const other = found({ text_rank: 8, vector: Int8Array.of(0, 127) });

    expect(order([first, same, other], { limit: 2 })).toEqual([first.place, other.place]);
  });

  it("never spends more tokens than it may, and passes over what does not fit", () => {
    const large = found({ text_rank: 1, bytes: 3_000 });
    const medium = found({ text_rank: 2, bytes: 600 });
    const small = found({ text_rank: 3, bytes: 300 });

    expect(order([large, medium, small], { max_tokens: 300 })).toEqual([medium.place, small.place]);
    expect(order([large, medium, small], { max_tokens: 0 })).toEqual([]);
    expect(tokensOf(300)).toBe(100);
  });

  it("gives at most so many", () => {
    const many = Array.from({ length: 20 }, (_, index) => found({ text_rank: index + 1 }));

    expect(order(many)).toHaveLength(8);
    expect(order([])).toEqual([]);
  });
});

describe("the utility of a memory", () => {
  it("is half while nobody knows, rises with each run that went well and falls with every other", () => {
    const fresh = { used: 0, helped: 0 };
    const once = usedOnce(fresh, 1);
    const [up, down] = [usedOnce(once, 1), usedOnce(once, 0)];

    expect(utilityScore(fresh)).toBe(0.5);
    expect(utilityScore(once)).toBeCloseTo(2 / 3);
    expect(utilityScore(up)).toBe(0.75);
    expect(utilityScore(down)).toBe(0.5);
    expect(utilityFactor(fresh)).toBe(1);
  });

  it("takes any score as a share", () => {
    const fresh = { used: 0, helped: 0 };

    expect(usedOnce(fresh, 7)).toEqual({ used: 1, helped: 1 });
    expect(usedOnce(fresh, -1)).toEqual({ used: 1, helped: 0 });
    expect(usedOnce(fresh, Number.NaN)).toEqual({ used: 1, helped: 0 });
  });

  it("fades what did not help in five runs, and nothing before", () => {
    expect(isFaded({ used: 4, helped: 0 })).toBe(false);
    expect(isFaded({ used: 5, helped: 0 })).toBe(true);
    expect(isFaded({ used: 5, helped: 1 })).toBe(false);
  });
});

describe("a new fact", () => {
  const fact = { memory_id: "mem_new", topic: "region", text: "Oslo", created_at: NOW };

  it("is the first of its topic", () => {
    expect(succession(fact, null)).toEqual({ kind: "new", supersedes: null, valid_to: NOW });
  });

  it("supersedes what was valid, from its own instant on", () => {
    const old = { ...fact, memory_id: "mem_old", text: "Bergen", created_at: NOW - DAY };

    expect(succession(fact, old)).toEqual({ kind: "new", supersedes: "mem_old", valid_to: NOW });
  });

  it("leaves what was stated later as it is, whichever comes first", () => {
    const newer = { ...fact, memory_id: "mem_new", text: "Bergen", created_at: NOW + 1 };

    expect(succession(fact, newer)).toEqual({
      kind: "late",
      superseded_by: "mem_new",
      valid_to: NOW + 1,
    });
  });

  it("is none where the valid one says the same", () => {
    const old = { ...fact, memory_id: "mem_old", created_at: NOW - DAY };

    expect(succession(fact, old)).toEqual({ kind: "known", memory_id: "mem_old" });
  });
});
