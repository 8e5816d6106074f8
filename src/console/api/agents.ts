import { json, list, maybe, number, object, pageOf, table, text, type Read } from "../lib/shape.ts";

const rates = {
  accept_rate: maybe(number),
  on_time_rate: maybe(number),
  lease_loss_rate: maybe(number),
  success_rate: maybe(number),
  quality: maybe(number),
};

/** An executor (GET /v1/agents/{id}). */
export const agent = object({
  agent_id: text,
  capabilities: list(text),
  task_types: list(text),
  labels: table(text),
  slots: number,
  slots_in_use: number,
  pools: list(text),
  url: maybe(text),
  weight: number,
  version: maybe(text),
  state: text,
  last_seen_at: maybe(text),
  stats: maybe(
    object({
      ...rates,
      assigned: number,
      completed: number,
      failed: number,
      declined: number,
      lost_leases: number,
      stalled: number,
      per_task_type: table(
        object({
          success_rate: maybe(number),
          quality: maybe(number),
          duration_s: maybe(number),
          cost_usd: maybe(number),
        }),
      ),
    }),
  ),
});
export type Agent = Read<typeof agent>;

/** A page of GET /v1/agents. */
export const agentPage = pageOf(agent);

/** GET /v1/pools/{pool}/snapshot */
export const pool = object({
  pool: text,
  ready: object({ critical: number, high: number, normal: number, low: number }),
  oldest_ready_at: maybe(text),
  reserved: number,
  agents_online: number,
  slots_free: number,
});

/** GET /v1/metrics?by=agent */
export const agentMetrics = object({
  groups: list(
    object({
      key: maybe(text),
      volume: number,
      open: number,
      runs: number,
      cancelled: number,
      success_rate: maybe(number),
      duration_s: maybe(object({ p50: number, p95: number })),
      quality: maybe(number),
      cost_usd: number,
      tokens: number,
      escalations: number,
      retries: number,
      failure_causes: list(object({ cause: text, count: number })),
    }),
  ),
});
export type AgentFigures = Read<typeof agentMetrics>["groups"][number];

/** Answers whose content nobody shows. */
export const nothing = json;
