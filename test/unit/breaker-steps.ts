import type { BreakerRules, BreakerState } from "../../src/delivery/breaker-state.ts";
import { initialBreaker, rulesOf } from "../../src/delivery/breaker-state.ts";
import type { BreakerResult } from "../../src/delivery/breaker-window.ts";
import { afterResult, disabled, type LevelChange } from "../../src/delivery/breaker.ts";

export const START = Date.parse("2026-11-22T10:00:00.000Z");
export const SECOND = 1_000;
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
export const DEFAULTS = rulesOf(null);

const result = (changes: Partial<BreakerResult>): BreakerResult => ({
  isSuccess: true,
  isOverload: false,
  isProbe: false,
  isManual: false,
  durationMs: 100,
  ...changes,
});

/** What the letters of a story mean. */
export const RESULTS = {
  ".": result({}),
  x: result({ isSuccess: false }),
  /** Slow, but 200. */
  s: result({ durationMs: 5_001 }),
  /** 429. */
  o: result({ isSuccess: false, isOverload: true }),
  P: result({ isProbe: true }),
  X: result({ isSuccess: false, isProbe: true }),
  O: result({ isSuccess: false, isOverload: true, isProbe: true }),
  m: result({ isManual: true }),
  M: result({ isSuccess: false, isManual: true }),
} as const;

/** Where a story has led to. */
export interface Story {
  state: BreakerState;
  changes: LevelChange[];
  now: number;
}

interface StoryOptions {
  from?: Story;
  rules?: BreakerRules;
  /** Between two results; 100 ms when absent. */
  everyMs?: number;
  random?: number;
}

/** Lives through results, one letter of `RESULTS` each. */
export function story(letters: string, options: StoryOptions = {}): Story {
  const { rules = DEFAULTS, everyMs = 100, random = 0 } = options;
  const first = options.from ?? { state: initialBreaker(), changes: [], now: START };
  return Array.from(letters).reduce<Story>(({ state, changes, now }, letter) => {
    const next = afterResult(state, RESULTS[letter as keyof typeof RESULTS], rules, {
      now: now + everyMs,
      random,
    });
    return {
      state: next.state,
      changes: next.change === null ? changes : [...changes, next.change],
      now: now + everyMs,
    };
  }, first);
}

/** A story that has just entered a level, with nothing counted since. */
export function atLevel(level: 0 | 1 | 2 | 3 | 4): Story {
  if (level === 4) {
    const at = story("");
    return { ...at, state: disabled(at.state, at.now, "operator").state };
  }
  return story({ 0: "", 1: "x.x.......", 2: "x.x.x.x.x.", 3: "xxxxx" }[level]);
}

/** The same, some milliseconds later. */
export function later(from: Story, ms: number): Story {
  return { ...from, now: from.now + ms };
}
