/**
 * How the machine of a task goes down at a step.
 *
 * - `before`: the step never takes effect.
 * - `after`: it takes effect, and whoever made it never learns.
 * - `late`: a call that is under way takes effect only when the task lives again; a write can't.
 * - `evicted`: no crash: what is in memory is forgotten as soon as nothing is under way.
 */
export const WAYS_DOWN = ["before", "after", "late", "evicted"] as const;
export type WayDown = (typeof WAYS_DOWN)[number];

/** One thing that outlives the machine: a write that became durable, or a call to somebody else. */
export interface Step {
  kind: "write" | "call";
  label: string;
}

/** Counts the steps of one run, and says at which of them the machine goes down, and how. */
export class Fate {
  /** What has been met so far, whether it took effect or not. */
  readonly steps: Step[] = [];
  /** Steps before the part of the run that is looked at are not counted. */
  isCounting = false;
  /** Where the machine has gone down, in words. */
  readonly fallenAt: string[] = [];
  /** How it goes down at which step, from 0. */
  readonly plan: ReadonlyMap<number, WayDown>;

  constructor(plan: ReadonlyMap<number, WayDown> = new Map()) {
    this.plan = plan;
  }

  /** A step is about to be made. How the machine goes down at it, or null. */
  meet(step: Step): WayDown | null {
    if (!this.isCounting) return null;
    const way = this.plan.get(this.steps.length) ?? null;
    this.steps.push(step);
    if (way !== null) this.fallenAt.push(`${way} ${step.kind} ${step.label}`);
    return way;
  }
}
