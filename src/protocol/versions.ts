import * as z from "zod";

/* Which versions and older forms of the contract are read here, and how they become the newest (protocol.md §3, §7). */

/** The header that says the version of a request, and of every answer. */
export const VERSION_HEADER = "Batuta-Version";

const dateSchema = z.iso.date();
const versionTextSchema = z.string().regex(/^\d{1,4}\.\d{1,4}$/);

const versionSchema = z
  .strictObject({
    version: versionTextSchema,
    status: z.enum(["current", "supported", "deprecated"]),
    released: dateSchema,
    deprecated_since: dateSchema.nullable(),
    sunset: dateSchema.nullable().meta({ description: "From when it may be refused." }),
    accepts: z.array(z.string()).meta({ description: "How `schema_version` may write it." }),
    notes: z.string(),
  })
  .meta({ id: "ContractVersion", title: "A version of the contract" });
export type ContractVersion = z.infer<typeof versionSchema>;

const deprecatedFormSchema = z
  .strictObject({
    form_id: z.string(),
    value: z.string().meta({ description: "What should not be sent any more." }),
    instead: z.string().meta({ description: "What means the same and is to be sent." }),
    where: z.record(z.string(), z.array(z.string())).meta({
      description: "Places by schema, as JSON Pointers; `*` is every item of a list.",
    }),
    deprecated_since: dateSchema,
    sunset: dateSchema.nullable().meta({ description: "From when it may be refused." }),
    notes: z.string(),
  })
  .meta({ id: "DeprecatedForm", title: "A form that is still read and has a successor" });
type DeprecatedForm = z.infer<typeof deprecatedFormSchema>;

/** The registry as everyone sees it: the answer of GET /v1/versions. */
export const versionsSchema = z
  .strictObject({
    current: versionTextSchema,
    default: versionTextSchema.meta({ description: "Of a message that names none." }),
    header: z.string().meta({ description: "Says the version where the body does not." }),
    supported: z.array(versionSchema),
    deprecated_forms: z.array(deprecatedFormSchema),
    unsupported: z.array(z.strictObject({ major: z.int(), reason: z.string() })),
    rules: z.array(z.string()),
  })
  .meta({ id: "Versions", title: "Versions of the contract" });
export type Versions = z.infer<typeof versionsSchema>;

/** A message before any schema has seen it. */
export type Json = Readonly<Record<string, unknown>>;

/**
 * From one minor to the next: how a message of each kind changes. Kinds that are not named stay as they are.
 *
 * Any field may be missing or of a wrong type, which the schema judges later: a merge patch is upgraded too.
 */
export interface Step {
  from: string;
  to: string;
  upgrade: Readonly<Record<string, (message: Json) => Json>>;
}

/** All that is known of versions, as data: the next minor is a version and a step more. */
export interface VersionRegistry {
  /** Oldest first; the last one is the current. */
  versions: readonly ContractVersion[];
  /** What a message speaks that says nothing. */
  default: string;
  /** A chain: each begins where the one before it ends. */
  steps: readonly Step[];
  forms: readonly DeprecatedForm[];
  /** Messages inside messages, by kind and place: each is upgraded by its own kind. */
  parts: Readonly<Record<string, Readonly<Record<string, string>>>>;
  unsupported: Versions["unsupported"];
}

/** Where a task's priority is written on the way in; kinds are the ids of schemas. */
const PRIORITY_PLACES = {
  TaskExecution: ["/priority"],
  Request: ["/constraints/priority"],
  CommandRequest: ["/priority"],
  BulkCommand: ["/priority", "/filter/priority"],
  StatusRequest: ["/priority"],
  WebhookRegistration: ["/filters/priorities/*"],
  WebhookPatch: ["/filters/priorities/*"],
  FilterTest: ["/filters/priorities/*", "/sample/priority"],
};

/** What this installation reads. `urgent` is also read by the schemas, so that it stays in the published sets. */
export const VERSIONS: VersionRegistry = {
  versions: [
    {
      version: "2.0",
      status: "current",
      released: "2026-11-22",
      deprecated_since: null,
      sunset: null,
      accepts: ["2", "2.0"],
      notes: "The first version that is served.",
    },
  ],
  default: "2.0",
  steps: [],
  forms: [
    {
      form_id: "priority_urgent",
      value: "urgent",
      instead: "critical",
      where: PRIORITY_PLACES,
      deprecated_since: "2026-11-26",
      sunset: null,
      notes: "A synonym of older orchestrators; it is read as long as 2.x is.",
    },
  ],
  parts: {
    TaskBatch: { "/tasks/*": "TaskExecution" },
    SubtaskOffer: { "/subtasks/*": "TaskExecution" },
    CommandRequest: { "/patch": "TaskExecution" },
    EscalationResolution: { "/patch": "TaskExecution" },
    Approval: { "/overrides": "TaskExecution" },
    Notification: { "/data/suggested_modifications": "TaskExecution" },
    ChannelFrame: {
      "/heartbeat": "Heartbeat",
      "/notification": "Notification",
      "/end": "AgentEndTask",
    },
  },
  unsupported: [{ major: 1, reason: "was never served here; its messages have other fields" }],
};
