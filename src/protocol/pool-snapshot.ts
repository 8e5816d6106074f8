import * as z from "zod";

import { agentIdSchema, instantSchema, nameSchema, scoreSchema } from "./primitives.ts";

const agentConditionSchema = z
  .strictObject({
    agent_id: agentIdSchema,
    state: z.enum(["online", "stale", "offline", "draining"]),
    slots: z.int(),
    slots_in_use: z.int().meta({ description: "Slots that this pool's tasks take." }),
    weight: z.number(),
    breaker: z
      .enum(["closed", "open", "half_open"])
      .nullable()
      .meta({ description: "Of executors that tasks are pushed to; null for all others." }),
    success_rate: scoreSchema.nullable(),
  })
  .meta({ id: "AgentCondition", title: "How an executor stands in a pool" });
export type AgentCondition = z.infer<typeof agentConditionSchema>;

const count = z.int().min(0);

/** The state of one pool at one instant. Equal states have equal `snapshot_id`s. */
export const poolSnapshotSchema = z
  .strictObject({
    snapshot_id: z.string().meta({ description: "Names the state; task_routed refers to it." }),
    pool: nameSchema,
    at: instantSchema,
    ready: z
      .strictObject({ critical: count, high: count, normal: count, low: count })
      .meta({ description: "Tasks that wait for an executor, by priority." }),
    oldest_ready_at: instantSchema.nullable(),
    reserved: count.meta({ description: "Tasks that an executor has or is being given." }),
    agents_online: count,
    slots_free: count.meta({ description: "Free slots of the executors that are online." }),
    agents: z.array(agentConditionSchema),
  })
  .meta({ id: "PoolSnapshot", title: "State of a pool" });
export type PoolSnapshot = z.infer<typeof poolSnapshotSchema>;
