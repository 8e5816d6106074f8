import type { Clock } from "../../../lib/ports.ts";
import { sum, type Agent } from "../../census.ts";
import type { ReadTaskTotals, Sample, SampleSource } from "../ports.ts";

const STATES = ["online", "stale", "offline", "draining"] as const;

/** Executors that are counted, at most, in pages of `AGENTS_PAGE`: each page asks pools. */
const MAX_AGENTS = 1_000;
const AGENTS_PAGE = 200;

/** One page of executors. */
export type ReadAgents = (
  tenant: string,
  page: { cursor?: string | undefined; limit: number },
) => Promise<{ items: Agent[]; next_cursor: string | null }>;

/** Executors by state, and their slots: of the first thousand. */
export function agentSource(agents: ReadAgents): SampleSource {
  return {
    name: "agents",
    async read(tenant) {
      const found: Agent[] = [];
      let cursor: string | undefined;
      let pages = 0;
      do {
        pages += 1;
        // Each page says where the next one begins.
        // oxlint-disable-next-line no-await-in-loop
        const page = await agents(tenant, { cursor, limit: AGENTS_PAGE });
        found.push(...page.items);
        cursor = page.next_cursor ?? undefined;
      } while (cursor !== undefined && found.length < MAX_AGENTS);
      const states = STATES.map((state): Sample => {
        const value = found.filter((agent) => agent.state === state).length;
        return { metric: "batuta_agents", labels: { state }, value };
      });
      const slots = sum(found.map((agent) => agent.slots));
      const inUse = sum(found.map((agent) => agent.slots_in_use));
      return {
        samples: [
          ...states,
          { metric: "batuta_slots", labels: {}, value: slots },
          { metric: "batuta_slots_in_use", labels: {}, value: inUse },
        ],
        isComplete: cursor === undefined,
        statements: pages,
      };
    },
  };
}

/** Tasks that wait for an executor, as far as they were counted. */
interface Backlog {
  waiting: number;
  oldest_created_at: string | null;
  isComplete: boolean;
}

/** How many tasks wait for an executor, and how long the oldest has; incomplete where there are more than are counted. */
export function queueSource(
  readBacklog: (tenant: string) => Promise<Backlog>,
  now: Clock,
): SampleSource {
  return {
    name: "queue",
    async read(tenant) {
      const { waiting, oldest_created_at: oldest, isComplete } = await readBacklog(tenant);
      // Behind so many others nobody knows whether one waits, and no figure must say that none does.
      if (waiting === 0 && !isComplete) return { samples: [], isComplete };
      const age = oldest === null ? 0 : Math.max(0, now() - Date.parse(oldest)) / 1_000;
      return {
        samples: [
          { metric: "batuta_queue_oldest_age_seconds", labels: {}, value: age },
          { metric: "batuta_tasks_waiting", labels: {}, value: waiting },
        ],
        isComplete,
      };
    },
  };
}

/** What history has rolled up. */
export function taskSource(readTaskTotals: ReadTaskTotals): SampleSource {
  return {
    name: "tasks",
    read: async (tenant) => ({ samples: await readTaskTotals(tenant), isComplete: true }),
  };
}
