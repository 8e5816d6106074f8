import { canonicalJson, derivedId, instant, type Clock } from "../lib/ports.ts";
import { taskPhaseSchema, taskStatusSchema } from "../protocol/enums.ts";
import type { StateView } from "../protocol/state-view.ts";
import { countActive } from "./active-store.ts";
import { agentsOf, poolsOf, sum, type Agent } from "./census.ts";
import { readOpenDebts } from "./debt-repair-store.ts";
import { readOpenQuestions } from "./run-store.ts";

/** Executors that a view counts, at most, in pages of `AGENTS_PAGE`. */
const MAX_AGENTS = 1_000;
const AGENTS_PAGE = 200;

/** Open questions, and open debts, that a view counts, at most. */
const MAX_OPEN = 1_000;

/** What a view of the state is made from. */
export interface StateParts {
  /** Makes a read of the database of the tenant's history, unless that is down. */
  read: <Value>(tenant: string, query: (db: D1Database) => Promise<Value>) => Promise<Value>;
  now: Clock;
  /** Executors with what their pools know of them. */
  agents: (
    tenant: string,
    page: { cursor?: string | undefined; limit: number },
  ) => Promise<{ items: Agent[]; next_cursor: string | null }>;
}

/** The executors of a tenant with what their pools know of them, 1,000 at most. */
export async function allAgents({ agents }: Pick<StateParts, "agents">, tenant: string) {
  const found: Agent[] = [];
  let cursor: string | undefined;
  do {
    const page = await agents(tenant, { cursor, limit: AGENTS_PAGE });
    found.push(...page.items);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined && found.length < MAX_AGENTS);
  return { agents: found, isComplete: cursor === undefined };
}

async function tasksOf({ read }: StateParts, tenant: string): Promise<StateView["tasks"]> {
  const { groups, isComplete } = await read(tenant, (db) => countActive(db, tenant));
  const named = groups.map(({ status, phase, count, task_id, created_at }) => ({
    status: taskStatusSchema.parse(status),
    phase: taskPhaseSchema.parse(phase),
    count,
    oldest: { task_id, created_at },
  }));
  const rank = ({ status, phase }: (typeof named)[number]) =>
    100 * taskStatusSchema.options.indexOf(status) + taskPhaseSchema.options.indexOf(phase);
  return {
    active: sum(named.map(({ count }) => count)),
    is_complete: isComplete,
    groups: named.toSorted((a, b) => rank(a) - rank(b)),
  };
}

/** How many are open of what was read, oldest first and one more than are counted. */
function openOf(found: readonly { created_at: string }[]): StateView["escalations"] {
  return {
    open: Math.min(found.length, MAX_OPEN),
    is_complete: found.length <= MAX_OPEN,
    oldest_created_at: found[0]?.created_at ?? null,
  };
}

/** What is going on in a tenant: active tasks, open questions, debts, executors. Throws when D1 is down. */
export async function stateOf(parts: StateParts, tenant: string): Promise<StateView> {
  const [tasks, questions, debts, found] = await Promise.all([
    tasksOf(parts, tenant),
    parts.read(tenant, (db) => readOpenQuestions(db, tenant, MAX_OPEN + 1)),
    parts.read(tenant, (db) => readOpenDebts(db, tenant, MAX_OPEN + 1)),
    allAgents(parts, tenant),
  ]);
  const content = {
    tasks,
    escalations: openOf(questions),
    cleanup_debt: openOf(debts),
    agents: agentsOf(found.agents, found.isComplete),
    pools: poolsOf(found.agents),
  };
  const digest = await derivedId(canonicalJson(content));
  return { state_id: `state_${digest}`, at: instant(parts.now()), ...content };
}
