import * as z from "zod";

import type { AgentStats } from "../../protocol/agent.ts";
import type { AttemptOutcome } from "../../protocol/attempt-outcome.ts";
import { taskTypeSchema } from "../../protocol/enums.ts";
import type { TaskType } from "../../protocol/enums.ts";

/* What is known of an executor from how its attempts went. Pure. */

/**
 * How much of the past remains after each new fact: the last fifty weigh as much as all before them, so
 * that an executor can recover from a bad week, and a good name does not outlive a bad release.
 */
const GAMMA = 0.98;

/** A discounted mean: the sum of what was seen, and how much was seen. */
const meanSchema = z.strictObject({ sum: z.number(), n: z.number().min(0) });
export type Mean = z.infer<typeof meanSchema>;

const workSchema = z.strictObject({
  success: meanSchema,
  quality: meanSchema,
  duration_s: meanSchema,
  cost_usd: meanSchema,
});

/** How an executor does one task type. */
export type Work = z.infer<typeof workSchema>;

/** Whole numbers count over all time; the means forget. */
export const reputationSchema = z.strictObject({
  completed: z.int().min(0),
  failed: z.int().min(0),
  declined: z.int().min(0),
  lost: z.int().min(0),
  stalled: z.int().min(0),
  accepting: meanSchema,
  on_time: meanSchema,
  losing: meanSchema,
  per_task_type: z.partialRecord(taskTypeSchema, workSchema),
});
export type Reputation = z.infer<typeof reputationSchema>;

const NOTHING: Mean = { sum: 0, n: 0 };

const NO_WORK: Work = {
  success: NOTHING,
  quality: NOTHING,
  duration_s: NOTHING,
  cost_usd: NOTHING,
};

/** An executor of which nothing is known. */
export const UNKNOWN: Reputation = {
  completed: 0,
  failed: 0,
  declined: 0,
  lost: 0,
  stalled: 0,
  accepting: NOTHING,
  on_time: NOTHING,
  losing: NOTHING,
  per_task_type: {},
};

/** How an executor does a task type; without any fact when it never did. */
export function workOf(reputation: Reputation, task_type: TaskType): Work {
  return reputation.per_task_type[task_type] ?? NO_WORK;
}

/** A mean drawn towards what is believed before anything was seen. */
export function believed(mean: Mean, prior: { value: number; strength: number }): number {
  return (mean.sum + prior.value * prior.strength) / (mean.n + prior.strength);
}

/** Whatever executors claim of their tasks, a sum stays a number that JSON can hold and a mean can be rounded. */
function bounded(total: number): number {
  return Math.min(total, Number.MAX_SAFE_INTEGER);
}

function adding(mean: Mean, value: number | null): Mean {
  return value === null ? mean : { sum: bounded(mean.sum * GAMMA + value), n: mean.n * GAMMA + 1 };
}

/** The executor gave a task back that it was offered. */
export function afterDecline(reputation: Reputation): Reputation {
  const { declined, accepting } = reputation;
  return { ...reputation, declined: declined + 1, accepting: adding(accepting, 0) };
}

/** 1, 0 or, where the attempt says nothing about the executor's work, null. */
function successOf({ kind }: AttemptOutcome): number | null {
  switch (kind) {
    case "success":
      return 1;
    case "failure":
    case "lost":
    case "stalled":
      return 0;
    case "cancelled":
    case "other":
      return null;
  }
}

/** Starting is accepting; losing the lease before the start is the opposite. */
function acceptedIn({ has_started, kind }: AttemptOutcome): number | null {
  if (has_started === true) return 1;
  return has_started === false && kind === "lost" ? 0 : null;
}

/**
 * What is known after one more attempt. Who loses the lease before it started has not accepted; an attempt
 * that others ended says that it had accepted, and nothing of its work.
 */
export function afterAttempt(reputation: Reputation, outcome: AttemptOutcome): Reputation {
  const { kind, task_type } = outcome;
  const isLost = kind === "lost" || kind === "stalled";
  const success = successOf(outcome);
  const work = workOf(reputation, task_type);
  const isDone = kind === "success";
  const onTime = outcome.is_on_time === null ? null : Number(outcome.is_on_time);
  return {
    ...reputation,
    completed: reputation.completed + Number(isDone),
    failed: reputation.failed + Number(kind === "failure"),
    lost: reputation.lost + Number(kind === "lost"),
    stalled: reputation.stalled + Number(kind === "stalled"),
    accepting: adding(reputation.accepting, acceptedIn(outcome)),
    on_time: adding(reputation.on_time, onTime),
    losing: adding(reputation.losing, success === null ? null : Number(isLost)),
    per_task_type: {
      ...reputation.per_task_type,
      [task_type]: {
        success: adding(work.success, success),
        quality: adding(work.quality, outcome.quality),
        duration_s: adding(work.duration_s, isDone ? outcome.duration_s : null),
        cost_usd: adding(work.cost_usd, isDone ? outcome.cost_usd : null),
      },
    },
  };
}

function sum(means: readonly Mean[]): Mean {
  return means.reduce((one, other) => ({ sum: one.sum + other.sum, n: one.n + other.n }), NOTHING);
}

function shown(means: readonly Mean[]): number | null {
  const { sum: total, n } = sum(means);
  return n === 0 ? null : Math.round((total / n) * 10_000) / 10_000;
}

/** The share of an executor's attempts that succeeded, over all task types; null before the first. */
export function successRate(reputation: Reputation): number | null {
  return shown(Object.values(reputation.per_task_type).map(({ success }) => success));
}

/** What one pool knows of an executor. */
interface Figures {
  assigned: number;
  released: number;
  reputation: Reputation;
}

/** The figures of one executor in all its pools, as the contract shows them. */
export function statsOf(pools: readonly Figures[]): AgentStats {
  const known = pools.map(({ reputation }) => reputation);
  const count = (figure: "completed" | "failed" | "declined" | "lost" | "stalled") =>
    known.reduce((total, reputation) => total + reputation[figure], 0);
  const works = known.flatMap(({ per_task_type }) => Object.values(per_task_type));
  const types = taskTypeSchema.options.flatMap((task_type) => {
    const mine = known.flatMap(({ per_task_type }) => per_task_type[task_type] ?? []);
    if (mine.length === 0) return [];
    const figures = {
      success_rate: shown(mine.map(({ success }) => success)),
      quality: shown(mine.map(({ quality }) => quality)),
      duration_s: shown(mine.map(({ duration_s }) => duration_s)),
      cost_usd: shown(mine.map(({ cost_usd }) => cost_usd)),
    };
    return [[task_type, figures] as const];
  });
  return {
    assigned: pools.reduce((total, { assigned }) => total + assigned, 0),
    released: pools.reduce((total, { released }) => total + released, 0),
    completed: count("completed"),
    failed: count("failed"),
    declined: count("declined"),
    lost_leases: count("lost"),
    stalled: count("stalled"),
    accept_rate: shown(known.map(({ accepting }) => accepting)),
    on_time_rate: shown(known.map(({ on_time }) => on_time)),
    lease_loss_rate: shown(known.map(({ losing }) => losing)),
    success_rate: shown(works.map(({ success }) => success)),
    quality: shown(works.map(({ quality }) => quality)),
    per_task_type: Object.fromEntries(types),
  };
}
