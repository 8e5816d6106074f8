import type { Principal } from "../protocol/access.ts";
import { BUILTIN_AGENT_ID } from "../protocol/agent.ts";
import type { AgentRecord, Agents } from "./agents.ts";

/** A message with a Standard Webhooks signature over its exact bytes. `timestamp` is unix seconds. */
export interface SignedMessage {
  id: string;
  timestamp: number;
  /** The `webhook-signature` header. */
  signature: string;
  body: Uint8Array;
}

/** What recognising a signer needs. */
export interface SignersParts {
  known: Agents["known"];
  /** The secrets that an executor may sign with at present, opened. */
  secretsOf: (tenant: string, agent: AgentRecord) => Promise<readonly string[]>;
  /** Compares in constant time. */
  isSigned: (secrets: readonly string[], message: SignedMessage) => Promise<boolean>;
}

/** Nobody's: checked in the place of an unknown executor's, so that both answers take the same time. */
const NOBODYS_SECRET = `whsec_${"A".repeat(43)}=`;

/**
 * Who signed a message: the executor of this name, when it is registered and the signature is made with its secret;
 * null otherwise, whatever the reason. It may do what executors do and nothing else, in the name of the key that
 * registered it, and with its own leases only.
 */
export function createSigners({ known, secretsOf, isSigned }: SignersParts) {
  return async (
    tenant: string,
    agent_id: string,
    message: SignedMessage,
  ): Promise<Principal | null> => {
    const agent = agent_id === BUILTIN_AGENT_ID ? null : await known(tenant, agent_id);
    const secrets = agent === null ? [NOBODYS_SECRET] : await secretsOf(tenant, agent);
    const isGenuine = await isSigned(secrets, message);
    if (agent === null || !isGenuine) return null;
    const key_id = agent.key_id ?? "";
    const { id, timestamp } = message;
    const base = { key_id, tenant, scopes: ["execute"] as const, isBootstrap: false };
    return { ...base, agent_id, message: { id, timestamp } };
  };
}
