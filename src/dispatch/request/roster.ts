import { canonicalJson, derivedId, instant } from "../../lib/ports.ts";
import { BUILTIN_AGENT_ID } from "../../protocol/agent.ts";
import type { AgentView } from "../../protocol/agent.ts";
import type { PlanSnapshot } from "../../protocol/request.ts";
import type { TaskExecution } from "../../protocol/task-execution.ts";
import { misfit } from "../choice/fit.ts";
import type { AgentPresence } from "../pool/pool-port.ts";
import type { PoolAgent, PoolItem } from "../pool/pool.ts";

/** An executor of a pool and how it is doing there. */
export interface RosterEntry {
  agent: PoolAgent;
  state: AgentView["state"];
  slots_in_use: number;
}

/** The executors of one pool, by agent_id. */
export type Roster = readonly RosterEntry[];

/** Executors that a stored snapshot names; the roster itself may have more. */
const MOST_SHOWN = 50;

/** How many executors fit a task and how many of their slots are free now; when none fits, why. */
export interface Fit {
  fitting: number;
  free: number;
  why: string;
}

function itemOf(task: TaskExecution): PoolItem {
  return {
    task_id: task.task_id ?? "task",
    attempt: 1,
    priority: task.priority,
    task_type: task.task_type,
    requires: task.requires ?? null,
    declined_by: [],
    ready_at: 0,
    slot_seconds: 1,
    retry_delay: 0,
    objective: task.execution_options.objective,
    affinity: [],
  };
}

/** Who of a roster could do a task. */
export function fitOf(roster: Roster, task: TaskExecution): Fit {
  const item = itemOf(task);
  const faults = roster.map(({ agent }) => misfit(agent, item));
  const fitting = roster.filter((_, index) => faults[index] === null);
  const free = fitting
    .filter(({ state }) => state === "online")
    .reduce((sum, { agent, slots_in_use }) => sum + Math.max(0, agent.slots - slots_in_use), 0);
  const reasons = [...new Set(faults.filter((fault) => fault !== null))].slice(0, 3);
  const why = roster.length === 0 ? "the pool has no executor" : reasons.join(", ");
  return { fitting: fitting.length, free, why };
}

/** The registered executors of a pool with how they are doing there; the built-in one is in every pool. */
export function rosterOf(
  pool: string,
  agents: readonly AgentView[],
  presences: readonly Pick<AgentPresence, "agent_id" | "state" | "slots_in_use">[],
): Roster {
  const living = new Map(presences.map((presence) => [presence.agent_id, presence]));
  return agents
    .filter(({ pools, agent_id }) => pools.includes(pool) || living.has(agent_id))
    .map((view): RosterEntry => {
      const { agent_id, capabilities, task_types, labels, slots, weight } = view;
      const agent = {
        agent_id,
        capabilities,
        task_types,
        labels,
        slots,
        weight,
        isBuiltin: agent_id === BUILTIN_AGENT_ID,
        isPush: view.url !== null,
        isDraining: view.state === "draining",
      };
      const presence = living.get(agent_id);
      return {
        agent,
        state: view.state === "draining" ? "draining" : (presence?.state ?? "offline"),
        slots_in_use: presence?.slots_in_use ?? 0,
      };
    })
    .toSorted((one, other) => (one.agent.agent_id < other.agent.agent_id ? -1 : 1));
}

/** The roster as a plan keeps it; equal facts give the equal id. */
export async function snapshotOf(pool: string, roster: Roster, now: number): Promise<PlanSnapshot> {
  const executors = roster.map(({ agent, state, slots_in_use }) => ({
    agent_id: agent.agent_id,
    state,
    slots: agent.slots,
    slots_in_use,
  }));
  return {
    snapshot_id: `snap_${await derivedId(canonicalJson({ pool, executors }))}`,
    at: instant(now),
    pool,
    executors: executors.slice(0, MOST_SHOWN),
  };
}
