import {
  flag,
  list,
  maybe,
  number,
  object,
  table,
  text,
  type Read,
  type Shape,
} from "../lib/shape.ts";

/** One point: epoch seconds and a value, null where there is nothing to say. */
const point: Shape<[number, number | null]> = (value) => {
  const pair: unknown[] = Array.isArray(value) ? value : [];
  return [number(pair[0]), maybe(number)(pair[1])];
};

const series = object({ metric: text, stat: text, labels: table(text), points: list(point) });

/** One figure over time. */
export type Series = Read<typeof series>;

const objective = object({
  slo_id: text,
  title: text,
  indicator: text,
  target: number,
  window_days: number,
  total: number,
  good: number,
  attained: maybe(number),
  budget_total: number,
  budget_left: number,
  burn_rate_1h: maybe(number),
  burn_rate_6h: maybe(number),
});

/** A service-level objective and what is left of its error budget. */
export type Objective = Read<typeof objective>;

/** GET /v1/overview, and each event of its stream. */
export const overview = object({
  at: text,
  tasks: object({
    active: number,
    is_complete: flag,
    by_status: list(object({ status: text, count: number })),
    created: number,
    ended: number,
    succeeded: number,
    completion_rate: maybe(number),
    duration_p50_s: maybe(number),
    duration_p95_s: maybe(number),
    quality: maybe(number),
  }),
  cost_usd: number,
  tokens: number,
  deliveries: object({
    delivered: number,
    failed: number,
    success_rate: maybe(number),
    p95_s: maybe(number),
    oldest_due_age_s: maybe(number),
  }),
  agents: object({
    online: number,
    draining: number,
    stale: number,
    slots: number,
    slots_in_use: number,
    is_complete: flag,
  }),
  webhooks: object({ total: number, troubled: number }),
  escalations_open: number,
  cleanup_debts_open: number,
  alerts: list(object({ severity: text, firing: number })),
  objectives: list(objective),
  health: object({ is_ready: flag, dependencies: table(text) }),
  series: list(series),
  incomplete: list(text),
});
export type Overview = Read<typeof overview>;

/** Whether a member could be told: what stands there else says nothing. */
export const isTold = (of: Overview, member: keyof Overview): boolean =>
  !of.incomplete.includes(member);

/** How many alerts fire and questions are open; null where either is not known. */
export function tidingsOf(of: Overview): { alerts: number; questions: number } | null {
  if (!isTold(of, "alerts") || !isTold(of, "escalations_open")) return null;
  return {
    alerts: of.alerts.reduce((sum, { firing }) => sum + firing, 0),
    questions: of.escalations_open,
  };
}

/** GET /v1/insights */
export const insights = object({
  items: list(
    object({
      rule: text,
      severity: text,
      subject: object({ kind: text, id: text }),
      title: text,
      evidence: table(text),
    }),
  ),
});
export type Insight = Read<typeof insights>["items"][number];
