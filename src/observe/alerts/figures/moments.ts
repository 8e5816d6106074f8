import type { AlertMetric } from "../../../protocol/alerts.ts";
import { agentsOf, type Agent } from "../../census.ts";
import type { MomentMetric, ReadMoment } from "../ports.ts";

/** Executors and endpoints that are looked at, at most: each page asks pools, each endpoint an object. */
const MAX_AGENTS = 1_000;
const AGENTS_PAGE = 200;
const MAX_ENDPOINTS = 50;

/** The window of an endpoint's figures; what waits does not depend on it. Seconds. */
const WINDOW_S = 60;

const MOMENTS: ReadonlySet<string> = new Set<MomentMetric>([
  "delivery_oldest_age_s",
  "agents_online",
  "slots_free",
  "escalations_open",
  "cleanup_debts_open",
]);

/** Whether a figure holds at the moment, and has no window. */
export function isMoment(metric: AlertMetric): metric is MomentMetric {
  return MOMENTS.has(metric);
}

type Read<Item> = (
  tenant: string,
  page: { cursor?: string | undefined; limit: number },
) => Promise<{ items: Item[]; next_cursor: string | null }>;

/** Where it is to be seen. */
export interface MomentParts {
  agents: Read<Agent>;
  webhooks: Read<{ webhook_id: string }>;
  /** How long the oldest delivery that is due has waited, seconds; null where none is. */
  oldestAge: (tenant: string, webhook_id: string, window: number) => Promise<number | null>;
  open: (
    tenant: string,
    what: Extract<MomentMetric, "escalations_open" | "cleanup_debts_open">,
  ) => Promise<number>;
}

async function allAgents(read: Read<Agent>, tenant: string): Promise<Agent[]> {
  const found: Agent[] = [];
  let cursor: string | undefined;
  do {
    // Each page says where the next one begins.
    // oxlint-disable-next-line no-await-in-loop
    const page = await read(tenant, { cursor, limit: AGENTS_PAGE });
    found.push(...page.items);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined && found.length < MAX_AGENTS);
  return found;
}

async function oldestAge(parts: MomentParts, tenant: string): Promise<number> {
  const { items } = await parts.webhooks(tenant, { limit: MAX_ENDPOINTS });
  const ages = await Promise.all(
    items.map(({ webhook_id }) => parts.oldestAge(tenant, webhook_id, WINDOW_S)),
  );
  return Math.max(0, ...ages.map((age) => age ?? 0));
}

/**
 * What holds at the moment: of the first 1,000 executors, the first 50 endpoints, and the first 1,000 that are open.
 * Null for executors where a tenant has none: that none is online is then no news.
 */
export function momentsOf(parts: MomentParts): ReadMoment {
  return async (tenant, metric) => {
    switch (metric) {
      case "agents_online":
      case "slots_free": {
        const agents = await allAgents(parts.agents, tenant);
        if (agents.length === 0) return null;
        if (metric === "slots_free") return agentsOf(agents, true).slots_free;
        return agents.filter(({ state }) => state === "online").length;
      }
      case "delivery_oldest_age_s":
        return oldestAge(parts, tenant);
      case "escalations_open":
      case "cleanup_debts_open":
        return parts.open(tenant, metric);
    }
  };
}
