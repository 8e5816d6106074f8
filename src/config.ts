import { z } from "zod";

const flag = z.enum(["true", "false"]).transform((text) => text === "true");

const configSchema = z.object({
  BATUTA_ADMIN_KEY: z.string().min(1).optional(),
  ALLOW_LOCAL_ENDPOINTS: flag.default(false),
  BATUTA_SAM: z.enum(["on", "off"]).default("on"),
});

/** What an operator can set, by its meaning. */
export interface Config {
  /** The bootstrap key with all scopes in tenant `default`; null when the installation has none. */
  adminKey: string | null;
  /** Whether webhooks may use http and private addresses: on a developer's machine only. */
  allowLocalEndpoints: boolean;
  /** Whether the built-in executor takes tasks. */
  isSamOn: boolean;
}

/**
 * The configuration from the Worker's variables and secrets. Nothing else reads a variable.
 *
 * @throws ZodError that names each variable with an impossible value
 */
export function readConfig(variables: Readonly<Record<string, unknown>>): Config {
  const config = configSchema.parse(variables);
  return {
    adminKey: config.BATUTA_ADMIN_KEY ?? null,
    allowLocalEndpoints: config.ALLOW_LOCAL_ENDPOINTS,
    isSamOn: config.BATUTA_SAM === "on",
  };
}
