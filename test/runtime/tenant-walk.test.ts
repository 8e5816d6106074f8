import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";

import { ROUTES } from "../../src/rest/app.ts";
import { call, eventually, type Answered } from "./batuta.ts";
import { owe } from "./debtor.ts";
import { newReceiver } from "./receiver.ts";
import { escalate, inbox, running } from "./stepping-in.ts";
import { newTenant } from "./tenant.ts";

/*
 * Every route of the table, called with a key of another tenant that has every scope, on objects that are really there.
 * A route without an entry fails: isolation is nobody's good intention.
 */

/** What a foreigner sees. */
type Outcome =
  /** The very problem that an id gets which never was. */
  | "unknown"
  /** Its own, which is nothing: no list, figure or secret has anything of the other tenant. */
  | "own"
  /** Refused whatever it asks for. */
  | "forbidden"
  /** The same for everyone: no key is asked for. */
  | "public";

interface Step {
  sees: Outcome;
  body?: object;
  query?: string;
  headers?: Record<string, string>;
}

const unknown = (body?: object): Step => ({ sees: "unknown", ...(body && { body }) });
const own = (body?: object): Step => ({ sees: "own", ...(body && { body }) });
const open: Step = { sees: "public" };

/** Ids of objects of tenant `default`. */
const ids: Record<string, string> = {};
const secrets: string[] = [];
let lease = "";

const REASON = { reason: "because a foreigner wants it" };
const TASK = { task_type: "research", description: "a task of the foreigner's own" };
const AT = new Date().toISOString();

const STEPS: Record<string, () => Step> = {
  submit_task: () => own({ ...TASK, task_id: ids["task_id"] }),
  command_task: () => unknown({ command: "cancel", ...REASON }),
  list_task_commands: () => unknown(),
  rebuild_task: () => unknown({}),
  get_task: () => unknown(),
  list_tasks: () => own(),
  list_task_events: () => unknown(),
  stream_task_events: () => unknown(),
  get_task_report: () => unknown(),
  explain_task: () => unknown(),
  list_escalations: () => ({ sees: "own", query: `?task_id=${ids["task_id"]}` }),
  get_escalation: () => unknown(),
  resolve_escalation: () => unknown({ decision: "resume", answer: "the foreign one" }),
  list_cleanup_debt: () => own(),
  get_cleanup_debt: () => unknown(),
  settle_cleanup_debt: () => unknown({}),
  submit_batch: () => own({ batch_id: ids["batch_id"], tasks: [TASK] }),
  get_batch: () => unknown(),
  cancel_batch: () => unknown({}),
  submit_request: () => own({ goal: "find out what others do", request_id: ids["request_id"] }),
  get_request: () => unknown(),
  cancel_request: () => unknown({}),
  put_agent: () => own({ capabilities: ["foreign"] }),
  get_agent: () => unknown(),
  list_agents: () => own(),
  delete_agent: () => unknown(),
  claim_tasks: () => unknown({}),
  decline_task: () => unknown(REASON),
  beat_heart: () => unknown({}),
  notify: () =>
    unknown({
      notification_id: "n-foreign",
      notification_type: "task_progress",
      task_id: ids["task_id"],
      agent_id: ids["agent_id"],
      timestamp: AT,
      data: { progress_percentage: 99, current_step: "foreign" },
    }),
  end_task: () =>
    unknown({
      task_id: ids["task_id"],
      agent_id: ids["agent_id"],
      reason: "cancelled",
      timestamp: AT,
    }),
  rotate_agent_secret: () => unknown({}),
  connect_agent: () => ({ sees: "unknown", headers: { upgrade: "websocket" } }),
  drain_agent: () => unknown({}),
  activate_agent: () => unknown({}),
  get_pool_snapshot: () => own(),
  offer_subtasks: () => unknown({ subtasks: [TASK] }),
  get_subtasks: () => unknown(),
  get_shared_context: () => unknown(),
  patch_shared_context: () => unknown({ patch: { a: 1 } }),
  list_notes: () => unknown(),
  get_note: () => unknown(),
  put_note: () => unknown({ value: "foreign" }),
  delete_note: () => unknown(),
  test_filters: () => own({ events: ["all"], sample: { notification_type: "task_started" } }),
  list_task_deliveries: () => unknown(),
  create_webhook: () => own({ url: newReceiver().url, events: ["all"] }),
  list_webhooks: () => own(),
  get_webhook: () => unknown(),
  patch_webhook: () => unknown({ active: false }),
  delete_webhook: () => unknown(),
  pause_webhook: () => unknown({}),
  resume_webhook: () => unknown({}),
  verify_webhook: () => unknown({}),
  test_webhook: () => unknown({}),
  rotate_webhook_secret: () => unknown({}),
  list_deliveries: () => unknown(),
  get_delivery: () => unknown(),
  replay_delivery: () => unknown({}),
  get_callback_secret: () => own(),
  rotate_callback_secret: () => own({}),
  get_webhook_stats: () => unknown(),
  poll_webhook_events: () => unknown(),
  recover_webhook: () => unknown({ since: "2026-01-01T00:00:00.000Z" }),
  get_recovery: () => unknown(),
  cancel_recovery: () => unknown(),
  list_webhook_audit: () => unknown(),
  list_callback_secret_audit: () => own(),
  command_tasks: () => own({ all: true, command: "cancel", ...REASON }),
  list_lessons: () => own(),
  list_next_steps: () => unknown(),
  approve_next_step: () => unknown({}),
  get_metrics: () => own(),
  get_insights: () => own(),
  get_state: () => own(),
  repair_state: () => own({}),
  create_key: () => own({ name: "foreign", scopes: ["observe"] }),
  rotate_key: () => unknown({}),
  create_public_token: () => unknown({}),
  list_keys: () => own(),
  get_key: () => unknown(),
  change_key: () => unknown({ name: "foreign" }),
  delete_key: () => unknown(),
  list_dead_letters: () => ({ sees: "forbidden" }),
  get_health: () => open,
  get_readiness: () => open,
  list_schemas: () => open,
  get_schema: () => open,
  get_openapi: () => open,
};

type Call = Awaited<ReturnType<typeof newTenant>>;
let foreigner: Call;

/** Reads everything of the tenant that the walk is about, less what time alone changes. */
async function everything(): Promise<unknown> {
  const paths = [
    `/v1/tasks/${ids["task_id"]}`,
    `/v1/tasks/${ids["task_id"]}/events?limit=200`,
    `/v1/tasks/${ids["task_id"]}/commands`,
    `/v1/tasks/${ids["task_id"]}/notes`,
    `/v1/escalations/${ids["escalation_id"]}`,
    `/v1/cleanup-debt/${ids["debt_id"]}`,
    `/v1/batches/${ids["batch_id"]}`,
    `/v1/requests/${ids["request_id"]}`,
    `/v1/webhooks/${ids["webhook_id"]}`,
    `/v1/webhooks/${ids["webhook_id"]}/audit`,
    `/v1/deliveries/${ids["delivery_id"]}`,
    "/v1/callback-secret",
    "/v1/keys",
  ];
  return Promise.all(paths.map(async (path) => (await call("GET", path)).body));
}

const receiver = newReceiver();

beforeAll(async () => {
  const agent_id = `walked-${crypto.randomUUID().slice(0, 8)}`;
  const executor = await running(agent_id);
  const { task_id } = executor;
  lease = executor.lease["lease-token"] ?? "";
  await call("PUT", `/v1/tasks/${task_id}/notes/plan`, { value: "own" }, executor.lease);
  await escalate(executor);
  const asked = await eventually(
    () => inbox(`task_id=${task_id}`),
    ({ body }) => body.items.length === 1,
  );
  const batch = await call("POST", "/v1/batches", { tasks: [{ ...TASK, requires: NOBODY }] });
  const request = await call("POST", "/v1/requests", { goal: "find out what nobody knows" });
  const hook = await call<{ webhook_id: string; secret: string }>("POST", "/v1/webhooks", {
    url: receiver.url,
    events: ["system_alert"],
  });
  const { webhook_id } = hook.body;
  const delivery = await call("POST", `/v1/webhooks/${webhook_id}/test`, {});
  const recovery = await call("POST", `/v1/webhooks/${webhook_id}/recover`, { since: AT });
  const key = await call<{ key_id: string; key: string }>("POST", "/v1/keys", {
    name: "walked",
    scopes: ["observe"],
  });
  const callback = await call<{ secret: string }>("GET", "/v1/callback-secret");
  const debtor = `owing-${agent_id}`;
  await owe(call, "default", debtor, [{}]);
  await eventually(receiver.log, (log) => log.length > 0);
  Object.assign(ids, {
    task_id,
    agent_id,
    escalation_id: asked.body.items[0]?.escalation_id,
    batch_id: batch.body["batch_id"],
    request_id: request.body["request_id"],
    webhook_id,
    delivery_id: delivery.body["delivery_id"],
    recovery_id: recovery.body["recovery_id"],
    key_id: key.body.key_id,
    debt_id: `debt_1_${debtor}`,
    key: "plan",
    index: "1",
    pool: "default",
    name: "task",
  });
  secrets.push(lease, hook.body.secret, key.body.key, callback.body.secret);
  foreigner = await newTenant("foreign");
}, 60_000);

const NOBODY = { capabilities: ["nobody-has-this"] };

/** The ids that no answer to a foreigner may hold; the rest of `ids` are names that everyone may use. */
const hidden = (): string[] =>
  Object.entries(ids)
    .filter(([name]) => /_id$/.test(name))
    .map(([, id]) => id);

function send(route: (typeof ROUTES)[number], step: Step, of: Record<string, string>) {
  const path = route.path.replaceAll(/:(\w+)/g, (_all, name: string) => of[name] ?? "x");
  const headers = { "lease-token": lease, ...step.headers };
  const body = step.body ?? (route.body === undefined ? undefined : {});
  return foreigner(route.method, `${path}${step.query ?? ""}`, body, headers);
}

/** A problem without what names the request. */
function bare({ status, body }: Answered<Record<string, unknown>>): unknown {
  const { request_id: _id, instance: _path, ...problem } = body ?? {};
  return { status, problem };
}

/** Routes by what a foreigner sees; those that show before those that make. */
const bySight = (outcome: Outcome) =>
  ROUTES.filter(({ id }) => STEPS[id]?.().sees === outcome).toSorted(
    (one, other) => Number(one.method !== "GET") - Number(other.method !== "GET"),
  );

describe("a key of another tenant", () => {
  it("has an entry in this walk for every route, and none for what is no route", () => {
    expect(Object.keys(STEPS).toSorted()).toEqual(ROUTES.map(({ id }) => id).toSorted());
    expect(Object.entries(ids).filter(([, id]) => typeof id !== "string" || id === "")).toEqual([]);
  });

  it("sees of another tenant's object what it sees of none: 404, on every route", async () => {
    const before = await everything();
    const never = Object.fromEntries(
      Object.entries(ids).map(([name, id]) => [name, name.endsWith("_id") ? "never-was" : id]),
    );
    const seen: [string, unknown, unknown][] = [];
    for (const route of bySight("unknown")) {
      const step = STEPS[route.id]?.() ?? open;
      // In order: what one of them did must not be undone by another.
      // oxlint-disable-next-line no-await-in-loop
      const [there, none] = [await send(route, step, ids), await send(route, step, never)];
      seen.push([route.id, bare(there), bare(none)]);
    }

    expect(seen.length).toBeGreaterThan(40);
    expect(
      seen.filter(([, there]) => !isNotFound(there)).map(([id, there]) => [id, there]),
    ).toEqual([]);
    for (const [, there, none] of seen) {
      expect(scrubbed(there)).toEqual(scrubbed(none));
    }
    expect(await everything()).toEqual(before);
  });

  it("has lists, figures and secrets of its own alone, and makes things under the same ids beside them", async () => {
    const before = await everything();
    const answers: [string, number, string][] = [];
    for (const route of bySight("own")) {
      const step = STEPS[route.id]?.() ?? open;
      // oxlint-disable-next-line no-await-in-loop
      const { status, body } = await send(route, step, ids);
      answers.push([route.id, status, JSON.stringify(body)]);
    }

    expect(answers.filter(([, status]) => status >= 300)).toEqual([]);
    // What it made under these ids is its own, and may be in its lists from then on.
    const made = ["task_id", "batch_id", "request_id", "agent_id"].map((name) => ids[name]);
    for (const [id, , text] of answers) {
      const others = [...secrets, ...hidden()].filter((one) => !made.includes(one));
      expect([id, others.filter((one) => text.includes(one))]).toEqual([id, []]);
    }
    expect(await foreigner("GET", `/v1/tasks/${ids["task_id"]}`)).toMatchObject({
      body: { description: TASK.description },
    });
    expect(await everything()).toEqual(before);
  });

  it("is refused what belongs to the installation", async () => {
    const answers = await Promise.all(
      bySight("forbidden").map((route) => send(route, STEPS[route.id]?.() ?? open, ids)),
    );
    const govern = await foreigner("GET", "/v1/keys?tenant=default");
    const governed = await foreigner("DELETE", `/v1/keys/${ids["key_id"]}?tenant=default`);

    expect([...answers, govern, governed].map(({ status }) => status)).toEqual([403, 403, 403]);
  });

  it("is asked for nowhere but on routes that show nothing of any tenant", async () => {
    const answers = await Promise.all(
      bySight("public").map((route) => send(route, STEPS[route.id]?.() ?? open, ids)),
    );

    const text = JSON.stringify(answers.map(({ body }) => body));
    expect([...secrets, ...hidden()].filter((one) => text.includes(one))).toEqual([]);
  });

  it("finds no object under another tenant's name: the names of objects begin with the tenant", async () => {
    const inDefault = await env.TASK.getByName(`default/${ids["task_id"]}`).view();
    const inForeign = await env.TASK.getByName(`foreign/${ids["debt_id"]}`).view();

    expect([inDefault.ok, inForeign.ok]).toEqual([true, false]);
  });
});

function isNotFound(answer: unknown): boolean {
  return /"status":404.*_not_found"/.test(JSON.stringify(answer));
}

/** An answer in which every id is the same, for refusals that name what was asked for. */
function scrubbed(answer: unknown): string {
  let text = JSON.stringify(answer);
  for (const id of [...Object.values(ids), "never-was"]) text = text.replaceAll(id, "ID");
  return text;
}
