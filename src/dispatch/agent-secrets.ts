import { instant } from "../lib/ports.ts";
import type { Clock } from "../lib/ports.ts";
import type { Sealer } from "../lib/seal.ts";
import type { AgentRecord, AgentStore } from "./agents.ts";

/** Rotations of one executor at one time: each but the first finds another secret than it read. */
const MOST_TRIES = 5;

/** What the secrets of executors need. */
export interface AgentSecretsParts {
  now: Clock;
  store: Pick<AgentStore, "get" | "replaceSecret">;
  /** Mints a signing secret, `whsec_…`. */
  newSecret: () => string;
  sealer: Sealer;
}

/** Whose an executor's secret is: it opens for nobody else. */
export function secretOwnerOf(tenant: string, agent_id: string): string {
  return `agent/${tenant}/${agent_id}`;
}

/**
 * The secrets of an executor that count at present, opened, the newest first: both sign while one replaces the other.
 *
 * @throws when one of them does not open: its key is none of the installation's
 */
export async function secretsOf(
  sealer: Pick<Sealer, "open">,
  tenant: string,
  { agent, now }: { agent: AgentRecord; now: number },
): Promise<string[]> {
  const { secret, former } = agent;
  const isFormerLive = former !== undefined && Date.parse(former.until) > now;
  const sealed = isFormerLive ? [secret, former.secret] : [secret];
  const owner = secretOwnerOf(tenant, agent.agent_id);
  return Promise.all(sealed.map((one) => sealer.open(one, owner)));
}

/**
 * Gives an executor a new secret; the one before it counts for `overlapSeconds` more. Null when it was removed.
 *
 * Two rotations at one time follow each other: both answers hold a secret that counts.
 */
export async function rotateSecret(
  { store, now, newSecret, sealer }: AgentSecretsParts,
  of: { tenant: string; agent_id: string },
  overlapSeconds: number,
): Promise<string | null> {
  const { tenant, agent_id } = of;
  const secret = newSecret();
  const to = await sealer.seal(secret, secretOwnerOf(tenant, agent_id));
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    // Each try reads what the one before it lost to.
    // oxlint-disable-next-line no-await-in-loop
    const record = await store.get(tenant, agent_id);
    if (record === null) return null;
    const until = instant(now() + overlapSeconds * 1_000);
    const change = { from: record.secret, to, former: { secret: record.secret, until } };
    // oxlint-disable-next-line no-await-in-loop
    if (await store.replaceSecret(tenant, agent_id, change)) return secret;
  }
  throw new Error(`the secret of ${agent_id} changes too often to be rotated`);
}
