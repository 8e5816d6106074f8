import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";

import { ROUTES } from "../../src/rest/app.ts";
import { faceOf } from "../../src/services-face.ts";
import { alarmed } from "./alarmed.ts";
import { call, eventually, type Answered } from "./batuta.ts";
import { owe } from "./debtor.ts";
import { decided } from "./decided.ts";
import { newReceiver } from "./receiver.ts";
import { recordingDb } from "./recording-db.ts";
import { escalate, inbox, running } from "./stepping-in.ts";
import { textOf } from "./text-of.ts";
import {
  blockKey,
  makeNamed,
  open,
  pathsOf,
  stepsOf,
  TASK,
  type Outcome,
  type Step,
} from "./walk-steps.ts";

/*
 * Every route of the table, called with a key of another tenant that has every scope, on objects that are really there.
 * A route without an entry fails: isolation is nobody's good intention.
 */

/** Ids of objects of tenant `default`. */
const ids: Record<string, string> = { key: "plan", index: "1", pool: "default", name: "task" };
const secrets: string[] = [];
const steps = () => stepsOf(ids);
let lease = "";

/** The Worker's face over the real bindings, with a note of every statement that it sends to D1. */
const recording = recordingDb(env.DB);
const face = faceOf({ ...env, DB: recording.db });
let key = "";

/** Calls the Worker with the foreigner's key. */
async function foreigner(
  method: string,
  path: string,
  sent?: object,
  headers: Record<string, string> = {},
): Promise<Answered<Record<string, unknown>>> {
  const context = createExecutionContext();
  const response = await face.fetch(
    new Request(`https://batuta.test${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(sent !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      ...(sent !== undefined && { body: JSON.stringify(sent) }),
    }),
    env,
    context,
  );
  const text = await textOf(response);
  await waitOnExecutionContext(context);
  return {
    status: response.status,
    headers: response.headers,
    // What is not JSON stands as it came.
    body: text.startsWith("#") ? { text } : JSON.parse(text || "{}"),
  };
}

/** Reads everything of the tenant that the walk is about, less what time alone changes. */
async function everything(): Promise<unknown> {
  const { body: blocks } = await call<{ items: { block_id: string }[] }>("GET", "/v1/blocks");
  const block = blocks.items.find(({ block_id }) => block_id === ids["block_id"]);
  const read = pathsOf(ids).map(async (path) => (await call("GET", path)).body);
  return [...(await Promise.all(read)), block];
}

const MODEL_KEY = "sk-only-its-own-tenant-has-it";

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
  const goal = "find out what nobody knows";
  const planned = [{ description: goal, requires: NOBODY }]; // So that it stays as it is.
  const request = await call("POST", "/v1/requests", { goal, steps: planned });
  const hook = await call<{ webhook_id: string; secret: string }>("POST", "/v1/webhooks", {
    url: receiver.url,
    events: ["system_alert"],
  });
  const { webhook_id } = hook.body;
  const delivery = await call("POST", `/v1/webhooks/${webhook_id}/test`, {});
  const recovery = await call("POST", `/v1/webhooks/${webhook_id}/recover`, {
    since: new Date().toISOString(),
  });
  const walked = await call<{ key_id: string; key: string }>("POST", "/v1/keys", {
    name: "walked",
    scopes: ["observe"],
  });
  const callback = await call<{ secret: string }>("GET", "/v1/callback-secret");
  await call("POST", "/v1/tasks", {});
  const checked = await call<{ items: { record_id: string }[] }>("GET", "/v1/validations?limit=1");
  const memory = await call<{ memory_id: string }>("POST", "/v1/memories", {
    kind: "lesson",
    text: "The walked tenant keeps its totals in cents",
  });
  const debtor = `owing-${agent_id}`;
  await owe(call, "default", debtor, [{}]);
  const model_id = `model-${agent_id}`;
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
    key_id: walked.body.key_id,
    block_id: await blockKey(walked.body.key_id),
    memory_id: memory.body.memory_id,
    record_id: checked.body.items[0]?.record_id,
    debt_id: `debt_1_${debtor}`,
    ...(await alarmed("default")),
    ...(await makeNamed(call, model_id, MODEL_KEY)),
    decision_id: await decided("default", `decided-${agent_id}`, { task_id }),
  });
  secrets.push(lease, hook.body.secret, walked.body.key, callback.body.secret, MODEL_KEY);
  const foreign = await call<{ key: string }>("POST", "/v1/keys", {
    name: "foreign",
    tenant: "foreign",
    scopes: ["orchestrate", "execute", "observe", "admin"],
  });
  key = foreign.body.key;
}, 60_000);

const NOBODY = { capabilities: ["nobody-has-this"] };
/** The ids that no answer to a foreigner may hold; the rest of `ids` are names that everyone may use. */
const hidden = (): string[] =>
  Object.entries(ids)
    .filter(([name]) => name.endsWith("_id"))
    .map(([, id]) => id);

function send(route: (typeof ROUTES)[number], step: Step, of: Record<string, string>) {
  const path = route.path.replaceAll(/:(\w+)/g, (_all, name: string) => {
    const id = of[name];
    // An address that nobody has would be refused for that alone.
    if (id === undefined) throw new Error(`${route.id}: no ${name} of the other tenant`);
    return id;
  });
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
  ROUTES.filter(({ id }) => steps()[id]?.sees === outcome).toSorted(
    (one, other) => Number(one.method !== "GET") - Number(other.method !== "GET"),
  );

describe("a key of another tenant", () => {
  it("has an entry in this walk for every route, and none for what is no route", () => {
    expect(Object.keys(steps()).toSorted()).toEqual(ROUTES.map(({ id }) => id).toSorted());
    expect(Object.entries(ids).filter(([, id]) => typeof id !== "string" || id === "")).toEqual([]);
  });

  it("walks past objects that are there for their own tenant", async () => {
    const [record, blocks] = [
      await call("GET", `/v1/validations/${ids["record_id"]}`),
      await call<{ items: { block_id: string }[] }>("GET", "/v1/blocks"),
    ];

    expect(record).toMatchObject({ status: 200, body: { outcome: "refused" } });
    expect(blocks.body.items.map(({ block_id }) => block_id)).toContain(ids["block_id"]);
  });

  it("sees of another tenant's object what it sees of none: 404, on every route", async () => {
    const before = await everything();
    const never = Object.fromEntries(
      Object.entries(ids).map(([name, id]) => [name, name.endsWith("_id") ? "never-was" : id]),
    );
    const seen: [string, unknown, unknown][] = [];
    for (const route of bySight("unknown")) {
      const step = steps()[route.id] ?? open;
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
      const step = steps()[route.id] ?? open;
      // oxlint-disable-next-line no-await-in-loop
      const { status, body } = await send(route, step, ids);
      answers.push([route.id, status, JSON.stringify(body)]);
    }

    expect(answers.filter(([, status]) => status >= 300)).toEqual([]);
    // What it made under these ids is its own, and may be in its lists from then on.
    const names = ["task_id", "batch_id", "agent_id", "model_id", "rule_id", "slo_id"];
    const made = names.map((name) => ids[name]);
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
      bySight("forbidden").map((route) => send(route, steps()[route.id] ?? open, ids)),
    );
    const govern = await foreigner("GET", "/v1/keys?tenant=default");
    const governed = await foreigner("DELETE", `/v1/keys/${ids["key_id"]}?tenant=default`);

    expect([...answers, govern, governed].map(({ status }) => status)).toEqual([403, 403, 403]);
  });

  it("is asked for nowhere but on routes that show nothing of any tenant", async () => {
    const answers = await Promise.all(
      bySight("public").map((route) => send(route, steps()[route.id] ?? open, ids)),
    );

    const text = JSON.stringify(answers.map(({ body }) => body));
    expect([...secrets, ...hidden()].filter((one) => text.includes(one))).toEqual([]);
  });

  it("has every statement to D1 name its tenant, but for the one that finds its key by its hash", () => {
    // And for the probes of /health/ready, which show nothing, and the sweeper's runs, of which a tenant is shown its own part.
    const others = /\bkey_hash\b.* = \?|"sweep_cursor"|^SELECT 1 FROM task LIMIT 1$|min\(shard\)/;
    const statements = recording.sent.filter(({ sql }) => !others.test(sql));

    expect(statements.length).toBeGreaterThan(50);
    // Records of validations come as one JSON text; those of nobody name no tenant.
    const isNamed = (param: unknown) =>
      param === "foreign" || /"tenant":(?:"foreign"|null)/.test(String(param));
    const nameless = statements.filter(
      ({ sql, params }) => !/\btenant\b/.test(sql) || !params.some(isNamed),
    );
    expect(nameless.map(({ sql }) => sql)).toEqual([]);
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
  // The longest first: the id of a block has that of its key in it.
  const known = Object.values(ids).toSorted((one, other) => other.length - one.length);
  for (const id of [...known, "never-was"]) text = text.replaceAll(id, "ID");
  return text;
}
