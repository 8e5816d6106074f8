import * as z from "zod";

import { isShardName } from "./history/shards/shards.ts";
import { SHORTEST_SEAL_KEY } from "./lib/seal.ts";
import { installedEndPhasesSchema } from "./protocol/end-phases.ts";
import type { InstalledEndPhases } from "./protocol/end-phases.ts";
import { injectedFaultsSchema } from "./protocol/injected-faults.ts";
import type { InjectedFaults } from "./protocol/injected-faults.ts";
import { configuredModelsSchema } from "./protocol/model.ts";
import type { ModelRegistration } from "./protocol/model.ts";

const flag = z.enum(["true", "false"]).transform((text) => text === "true");

/** Days of retention from `least` to ten years. */
const daysFrom = (least: number) =>
  z
    .string()
    .regex(/^\d{1,4}$/, `must be a number of days from ${least} to 3650`)
    .transform(Number)
    .pipe(z.int().min(least).max(3_650));

/** Not below a week, because a schedule of retries may last longer than some days. */
const days = daysFrom(7);

/** Days that removed tasks are told of; empty: for ever. Who waits for them has a margin of his own (history/removed.ts). */
const daysOrForEver = z
  .string()
  .regex(/^(\d{1,4})?$/, "must be a number of days from 1 to 3650, or empty: for ever")
  .transform((text) => (text === "" ? null : Number(text)))
  .pipe(z.int().min(1).max(3_650).nullable());

const sealKeysSchema = z
  .string({ error: "is needed: it seals the stored secrets" })
  .transform((text) => text.split(",").map((key) => key.trim()))
  .pipe(
    z.array(
      z.string().min(SHORTEST_SEAL_KEY, `must be keys of ${SHORTEST_SEAL_KEY} characters or more`),
    ),
  );

/** Positive, and small enough that a limit times it is a whole number that can be counted to. */
const factor = z
  .string()
  .regex(/^(?=.*[1-9])\d{1,6}(\.\d{1,6})?$/, "must be a positive number such as 1 or 0.5")
  .transform(Number);

/** As browsers send it: lower case, no path, no port that is the default one. */
function isOrigin(text: string): boolean {
  return /^https:\/\/[a-z\d.-]+(:\d+)?$/.test(text) && new URL(text).origin === text;
}

/** Origins separated by commas; an empty variable names none. */
const origins = z
  .string()
  .transform((text) => (text.trim() === "" ? [] : text.split(",").map((part) => part.trim())))
  .pipe(
    z.array(
      z
        .string()
        .refine(isOrigin, "must be origins such as https://console.example.com, without a path"),
    ),
  );

/** Names of D1 bindings separated by commas; an empty variable names none. */
const shardNames = z
  .string()
  .transform((text) => (text.trim() === "" ? [] : text.split(",").map((part) => part.trim())))
  .pipe(
    z
      .array(z.string().refine(isShardName, "must be names of D1 bindings such as DB_1,DB_2"))
      .refine((names) => new Set(names).size === names.length, "must name each binding once"),
  );

/** JSON in a variable; an empty one says nothing. What it says is not repeated: there may be secrets in it. */
const jsonSuchAs = (example: string) =>
  z.string().transform((text, context): unknown => {
    try {
      return JSON.parse(text === "" ? "{}" : text);
    } catch {
      context.addIssue({ code: "custom", message: `must be JSON such as ${example}` });
      return z.NEVER;
    }
  });

const MODEL_EXAMPLE =
  '{"llama": {"provider": "openai_compatible", "base_url": "http://127.0.0.1:11434/v1", "name": "llama3.2", "locality": "local", "context_tokens": 8192}}';

/** Environments that may give themselves faults: one that says nothing of itself may be anything. */
const FAULTY: readonly string[] = ["development", "staging", "test"];

/** A text; an empty one says nothing. */
const text = z
  .string()
  .max(2_000)
  .optional()
  .transform((given) => (given === "" ? undefined : given));

const JWT_VARIABLES = ["JWT_ISSUER", "JWT_AUDIENCE", "JWT_JWKS_URL"] as const;

const configSchema = z
  .object({
    BATUTA_ADMIN_KEY: z.string().min(1).optional(),
    BATUTA_SEAL_KEY: sealKeysSchema,
    ALLOW_LOCAL_ENDPOINTS: flag.default(false),
    LIMITS_FACTOR: factor.default(1),
    CORS_ORIGINS: origins.default([]),
    BATUTA_ORIGINS: origins.default([]),
    BATUTA_SAM: z.enum(["on", "off"]).default("on"),
    WEBHOOK_RETENTION_DAYS: days.default(7),
    WEBHOOK_UNDELIVERED_DAYS: days.default(30),
    END_PHASE_LIMITS: jsonSuchAs('{"cleanup": 60}').pipe(installedEndPhasesSchema).prefault(""),
    BATUTA_MODELS: jsonSuchAs(MODEL_EXAMPLE).pipe(configuredModelsSchema).prefault(""),
    TASK_RETENTION_DAYS: daysFrom(1).default(7),
    HISTORY_RETENTION_DAYS: daysFrom(1).default(365),
    REMOVED_RETENTION_DAYS: daysOrForEver.default(null),
    HISTORY_SHARDS: shardNames.default([]),
    BACKUP_EVERY_HOURS: z
      .string()
      .regex(/^\d{1,3}$/, "must be a number of hours from 0 to 999; 0 makes no backups")
      .transform(Number)
      .default(24),
    BACKUP_RETENTION_DAYS: daysFrom(1).default(14),
    JWT_ISSUER: text,
    JWT_AUDIENCE: text,
    JWT_JWKS_URL: text.refine((url) => url === undefined || URL.canParse(url), "must be a URL"),
    JWT_TENANT_CLAIM: text,
    BATUTA_EMBEDDINGS: z.enum(["builtin", "workers_ai"]).default("builtin"),
    VALIDATION_SAMPLE: z
      .string()
      .regex(/^\d{1,6}$/, "must be a whole number from 0 to 999999")
      .transform(Number)
      .default(100),
  })
  // A task's object asks history whether it may be emptied: history must not forget first.
  .refine((all) => all.HISTORY_RETENTION_DAYS >= all.TASK_RETENTION_DAYS, {
    path: ["HISTORY_RETENTION_DAYS"],
    error: "must not be below TASK_RETENTION_DAYS",
    when: ({ issues }) => issues.length === 0,
  })
  // Its object hands over a task's news before it is emptied, and an endpoint keeps them from then on: a second task of
  // the id must not meet them. What queues keep meanwhile, and whole days, are in the margin behind (history/removed.ts).
  .refine(
    ({ REMOVED_RETENTION_DAYS: removed, ...all }) =>
      removed === null ||
      all.HISTORY_RETENTION_DAYS + removed >=
        all.TASK_RETENTION_DAYS +
          Math.max(all.WEBHOOK_RETENTION_DAYS, all.WEBHOOK_UNDELIVERED_DAYS),
    {
      path: ["REMOVED_RETENTION_DAYS"],
      error:
        "with HISTORY_RETENTION_DAYS must not be below TASK_RETENTION_DAYS with the longer of WEBHOOK_RETENTION_DAYS and WEBHOOK_UNDELIVERED_DAYS",
      when: ({ issues }) => issues.length === 0,
    },
  )
  .superRefine((all, context) => {
    const missing = JWT_VARIABLES.filter((name) => all[name] === undefined);
    if (missing.length === JWT_VARIABLES.length) return;
    for (const name of missing) {
      const message = `is needed beside the other two of ${JWT_VARIABLES.join(", ")}`;
      context.addIssue({ code: "custom", path: [name], message });
    }
    // Whoever can change these keys in transit can be anybody.
    if (!all.ALLOW_LOCAL_ENDPOINTS && !all.JWT_JWKS_URL?.startsWith("https://")) {
      context.addIssue({ code: "custom", path: ["JWT_JWKS_URL"], message: "must be https" });
    }
  });

/** What an operator can set, by its meaning. */
export interface Config {
  /** The bootstrap key with all scopes in tenant `default`; null when the installation has none. */
  adminKey: string | null;
  /** What stored secrets are sealed with: the first seals, all of them open. */
  sealKeys: string[];
  /** Whether webhooks may use http and private addresses: on a developer's machine only. */
  allowLocalEndpoints: boolean;
  /** Multiplies every limit of requests: on a developer's machine only, 1 everywhere else. */
  limitsFactor: number;
  /** Origins whose scripts may use the API in a browser. */
  corsOrigins: string[];
  /** Origins by which this installation is reached: nothing of it calls them. */
  ownOrigins: string[];
  /** Whether the built-in executor takes tasks. */
  isSamOn: boolean;
  /** Models that every tenant may use, by model_id, with their keys. */
  models: Readonly<Record<string, ModelRegistration>>;
  /** Days that deliveries are kept, by what became of them. */
  retention: { settledDays: number; undeliveredDays: number };
  /** Seconds that each end phase may take: of all tasks, and of those of a type. */
  endPhases: InstalledEndPhases;
  /**
   * Days after its end that a task is kept: by its own object, and by history. And days after its removal that everybody may
   * know that it was; null: for ever.
   */
  taskRetention: { objectDays: number; historyDays: number; removedDays: number | null };
  /** Bindings of the databases that the history of new tenants goes to; empty: to DB. */
  historyShards: string[];
  /** Hours from one backup into the bucket to the next (0: none), and days that one is kept. */
  backups: { everyHours: number; keptDays: number };
  /** Whose JSON Web Tokens are taken in place of keys; null: nobody's. */
  jwt: { issuer: string; audience: string; jwksUrl: string; tenantClaim: string } | null;
  /** Whether memories are found by vectors of Workers AI, where there is its binding. */
  isEmbeddingHosted: boolean;
  /** One in so many validations that passed is written down; none when 0. */
  validationSample: number;
}

/** The claim that names the tenant, where the installation names no other. */
const TENANT_CLAIM = "batuta_tenant";

function jwtOf(config: z.output<typeof configSchema>): Config["jwt"] {
  const { JWT_ISSUER: issuer, JWT_AUDIENCE: audience, JWT_JWKS_URL: jwksUrl } = config;
  const areGiven = issuer !== undefined && audience !== undefined && jwksUrl !== undefined;
  if (!areGiven) return null;
  return { issuer, audience, jwksUrl, tenantClaim: config.JWT_TENANT_CLAIM ?? TENANT_CLAIM };
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
    sealKeys: config.BATUTA_SEAL_KEY,
    allowLocalEndpoints: config.ALLOW_LOCAL_ENDPOINTS,
    limitsFactor: config.ALLOW_LOCAL_ENDPOINTS ? config.LIMITS_FACTOR : 1,
    corsOrigins: config.CORS_ORIGINS,
    ownOrigins: config.BATUTA_ORIGINS,
    isSamOn: config.BATUTA_SAM === "on",
    models: config.BATUTA_MODELS,
    retention: {
      settledDays: config.WEBHOOK_RETENTION_DAYS,
      undeliveredDays: config.WEBHOOK_UNDELIVERED_DAYS,
    },
    endPhases: config.END_PHASE_LIMITS,
    taskRetention: {
      objectDays: config.TASK_RETENTION_DAYS,
      historyDays: config.HISTORY_RETENTION_DAYS,
      removedDays: config.REMOVED_RETENTION_DAYS,
    },
    historyShards: config.HISTORY_SHARDS,
    backups: {
      everyHours: config.BACKUP_EVERY_HOURS,
      keptDays: config.BACKUP_RETENTION_DAYS,
    },
    jwt: jwtOf(config),
    isEmbeddingHosted: config.BATUTA_EMBEDDINGS === "workers_ai",
    validationSample: config.VALIDATION_SAMPLE,
  };
}

const faultVariablesSchema = z
  .object({
    BATUTA_ENVIRONMENT: z.string().default(""),
    BATUTA_FAULTS: jsonSuchAs('{"seed": 1, "until": "2026-11-27T12:00:00Z"}').pipe(
      injectedFaultsSchema,
    ),
  })
  .refine(({ BATUTA_ENVIRONMENT: name }) => FAULTY.includes(name), {
    path: ["BATUTA_FAULTS"],
    error: `is refused unless BATUTA_ENVIRONMENT is one of ${FAULTY.join(", ")}`,
    // Said of a plan that breaks its schema too.
    when: () => true,
  });

/**
 * The faults that the installation is to inject into itself; null when the variable is absent or empty.
 *
 * @throws Error that names each fault of BATUTA_FAULTS, or that this environment takes none
 */
export function readFaults(variables: {
  BATUTA_FAULTS?: string | undefined;
  BATUTA_ENVIRONMENT?: string | undefined;
}): InjectedFaults | null {
  const { BATUTA_FAULTS, BATUTA_ENVIRONMENT } = variables;
  if (BATUTA_FAULTS === undefined || BATUTA_FAULTS === "") return null;
  const read = faultVariablesSchema.safeParse({ BATUTA_FAULTS, BATUTA_ENVIRONMENT });
  if (read.success) return read.data.BATUTA_FAULTS;
  const faults = read.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw new Error(`Batuta does not start: ${faults.join("; ")}`);
}
