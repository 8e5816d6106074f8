import { instant } from "../lib/ports.ts";
import type { AgentView } from "../protocol/agent.ts";
import type { AgentRecord } from "./agents.ts";
import { statsOf } from "./choice/reputation.ts";
import type { AgentPresence, PoolPort } from "./pool/pool-port.ts";

/** How executors are doing, by pool. */
type Living = ReadonlyMap<string, readonly AgentPresence[]>;

/** How the executors are doing, by pool: one question to each pool that one of them is in. */
export async function presences(
  pool: (tenant: string, pool: string) => PoolPort,
  tenant: string,
  records: readonly AgentRecord[],
): Promise<Living> {
  const names = [...new Set(records.flatMap(({ registration }) => registration.pools))];
  const only = records.length === 1 ? records[0]?.agent_id : undefined;
  const answers = names.map(async (name): Promise<[string, AgentPresence[]]> => {
    const asked = pool(tenant, name);
    return [name, await (only === undefined ? asked.presence() : asked.presence(only))];
  });
  return new Map(await Promise.all(answers));
}

const NEARNESS = ["online", "stale", "offline"] as const;

/** An executor as the contract shows it: what was registered, and the sum of what its pools say. */
export function agentViewOf(
  { agent_id, registration, is_draining }: AgentRecord,
  living: Living,
): AgentView {
  const { schema_version: _, ...described } = registration;
  const here = registration.pools
    .flatMap((name) => living.get(name) ?? [])
    .filter((presence) => presence.agent_id === agent_id);
  const nearest = NEARNESS.find((state) => here.some((one) => one.state === state)) ?? "offline";
  const seen = here.flatMap(({ last_seen_at }) => last_seen_at ?? []);
  return {
    agent_id,
    ...described,
    url: registration.url ?? null,
    version: registration.version ?? null,
    state: is_draining ? "draining" : nearest,
    slots_in_use: here.reduce((total, { slots_in_use }) => total + slots_in_use, 0),
    last_seen_at: seen.length === 0 ? null : instant(Math.max(...seen)),
    stats: statsOf(here),
  };
}
