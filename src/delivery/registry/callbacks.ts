import { derivedId, type Clock } from "../../lib/ports.ts";
import type { Sealer } from "../../lib/seal.ts";
import type { Principal } from "../../protocol/access.ts";
import type { EndpointConfig } from "../endpoint-config.ts";
import { STANDARD } from "../format/target.ts";
import { callbackOwner, renewedSecrets } from "../sealed-secrets.ts";
import { auditRecord, CALLBACK_SECRET } from "./audit.ts";
import type { CallbackSecrets, CallbackSecretStore } from "./callback-secret-store.ts";
import { MOST_TRIES } from "./finding.ts";
import { rotated } from "./registration.ts";

/** What callbacks need. */
export interface CallbackPorts {
  secrets: CallbackSecretStore;
  /** A new signing secret. */
  newSecret: () => string;
  sealer: Sealer;
  now: Clock;
}

/** The timeout of a registration that names none, in seconds (protocol.md §3). */
const DEFAULT_TIMEOUT_S = 15;

/** The id of the endpoint that a callback URL stands for: one for all tasks of a tenant that name it. */
export async function callbackId(tenant: string, url: string): Promise<string> {
  return `cb_${await derivedId(`${tenant}/${url}`)}`;
}

/** The configuration of a callback endpoint, signed with the tenant's callback secret. */
export async function callbackConfig(
  ports: CallbackPorts,
  tenant: string,
  url: string,
): Promise<EndpointConfig> {
  const { secrets, version } = await secretsOf(ports, tenant);
  return {
    tenant,
    webhook_id: await callbackId(tenant, url),
    url,
    secrets: await renewedSecrets(ports.sealer, callbackOwner(tenant), secrets),
    headers: {},
    timeout: DEFAULT_TIMEOUT_S,
    retry_policy: null,
    final_statuses: [],
    ordering: "task",
    lane_policy: "block",
    rate_limit: null,
    batching: null,
    breaker: null,
    compression: "none",
    format: STANDARD,
    shard: 0,
    shards: 1,
    state: "active",
    version,
  };
}

/** The newest callback secret of a tenant, minted when it is asked for the first time. */
export async function callbackSecret(
  ports: CallbackPorts,
  tenant: string,
): Promise<{ secret: string }> {
  const { secrets } = await secretsOf(ports, tenant);
  return { secret: await ports.sealer.open(secrets[0]?.secret ?? "", callbackOwner(tenant)) };
}

/** Mints a new callback secret; the old ones go on signing for the overlap. */
export async function rotateCallbackSecret(
  ports: CallbackPorts & { newId: () => string },
  by: Principal,
  overlapSeconds: number,
): Promise<{ secret: string }> {
  const owner = callbackOwner(by.tenant);
  const secret = ports.newSecret();
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const before = await secretsOf(ports, by.tenant);
    const rotation = { overlapSeconds, now: ports.now() };
    const after = rotated(before.secrets, secret, rotation);
    const secrets = await renewedSecrets(ports.sealer, owner, after);
    const record = auditRecord(ports, by, {
      subject: CALLBACK_SECRET,
      action: "callback_secret_rotated",
      detail: { overlap_seconds: overlapSeconds, signing: secrets.length },
    });
    const next = { version: before.version + 1, secrets };
    if (await ports.secrets.update(next, record)) return { secret };
  }
  throw new Error("Others rotated the callback secret at the same time, again and again");
}

async function secretsOf(ports: CallbackPorts, tenant: string): Promise<CallbackSecrets> {
  const known = await ports.secrets.read(tenant);
  if (known !== null) return known;
  const secret = await ports.sealer.seal(ports.newSecret(), callbackOwner(tenant));
  const first = { version: 1, secrets: [{ secret, expires_at: null }] };
  await ports.secrets.insert(tenant, first);
  return (await ports.secrets.read(tenant)) ?? first;
}
