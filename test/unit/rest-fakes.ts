import type { LogFields, LogLevel } from "../../src/lib/log.ts";
import { ok } from "../../src/lib/result.ts";
import type { Principal } from "../../src/protocol/access.ts";
import type { TaskView } from "../../src/protocol/task-view.ts";
import type { WebhookView } from "../../src/protocol/webhook.ts";
import { createApp } from "../../src/rest/app.ts";
import type { RestPorts } from "../../src/rest/ports.ts";
import type { ValidationDetail, ValidationReport } from "../../src/rest/validation-port.ts";

/* The ports of the REST face as plain functions: what a test does not expect to be called, throws. */

const AT = "2026-11-22T10:00:00.000Z";

export const TASK_VIEW: TaskView = {
  task_id: "t1",
  task_type: "general",
  description: "Summarise the text",
  status: "pending",
  phase: "queued",
  priority: "normal",
  pool: "default",
  complexity: null,
  progress_percentage: null,
  current_step: null,
  agent_id: null,
  attempt: 0,
  max_attempts: 3,
  seq: 2,
  notification_count: 0,
  parent_task_id: null,
  batch_id: null,
  tags: [],
  metadata: null,
  created_at: AT,
  started_at: null,
  updated_at: AT,
  ended_at: null,
  deadline_at: null,
  end_reason: null,
  completion_status: null,
  result: null,
  error: null,
  quality_assessment: null,
  usage: { cost_usd: 0, tokens: 0, duration_s: 0 },
  links: { self: "/v1/tasks/t1", events: "", stream: "", report: "" },
};

export const WEBHOOK_VIEW: WebhookView = {
  webhook_id: "wh_0123456789abcdefABCDEF",
  url: "https://example.com/hook",
  name: null,
  events: ["all"],
  filters: null,
  ordering: "task",
  lane_policy: "block",
  retry_policy: null,
  final_statuses: [],
  timeout: 15,
  rate_limit: null,
  batching: null,
  breaker: null,
  shards: 1,
  headers: {},
  compression: "none",
  active: true,
  state: "active",
  level: 0,
  is_verified: true,
  created_at: AT,
};

/** Keys of the fakes: the scope is the key, `all` has every scope. */
const PRINCIPALS = new Map<string, Principal["scopes"]>([
  ["orchestrate", ["orchestrate"]],
  ["execute", ["execute"]],
  ["observe", ["observe"]],
  ["admin", ["admin"]],
  ["none", []],
  ["all", ["orchestrate", "execute", "observe", "admin"]],
]);

/** A permit, where limits are not what a test is about. */
export const PERMIT = { isAllowed: true, limit: 100, remaining: 99, reset_s: 60 };

/** A port on which every call that is not given throws, and every call is written down. */
function portOf<Port extends object>(
  name: string,
  given: Partial<Port> | undefined,
  calls: string[],
): Port {
  return new Proxy({} as Port, {
    get: (_target, method) => {
      const fake: unknown = given?.[method as keyof Port];
      return (...input: unknown[]): unknown => {
        if (method !== "principalOf" && method !== "noteUse")
          calls.push(`${name}.${String(method)}`);
        if (typeof fake !== "function") throw new Error(`unexpected call of ${String(method)}`);
        return fake(...input);
      };
    },
  });
}

export interface Given {
  corsOrigins?: RestPorts["corsOrigins"];
  addresses?: Partial<RestPorts["addresses"]>;
  offenders?: Partial<RestPorts["offenders"]>;
  blocks?: Partial<RestPorts["blocks"]>;
  tasks?: Partial<RestPorts["tasks"]>;
  subtasks?: Partial<RestPorts["subtasks"]>;
  notes?: Partial<RestPorts["notes"]>;
  memories?: Partial<RestPorts["memories"]>;
  batches?: Partial<RestPorts["batches"]>;
  requests?: Partial<RestPorts["requests"]>;
  agents?: Partial<RestPorts["agents"]>;
  models?: Partial<RestPorts["models"]>;
  webhooks?: Partial<RestPorts["webhooks"]>;
  audit?: Partial<RestPorts["audit"]>;
  trail?: Partial<RestPorts["trail"]>;
  routing?: Partial<RestPorts["routing"]>;
  debts?: Partial<RestPorts["debts"]>;
  modelDecisions?: Partial<RestPorts["modelDecisions"]>;
  escalations?: Partial<RestPorts["escalations"]>;
  keys?: Partial<RestPorts["keys"]>;
  limits?: Partial<RestPorts["limits"]>;
  operations?: Partial<RestPorts["operations"]>;
  health?: Partial<RestPorts["health"]>;
  observe?: Partial<RestPorts["observe"]>;
  ratings?: Partial<RestPorts["ratings"]>;
  meter?: Partial<RestPorts["meter"]>;
  followUps?: Partial<RestPorts["followUps"]>;
  validations?: Partial<RestPorts["validations"]>;
}

interface Line extends LogFields {
  level: LogLevel;
  event: string;
}

/** A validation as it was told, with what was found in the message. */
type Told = Omit<ValidationReport, "detail"> & ValidationDetail;

/** The port of validations: what it is told is written down, in place of being called. */
function validationsOf(given: Given["validations"], calls: string[], told: Told[]) {
  const reading = portOf<RestPorts["validations"]>("validations", given, calls);
  const tell = ({ detail, ...report }: ValidationReport) =>
    void told.push({ ...report, ...detail() });
  return {
    micros: () => 0,
    note: tell,
    withheld: async (report: ValidationReport) => tell(report),
    list: (...asked: Parameters<typeof reading.list>) => reading.list(...asked),
    get: (...asked: Parameters<typeof reading.get>) => reading.get(...asked),
    summary: (...asked: Parameters<typeof reading.summary>) => reading.summary(...asked),
    ...given,
  };
}

/** The REST face over fakes, with what it called (keys aside), what it logged and which validations it told of. */
export function createFakeApp(given: Given = {}) {
  const calls: string[] = [];
  const told: Told[] = [];
  const lines: Line[] = [];
  const principalOf: RestPorts["keys"]["principalOf"] = async (key) => {
    const scopes = PRINCIPALS.get(key);
    return scopes === undefined
      ? null
      : { key_id: `key_${key}`, tenant: "acme", scopes, isBootstrap: false };
  };
  let now = 1_000;
  const ports: RestPorts = {
    now: () => (now += 5),
    log: (level, event, fields) => lines.push({ level, event, ...fields }),
    newRequestId: () => "generated-id",
    newHex: (bytes) => "ab".repeat(bytes),
    openSocket: () => {
      throw new Error("unexpected call of openSocket");
    },
    corsOrigins: given.corsOrigins ?? [],
    page: async (request) => new Response(new URL(request.url).pathname),
    // Nobody is too fast, and nobody is blocked.
    addresses: {
      quota: 600,
      window_s: 60,
      accountOf: (header) => header ?? "unknown",
      take: async () => true,
      ...given.addresses,
    },
    offenders: {
      blockedFor: () => 0,
      mayProve: () => false,
      commit: () => null,
      recheck: () => null,
      ...given.offenders,
    },
    blocks: portOf("blocks", given.blocks, calls),
    limits: portOf("limits", { draw: async () => PERMIT, answered: () => {}, ...given.limits }, []),
    keys: portOf(
      "keys",
      {
        noteUse: () => null,
        remembered: async () => null,
        isHopeless: async () => false,
        ...given.keys,
        principalOf,
      },
      calls,
    ),
    tasks: portOf("tasks", given.tasks, calls),
    subtasks: portOf("subtasks", given.subtasks, calls),
    notes: portOf("notes", given.notes, calls),
    memories: portOf("memories", given.memories, calls),
    batches: portOf("batches", given.batches, calls),
    requests: portOf("requests", given.requests, calls),
    debts: portOf("debts", given.debts, calls),
    modelDecisions: portOf("modelDecisions", given.modelDecisions, calls),
    escalations: portOf("escalations", given.escalations, calls),
    agents: portOf("agents", given.agents, calls),
    models: portOf("models", given.models, calls),
    webhooks: portOf("webhooks", given.webhooks, calls),
    operations: portOf("operations", given.operations, calls),
    audit: portOf("audit", given.audit, calls),
    // It is told of much that is not a test's subject.
    trail: portOf(
      "trail",
      { record: async () => {}, recordDenied: async () => {}, ...given.trail },
      [],
    ),
    routing: portOf("routing", given.routing, calls),
    health: portOf("health", given.health, calls),
    observe: portOf("observe", given.observe, calls),
    ratings: portOf("ratings", given.ratings, calls),
    // Every request is counted.
    meter: portOf("meter", { count: () => null, ...given.meter }, []),
    followUps: portOf("followUps", given.followUps, calls),
    validations: validationsOf(given.validations, calls, told),
  };
  return { app: createApp(ports), calls, lines, told, ports };
}

/** A port that accepts every submission. */
export const accepting: Given = {
  tasks: { submit: async () => ok({ view: TASK_VIEW, isNew: true }) },
};

export interface Sent {
  method?: string;
  key?: string | null;
  headers?: Record<string, string>;
  /** A string is sent as it is, anything else as JSON. */
  body?: unknown;
}

/** Sends a request with a key and JSON, unless told otherwise. */
export async function send(
  app: ReturnType<typeof createApp>,
  path: string,
  sent: Sent = {},
): Promise<Response> {
  const { key = "all", body } = sent;
  const hasBody = body !== undefined;
  return await app.request(path, {
    method: sent.method ?? (hasBody ? "POST" : "GET"),
    headers: {
      ...(key !== null && { Authorization: `Bearer ${key}` }),
      ...(hasBody && { "Content-Type": "application/json" }),
      ...sent.headers,
    },
    ...(hasBody && { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
}

export const TASK = { task_type: "general", description: "Summarise the text" };
