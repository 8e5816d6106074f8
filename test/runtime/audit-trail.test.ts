import { describe, expect, it } from "vitest";

import { instant } from "../../src/lib/ports.ts";
import { ROUTES } from "../../src/rest/app.ts";
import { ACTS, CANARY } from "./audit-acts.ts";
import { audit, carryOut, foreigner, leftBy } from "./audited.ts";
import { call, eventually, submit } from "./batuta.ts";
import { fragileWorld } from "./fragile-world.ts";
import { newReceiver } from "./receiver.ts";

const declared = ROUTES.flatMap(({ id, audit: rule }) =>
  typeof rule === "object" ? [{ id, action: rule.action, kind: rule.kind }] : [],
);

describe("the audit of the installation", () => {
  it("knows an act for every route that leaves an entry", () => {
    expect(Object.keys(ACTS).toSorted()).toEqual(declared.map(({ id }) => id).toSorted());
  });

  it.each(declared)("has one entry of $id: who did it, when and to what", async (route) => {
    const act = (await ACTS[route.id]?.()) ?? { method: "GET", path: "/", subject: "" };

    const { answer, request_id } = await carryOut(act);

    expect(answer.status).toBeLessThan(300);
    const { subject } = act;
    const found = await leftBy(request_id);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({
      actor: "key_bootstrap",
      actor_kind: "key",
      action: route.action,
      subject: typeof subject === "string" ? subject : subject(answer.body),
      subject_kind: route.kind,
      request_id,
      ...(act.detail !== undefined && { detail: act.detail }),
    });
    expect(Math.abs(Date.parse(found[0]?.at ?? "") - Date.now())).toBeLessThan(60_000);
    expect(JSON.stringify(found)).not.toContain(CANARY);
    expect(JSON.stringify(found)).not.toMatch(/bk_|whsec_/);
  });

  it.each(declared.filter(({ id }) => id !== "get_callback_secret"))(
    "has nothing of $id when it is refused",
    async ({ id }) => {
      const { method, path } = (await ACTS[id]?.()) ?? { method: "GET", path: "/" };
      const body = method === "DELETE" ? undefined : { no_such_field: 1 };
      const address = method === "DELETE" ? path.replace(/[^/]+$/, "nobody") : path;

      const { answer, request_id } = await carryOut({ method, path: address, body, subject: "" });

      expect([400, 404]).toContain(answer.status);
      expect(await leftBy(request_id)).toEqual([]);
    },
  );

  it("has nothing of a step that was approved before, of a dry run and of a secret that was not sent", async () => {
    const approval = await ACTS["approve_next_step"]?.();
    if (approval === undefined) throw new Error("no act");
    await carryOut(approval);
    const dry = { filter: { tag: "none" }, command: "cancel", dry_run: true };

    const left = [
      await carryOut(approval),
      await carryOut({ method: "POST", path: "/v1/commands", body: dry, subject: "" }),
      await carryOut({ method: "HEAD", path: "/v1/callback-secret", subject: "" }),
    ];

    for (const { answer, request_id } of left) {
      expect(answer.status).toBeLessThan(300);
      expect(await leftBy(request_id)).toEqual([]);
    }
  });

  it("has no entry of a plain task's life, whose own log has them all", async () => {
    const { tenant, headers, key_id } = await foreigner();
    const ask = (method: string, path: string, body?: unknown, more = {}) =>
      call<Record<string, unknown>>(method, path, body, { ...headers, ...more });
    await ask("PUT", "/v1/agents/plain", { capabilities: ["plain"] });
    const before = await audit({ tenant });

    const { body } = await ask("POST", "/v1/tasks", {
      task_type: "research",
      description: "a plain life",
      requires: { capabilities: ["plain"] },
    });
    const task_id = String(body["task_id"]);
    await ask("POST", "/v1/agents/plain/claim", { wait_seconds: 5 });

    expect((await audit({ tenant })).items).toEqual(before.items);
    const { body: events } = await call<{ items: { actor: unknown }[] }>(
      "GET",
      `/v1/tasks/${task_id}/events`,
      undefined,
      headers,
    );
    expect(events.items[0]?.actor).toEqual({ kind: "operator", id: key_id });
  });

  it("has what the webhook registry writes, once", async () => {
    const { tenant, headers, key_id } = await foreigner();
    const { body } = await call<{ webhook_id: string }>(
      "POST",
      "/v1/webhooks",
      { url: newReceiver().url, headers: { "x-key": CANARY } },
      headers,
    );

    const { items } = await audit({ tenant, subject: body.webhook_id });

    expect(items).toMatchObject([
      { action: "webhook_created", actor: key_id, subject_kind: "webhook", request_id: null },
    ]);
    expect(JSON.stringify(items)).not.toContain(CANARY);
  });

  it("names the key that did it, in the tenant whose object it is", async () => {
    const { tenant, headers, key_id } = await foreigner();
    await call("PUT", "/v1/agents/mine", { capabilities: [] }, headers);

    const { items } = await audit({}, headers);

    expect(items).toMatchObject([
      { action: "agent_put", actor: key_id, subject: "mine" },
      { action: "key_created", actor: "key_bootstrap", subject: key_id },
    ]);
    expect(await audit({ tenant })).toEqual({ items, next_cursor: null });
  });

  it("tells of a denied attempt at what only administrators may do, once a minute", async () => {
    const { tenant, headers } = await foreigner();
    const made = await call<{ key: string; key_id: string }>(
      "POST",
      "/v1/keys",
      { name: "curious", scopes: ["observe"] },
      headers,
    );
    const curious = { authorization: `Bearer ${made.body.key}` };

    for (let turn = 0; turn < 5; turn += 1) {
      await call("POST", "/v1/keys", { name: "more", scopes: ["admin"] }, curious);
    }
    await call("GET", "/v1/callback-secret", undefined, curious);
    await call("POST", "/v1/tasks", {}, curious);

    const { items } = await audit({ tenant, action: "operation_denied" });
    expect(items).toMatchObject([
      { actor: made.body.key_id, subject: "get_callback_secret", subject_kind: "operation" },
      { actor: made.body.key_id, subject: "create_key", detail: {} },
    ]);
  });
});

describe("the audit while D1 is down", () => {
  it("follows by the queue, with the instant and the request of what was done", async () => {
    const { call: ask, database } = fragileWorld();
    const { task_id } = await submit({ requires: { capabilities: ["nobody-has-this"] } });
    database.isDown = true;
    const began = instant(Date.now());

    const commanded = await ask(
      "POST",
      `/v1/tasks/${task_id}/commands`,
      { command: "cancel" },
      { "x-request-id": "down-1" },
    );
    const shown = await ask("GET", "/v1/audit");

    expect(commanded.status).toBe(202);
    expect([shown.status, shown.body["code"]]).toEqual([503, "unavailable"]);
    const { items } = await eventually(
      () => audit({ subject: task_id }),
      (page) => page.items.length > 0,
    );
    expect(items).toMatchObject([
      { action: "command_given", actor: "key_bootstrap", request_id: "down-1" },
    ]);
    expect(began <= (items[0]?.at ?? "")).toBe(true);
    expect(items[0]?.at.localeCompare(instant(Date.now()))).toBeLessThanOrEqual(0);
  });

  it("answers an export at once with 503 and not with a stream that breaks off", async () => {
    const { call: ask, database } = fragileWorld();
    database.isDown = true;

    const { status, body } = await ask("GET", "/v1/audit", undefined, {
      accept: "application/x-ndjson",
    });

    expect([status, body["code"]]).toEqual([503, "unavailable"]);
  });
});
