import type { Sealer } from "../lib/seal.ts";
import type { EndpointConfig, SigningSecret } from "./endpoint-config.ts";

/** An endpoint, as far as its secrets go. */
export type SecretHolder = Pick<EndpointConfig, "tenant" | "webhook_id" | "secrets">;

/** Whose the secrets of an endpoint are: its own; a callback's are the tenant's, one for all its callback URLs. */
export function secretOwner({ tenant, webhook_id }: Omit<SecretHolder, "secrets">): string {
  return webhook_id.startsWith("cb_") ? callbackOwner(tenant) : `webhook/${tenant}/${webhook_id}`;
}

/** Whose the callback secrets of a tenant are. */
export function callbackOwner(tenant: string): string {
  return `callback/${tenant}`;
}

/** The same secrets, all sealed with the newest key: what an earlier version stored in clear is sealed now. */
export async function renewedSecrets(
  sealer: Sealer,
  owner: string,
  secrets: readonly SigningSecret[],
): Promise<SigningSecret[]> {
  return Promise.all(
    secrets.map(async ({ secret, expires_at }) => ({
      secret: await sealer.renew(secret, owner),
      expires_at,
    })),
  );
}

/** The same configuration with its secrets sealed, as objects store it. */
export async function sealedConfig(
  sealer: Sealer,
  config: EndpointConfig,
): Promise<EndpointConfig> {
  const secrets = await renewedSecrets(sealer, secretOwner(config), config.secrets);
  return { ...config, secrets };
}
