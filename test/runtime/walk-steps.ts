import { env } from "cloudflare:workers";

import { blockIdOf, keyParty } from "../../src/access/party.ts";
import { newReceiver } from "./receiver.ts";

/* What a foreigner asks of each route, and what it sees. */

/** What a foreigner sees. */
export type Outcome =
  /** The very problem that an id gets which never was. */
  | "unknown"
  /** Its own, which is nothing: no list, figure or secret has anything of the other tenant. */
  | "own"
  /** Refused whatever it asks for. */
  | "forbidden"
  /** The same for everyone: no key is asked for. */
  | "public";

/** What is asked of a route. */
export interface Step {
  sees: Outcome;
  body?: object;
  query?: string;
  headers?: Record<string, string>;
}

const unknown = (body?: object): Step => ({ sees: "unknown", ...(body && { body }) });
const own = (body?: object): Step => ({ sees: "own", ...(body && { body }) });
/** A route that is the same for everyone. */
export const open: Step = { sees: "public" };

const REASON = { reason: "because a foreigner wants it" };
/** A task of the foreigner's own. */
export const TASK = { task_type: "research", description: "a task of the foreigner's own" };
/** A model of the foreigner's own. */
export const MODEL = {
  provider: "openai_compatible",
  base_url: "https://models.test/m/foreign/v1",
  locality: "api",
  context_tokens: 8_000,
};
const AT = new Date().toISOString();

/**
 * A step for each route, by its id.
 *
 * @param ids of the objects that belong to another tenant
 */
export const stepsOf = (ids: Readonly<Record<string, string>>): Record<string, Step> => ({
  submit_task: own({ ...TASK, task_id: ids["task_id"] }),
  command_task: unknown({ command: "cancel", ...REASON }),
  list_task_commands: unknown(),
  rebuild_task: unknown({}),
  get_task: unknown(),
  list_tasks: own(),
  list_task_events: unknown(),
  stream_task_events: unknown(),
  get_task_report: unknown(),
  explain_task: unknown(),
  list_escalations: { sees: "own", query: `?task_id=${ids["task_id"]}` },
  get_escalation: unknown(),
  resolve_escalation: unknown({ decision: "resume", answer: "the foreign one" }),
  list_cleanup_debt: own(),
  get_cleanup_debt: unknown(),
  settle_cleanup_debt: unknown({}),
  submit_batch: own({ batch_id: ids["batch_id"], tasks: [TASK] }),
  get_batch: unknown(),
  cancel_batch: unknown({}),
  submit_request: own({ goal: "find out what others do" }),
  get_request: unknown(),
  cancel_request: unknown({}),
  put_agent: own({ capabilities: ["foreign"] }),
  get_agent: unknown(),
  list_agents: own(),
  delete_agent: unknown(),
  claim_tasks: unknown({}),
  decline_task: unknown(REASON),
  beat_heart: unknown({}),
  notify: unknown({
    notification_id: "n-foreign",
    notification_type: "task_progress",
    task_id: ids["task_id"],
    agent_id: ids["agent_id"],
    timestamp: AT,
    data: { progress_percentage: 99, current_step: "foreign" },
  }),
  end_task: unknown({
    task_id: ids["task_id"],
    agent_id: ids["agent_id"],
    reason: "cancelled",
    timestamp: AT,
  }),
  rotate_agent_secret: unknown({}),
  connect_agent: { sees: "unknown", headers: { upgrade: "websocket" } },
  drain_agent: unknown({}),
  activate_agent: unknown({}),
  get_pool_snapshot: own(),
  list_models: own(),
  get_model: unknown(),
  put_model: own(MODEL),
  delete_model: unknown(),
  test_model: unknown({}),
  offer_subtasks: unknown({ subtasks: [TASK] }),
  get_subtasks: unknown(),
  get_shared_context: unknown(),
  patch_shared_context: unknown({ patch: { a: 1 } }),
  list_notes: unknown(),
  get_note: unknown(),
  put_note: unknown({ value: "foreign" }),
  delete_note: unknown(),
  list_memories: own(),
  get_memory: unknown(),
  state_memory: own({ kind: "lesson", text: "the foreign one" }),
  delete_memory: unknown(),
  forget_task: { sees: "own", query: `?task_id=${ids["task_id"]}` },
  test_filters: own({ events: ["all"], sample: { type: "task_started" } }),
  list_task_deliveries: unknown(),
  create_webhook: own({ url: newReceiver().url, events: ["all"] }),
  list_webhooks: own(),
  get_webhook: unknown(),
  patch_webhook: unknown({ active: false }),
  delete_webhook: unknown(),
  pause_webhook: unknown({}),
  resume_webhook: unknown({}),
  verify_webhook: unknown({}),
  test_webhook: unknown({}),
  rotate_webhook_secret: unknown({}),
  list_deliveries: unknown(),
  get_delivery: unknown(),
  replay_delivery: unknown({}),
  get_callback_secret: own(),
  rotate_callback_secret: own({}),
  get_webhook_stats: unknown(),
  poll_webhook_events: unknown(),
  recover_webhook: unknown({ since: "2026-01-01T00:00:00.000Z" }),
  get_recovery: unknown(),
  cancel_recovery: unknown(),
  list_webhook_audit: unknown(),
  list_callback_secret_audit: own(),
  command_tasks: own({ all: true, command: "cancel", ...REASON }),
  list_lessons: own(),
  list_next_steps: unknown(),
  approve_next_step: unknown({}),
  get_metrics: own(),
  rate_task: unknown({ score: 1 }),
  get_task_rating: unknown(),
  get_insights: own(),
  get_state: own(),
  scrape_metrics: own(),
  repair_state: own({}),
  create_key: own({ name: "foreign", scopes: ["observe"] }),
  rotate_key: unknown({}),
  create_public_token: unknown({}),
  list_keys: own(),
  get_key: unknown(),
  change_key: unknown({ name: "foreign" }),
  delete_key: unknown(),
  list_audit: own(),
  list_validations: own(),
  summarise_validations: own(),
  get_validation: unknown(),
  get_model_stats: own(),
  list_model_decisions: { sees: "own", query: `?task_id=${ids["task_id"]}` },
  get_model_decision: unknown(),
  judge_model_decision: unknown({ accepted: false }),
  list_versions: open,
  list_blocks: own(),
  lift_block: unknown(),
  get_limits: own(),
  change_limits: own({ auto: true }),
  set_key_limits: unknown({ limits: { total: 100, execute: 10, status: 50, admin: 10 } }),
  delete_key_limits: unknown(),
  list_dead_letters: { sees: "forbidden" },
  get_health: open,
  get_readiness: open,
  list_schemas: open,
  get_schema: open,
  get_openapi: open,
});

/** Blocks a key of the walked tenant, and gives the id of the block. */
export async function blockKey(key_id: string): Promise<string> {
  const party = keyParty({ tenant: "default", key_id, scopes: [], isBootstrap: false });
  const offence = { name: party, points: 1, offence: "malformed", isEnough: true } as const;
  await env.OFFENDER.getByName("key/default").report([offence], 1);
  return blockIdOf(party);
}

/** Where everything of the walked tenant is read, by the ids of its objects. */
export const pathsOf = (ids: Readonly<Record<string, string>>): string[] => [
  `/v1/tasks/${ids["task_id"]}`,
  `/v1/tasks/${ids["task_id"]}/events?limit=200`,
  `/v1/tasks/${ids["task_id"]}/commands`,
  `/v1/tasks/${ids["task_id"]}/notes`,
  `/v1/escalations/${ids["escalation_id"]}`,
  `/v1/cleanup-debt/${ids["debt_id"]}`,
  `/v1/model-decisions/${ids["decision_id"]}`,
  `/v1/batches/${ids["batch_id"]}`,
  `/v1/requests/${ids["request_id"]}`,
  `/v1/webhooks/${ids["webhook_id"]}`,
  `/v1/webhooks/${ids["webhook_id"]}/audit`,
  `/v1/deliveries/${ids["delivery_id"]}`,
  `/v1/validations/${ids["record_id"]}`,
  `/v1/memories/${ids["memory_id"]}`,
  `/v1/models/${ids["model_id"]}`,
  "/v1/callback-secret",
  "/v1/keys",
];
