import type { AgentView } from "../protocol/agent.ts";
import type { StateView } from "../protocol/state-view.ts";

const STATES = ["online", "stale", "offline", "draining"] as const;

/** What is counted of an executor. */
export type Agent = Pick<AgentView, "state" | "slots" | "slots_in_use" | "pools">;

/** The sum of numbers. */
export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Executors by how they are doing. */
export function agentsOf(agents: readonly Agent[], isComplete: boolean): StateView["agents"] {
  const groups = STATES.flatMap((state) => {
    const members = agents.filter((agent) => agent.state === state);
    if (members.length === 0) return [];
    const slots = sum(members.map((agent) => agent.slots));
    const slots_in_use = sum(members.map((agent) => agent.slots_in_use));
    return [{ state, agents: members.length, slots, slots_in_use }];
  });
  const free = agents
    .filter(({ state }) => state === "online")
    .map(({ slots, slots_in_use }) => Math.max(0, slots - slots_in_use));
  return { groups, is_complete: isComplete, slots_free: sum(free) };
}

/** The pools that executors are registered in, and `default`, by name. */
export function poolsOf(agents: readonly Agent[]): StateView["pools"] {
  const names = new Set(["default", ...agents.flatMap(({ pools }) => pools)]);
  return [...names].toSorted().map((pool) => {
    const members = agents.filter(({ pools }) => pools.includes(pool));
    return {
      pool,
      agents: members.length,
      online: members.filter(({ state }) => state === "online").length,
      slots: sum(members.map(({ slots }) => slots)),
    };
  });
}
