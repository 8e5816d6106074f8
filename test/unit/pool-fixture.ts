import { newLife } from "../../src/dispatch/pool/pool.ts";
import type { Entry, Member, PoolAgent, PoolItem } from "../../src/dispatch/pool/pool.ts";
import type { AttemptOutcome } from "../../src/protocol/attempt-outcome.ts";

/* Executors and tasks of a pool, for tests of every part of it. */

/** An instant, epoch ms. */
export const NOW = 1_000_000;

/** An external executor with one slot that runs every kind of task a test asks for. */
export const agentOf = (agent_id: string, more: Partial<PoolAgent> = {}): PoolAgent => ({
  agent_id,
  capabilities: [],
  task_types: ["general"],
  labels: {},
  slots: 1,
  weight: 1,
  isBuiltin: false,
  isPush: false,
  isDraining: false,
  ...more,
});

/** A first attempt that anybody may have, ready at `NOW`. */
export const itemOf = (task_id: string, more: Partial<PoolItem> = {}): PoolItem => ({
  task_id,
  attempt: 1,
  priority: "normal",
  task_type: "general",
  requires: null,
  declined_by: [],
  ready_at: NOW,
  slot_seconds: 60,
  retry_delay: 30,
  objective: "balanced",
  affinity: [],
  ...more,
});

/** A task that nobody has. */
export const entryOf = (item: PoolItem, more: Partial<Entry> = {}): Entry => ({
  item,
  since: NOW,
  reservation: null,
  ...more,
});

/** An executor that called just now. */
export const memberOf = (agent: PoolAgent, more: Partial<Member> = {}): Member => ({
  agent,
  last_seen_at: NOW,
  slots_in_use: 0,
  isWaiting: false,
  assigned: 0,
  released: 0,
  life: newLife(0, NOW),
  ...more,
});

/** A quick and good attempt at a general task. */
export const outcomeOf = (more: Partial<AttemptOutcome> = {}): AttemptOutcome => ({
  task_type: "general",
  kind: "success",
  has_started: true,
  duration_s: 10,
  quality: null,
  cost_usd: null,
  is_on_time: true,
  ...more,
});
