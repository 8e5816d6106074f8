import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { newSecret } from "../../src/delivery/signature.ts";
import {
  INJECTIONS,
  INNER,
  MEBIBYTE,
  postRaw,
  sendSigned,
  signatureOf,
  signing,
  spaces,
  startedBy,
} from "./attacks.ts";
import { call, ended, eventually, Executor, log, report, submit, view } from "./batuta.ts";
import { newReceiver } from "./receiver.ts";
import { newTenant } from "./tenant.ts";

/* What an attacker would try first, against the whole Worker. */

describe("security", () => {
  it("injection text is stored and given back as it came, and is nothing but text to anyone", async () => {
    const receiver = newReceiver();
    const [tasks] = (await env.DB.prepare("SELECT count(*) AS count FROM task").all()).results;

    for (const [index, text] of INJECTIONS.entries()) {
      const name = `injected-${index}`;
      const own = await newTenant(name);
      await own("POST", "/v1/webhooks", { url: receiver.url, name: text, events: ["all"] });
      const executor = await new Executor(name, own).register();
      const sent = await own("POST", "/v1/tasks", {
        task_id: name,
        task_type: "research",
        description: `${text} and ten characters`,
        metadata: { [text]: text },
        tags: [text.replaceAll(/[^\x20-\x7e]/g, " ").slice(0, 50)],
        parameters: { input_data: { text } },
        requires: { capabilities: [name] },
      });
      const given = await executor.claim();
      await executor.start();
      await executor.complete({ text });
      await executor.end();
      const kept = await own("GET", `/v1/tasks/${name}`);

      expect(sent.status).toBe(202);
      expect([...sent.headers.keys()]).not.toContain("set-cookie");
      expect(given).toMatchObject({ parameters: { input_data: { text } } });
      expect(kept.body).toMatchObject({
        description: `${text} and ten characters`,
        metadata: { [text]: text },
        result: { text },
      });
      const query = `agent_id=${encodeURIComponent(text)}&tag=${encodeURIComponent(text)}`;
      const searched = await own("GET", `/v1/tasks?${query}&cursor=${encodeURIComponent(text)}`);
      const found = await own("GET", `/v1/lessons?q=${encodeURIComponent(text)}`);
      expect([searched.status, found.status]).toEqual([400, 200]);
    }

    const sent = await eventually(
      () => receiver.log(),
      (requests) => requests.length >= INJECTIONS.length,
    );
    for (const { headers } of sent) expect(headers).not.toHaveProperty("set-cookie");
    await eventually(
      async () => (await env.DB.prepare("SELECT count(*) AS count FROM task").first("count")) ?? 0,
      (count) => Number(count) >= Number(tasks?.["count"]) + INJECTIONS.length,
    );
  });

  it("a forged signature opens nothing: another secret, another agent's, a changed body, another id", async () => {
    const [agent, other] = [await signing(), await signing()];
    const body = startedBy(agent);
    const right = signatureOf(body, agent);
    const v1 = right["webhook-signature"] ?? "";

    const answers = [
      await sendSigned(body, signatureOf(body, { ...agent, secret: newSecret() })),
      await sendSigned(body, signatureOf(body, { ...agent, secret: other.secret })),
      await sendSigned({ ...body, agent_id: other.agent_id }, right),
      await sendSigned({ ...body, data: { ...body.data, complexity: "high" } }, right),
      await sendSigned(body, { ...right, "webhook-id": "another" }),
      await sendSigned(body, { ...right, "webhook-signature": v1.replace("v1,", "v1a,") }),
      await sendSigned(body, { ...right, "webhook-signature": v1.slice(0, -3) }),
      await sendSigned(body, { ...right, "webhook-signature": "v1," }),
      await sendSigned(body, { ...right, "batuta-tenant": "elsewhere" }),
    ];
    const untouched = await view(agent.task_id);
    const genuine = await sendSigned(body, right);

    for (const { status, body: problem } of answers) {
      expect([status, problem["code"]]).toEqual([401, "unauthenticated"]);
    }
    expect(untouched).toMatchObject({ phase: "assigned" });
    expect(genuine.status).toBe(202);
  });

  it("a replayed message has one effect, and one that was signed long ago or far ahead has none", async () => {
    const agent = await signing();
    const body = startedBy(agent);
    const minutes = (count: number) => new Date(Date.now() + count * 60_000);

    const old = await sendSigned(body, signatureOf(body, agent, minutes(-6)));
    const ahead = await sendSigned(body, signatureOf(body, agent, minutes(6)));
    const untouched = await view(agent.task_id);
    const headers = signatureOf(body, agent);
    const first = await sendSigned(body, headers);
    const events = await log(agent.task_id);
    await sendSigned(body, headers);
    await sendSigned(body, {
      ...headers,
      "webhook-timestamp": String(Math.floor(Date.now() / 1_000) + 1),
    });

    expect([old.status, ahead.status, first.status]).toEqual([401, 401, 202]);
    expect(untouched).toMatchObject({ phase: "assigned" });
    expect(await log(agent.task_id)).toEqual(events);
  });

  it("an address of the inner network is refused wherever one can be given, and no redirect leads there", async () => {
    const task = { task_type: "research", description: "calls back home" };
    const refusedAt = (pointer: string) => ({
      status: 422,
      body: { code: "endpoint_refused", errors: [{ pointer }] },
    });

    for (const url of INNER) {
      const callback = { ...task, orchestrator_info: { callback_url: url } };
      const answers = await Promise.all([
        call("POST", "/v1/webhooks", { url }),
        call("POST", "/v1/tasks", callback),
        call("POST", "/v1/batches", { tasks: [task, callback] }),
        call("PUT", "/v1/agents/inward", { capabilities: ["inward"], url }),
      ]);
      expect({ url, answers }).toMatchObject({
        url,
        answers: [
          refusedAt("/url"),
          refusedAt("/orchestrator_info/callback_url"),
          refusedAt("/tasks/1/orchestrator_info/callback_url"),
          refusedAt("/url"),
        ],
      });
    }
    expect((await call("GET", "/v1/agents/inward")).status).toBe(404);
    for (const url of ["https://127.0.0.1/x.csv", "https://private.dns.test/x.csv"]) {
      const fetching = await submit({
        task_type: "data_analysis",
        description: "Sum up the table",
        parameters: { input_data: { url } },
        execution_options: { retry_policy: { max_retries: 0 } },
      });
      expect(await ended(fetching.task_id)).toMatchObject({ error: { type: "input_unreadable" } });
      expect(JSON.stringify(await report(fetching.task_id))).toContain("https and public");
    }
    const [receiver, inside] = [newReceiver(), newReceiver("inside")];
    await receiver.script([{ status: 302, headers: { location: inside.url } }]);
    const { body } = await call("POST", "/v1/webhooks", { url: receiver.url });
    const tested = await call("POST", `/v1/webhooks/${String(body["webhook_id"])}/test`, {});
    const delivery = await eventually(
      () =>
        call<{ attempts: unknown[] }>(
          "GET",
          `/v1/deliveries/${String(tested.body["delivery_id"])}`,
        ),
      (answer) => answer.body.attempts.length > 0,
    );
    expect(delivery.body.attempts).toMatchObject([{ status_code: 302 }]);
    expect(await inside.log()).toEqual([]);
  });

  it("an oversize body is refused with 413: declared, as a stream without length, and as a gzip bomb", async () => {
    const bomb = await new Response(
      spaces(16).pipeThrough(new CompressionStream("gzip")),
    ).arrayBuffer();

    const answers = [
      await postRaw("x".repeat(MEBIBYTE + 1)),
      await postRaw(spaces(3)),
      await postRaw(bomb, { "content-encoding": "gzip" }),
    ];

    expect(bomb.byteLength).toBeLessThan(MEBIBYTE / 16);
    for (const answer of answers) {
      expect(answer.status).toBe(413);
      expect(await answer.json()).toMatchObject({ code: "body_too_large", max_bytes: MEBIBYTE });
    }
  });

  it("a task of another tenant is not there: 404 for whoever reads, commands, executes or lists", async () => {
    const foreign = await newTenant("burglar");
    const executor = await new Executor("victim").register();
    const { task_id } = await submit({ requires: { capabilities: ["victim"] } });
    await executor.claim();
    await executor.start();
    const path = `/v1/tasks/${task_id}`;
    const before = await log(task_id);
    const end = {
      task_id,
      agent_id: "victim",
      reason: "cancelled",
      timestamp: new Date().toISOString(),
    };

    const answers = await Promise.all([
      ...["", "/events", "/stream", "/report", "/explain", "/commands", "/subtasks", "/notes"].map(
        (part) => foreign("GET", path + part),
      ),
      foreign("GET", `${path}/deliveries`),
      foreign("GET", `${path}/trace`),
      foreign("GET", `${path}/next-steps`),
      foreign("GET", `${path}/shared-context`),
      foreign("POST", `${path}/commands`, { command: "cancel" }),
      foreign("POST", `${path}/rebuild`, {}),
      foreign("POST", `${path}/heartbeat`, {}, executor.lease),
      foreign("POST", `${path}/decline`, { reason: "mine" }, executor.lease),
      foreign("POST", `${path}/end`, end, executor.lease),
      foreign("PUT", `${path}/notes/a`, { value: 1 }, executor.lease),
    ]);
    const listed = await foreign<{ items: unknown[] }>("GET", "/v1/tasks");

    for (const { status, body } of answers) {
      expect([status, body["code"]]).toEqual([404, "task_not_found"]);
    }
    expect(listed.body.items).toEqual([]);
    expect(await log(task_id)).toEqual(before);
  });
});
