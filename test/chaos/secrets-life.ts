import { randomBytes } from "node:crypto";

import { Webhook } from "standardwebhooks";
import { z } from "zod";

import { goWrong } from "./secrets-refused.ts";
import { anySchema, random } from "./surface.ts";
import type { Answer, Surface } from "./surface.ts";

/* A life in which everything that has secrets is used. */

const claimSchema = z.object({
  tasks: z.array(z.object({ lease: z.object({ token: z.string() }) })),
});

/** A whole life with all that has a secret, and every refusal on the way; then everything is read. */
export async function live(world: Surface): Promise<void> {
  await makeKeys(world);
  await makeWebhooks(world);
  await work(world);
  await push(world);
  await goWrong(world);
  await readAll(world);
}

async function makeKeys(world: Surface): Promise<void> {
  const scopes = ["orchestrate", "execute", "observe", "admin"];
  const made = await world.call("POST", "/v1/keys", { name: "all", scopes });
  const revoked = await world.call("POST", "/v1/keys", { name: "short", scopes: ["observe"] });
  await world.call("DELETE", `/v1/keys/${String(revoked.body["key_id"])}`);
  world.keep("revoked key", revoked.body["key"]);
  world.key = world.keep("created key", made.body["key"]);
  const secret = (answer: Answer) => answer.body["secret"];
  world.keep("callback secret", secret(await world.call("GET", "/v1/callback-secret")));
  world.keep(
    "new callback secret",
    secret(await world.call("POST", "/v1/callback-secret/rotate", {})),
  );
}

async function makeWebhooks(world: Surface): Promise<void> {
  const given = world.keep("given webhook secret", `whsec_${randomBytes(32).toString("base64")}`);
  const credential = world.keep("credential in a header", `cred-${random()}`);
  for (const area of ["ok", "echo", "refuse", "gone"]) {
    const webhook = await world.call("POST", "/v1/webhooks", {
      url: `${world.url}/${area}/hook`,
      ...(area === "ok" && { secret: given }),
      ...(area !== "ok" && { headers: { Authorization: `Bearer ${credential}` } }),
      ...(area === "refuse" && { final_statuses: [400] }),
      retry_policy: { schedule: [1] },
    });
    const path = `/v1/webhooks/${String(webhook.body["webhook_id"])}`;
    if (area !== "ok") world.keep(`secret of ${area}`, webhook.body["secret"]);
    const rotated = await world.call("POST", `${path}/rotate-secret`, { overlap_seconds: 600 });
    world.keep(`new secret of ${area}`, rotated.body["secret"]);
    await world.call("POST", `${path}/test`, {});
  }
}

async function work(world: Surface): Promise<void> {
  const agent = await world.call("PUT", "/v1/agents/worker", { capabilities: ["worker"] });
  const first = world.keep("agent secret", agent.body["secret"]);
  const rotated = await world.call("POST", "/v1/agents/worker/rotate-secret", {});
  world.keep("new agent secret", rotated.body["secret"]);
  await world.call("POST", "/v1/tasks", {
    task_id: "told",
    task_type: "research",
    description: "a task that everybody is told of",
    orchestrator_info: { callback_url: `${world.url}/callback/x` },
    requires: { capabilities: ["worker"] },
  });
  const claimed = await world.call("POST", "/v1/agents/worker/claim", { wait_seconds: 10 });
  const token = claimSchema.parse(claimed.body).tasks[0]?.lease.token;
  const lease = { "lease-token": world.keep("lease token", token) };
  const message = (notification_type: string, data: object) => ({
    notification_id: notification_type,
    notification_type,
    task_id: "told",
    agent_id: "worker",
    timestamp: new Date().toISOString(),
    data,
  });
  const started = message("task_started", {
    task_type: "research",
    estimated_duration: 9,
    complexity: "low",
  });
  const at = new Date();
  const signature = new Webhook(first).sign("m1", at, JSON.stringify(started));
  world.keep("signature of a message", signature);
  const signed = {
    "webhook-id": "m1",
    "webhook-timestamp": String(Math.floor(at.getTime() / 1_000)),
    "webhook-signature": signature,
    ...lease,
  };
  // A signature instead of a key.
  await world.call("POST", "/v1/notifications", started, { ...signed, authorization: "" });
  await world.call("POST", "/v1/tasks/told/heartbeat", {}, lease);
  await world.call(
    "POST",
    "/v1/notifications",
    message("task_progress", { progress_percentage: 200, current_step: "x" }),
    lease,
  );
  await world.call(
    "POST",
    "/v1/notifications",
    message("task_completed", {
      result: { answer: 42 },
      execution_summary: "done",
      metrics: { execution_time: 1, tokens_used: 0, cost: 0, quality_score: 0.9 },
      quality_assessment: { overall_score: 0.9 },
    }),
    lease,
  );
  const end = {
    task_id: "told",
    agent_id: "worker",
    reason: "success",
    timestamp: new Date().toISOString(),
    quality_assessment: { overall_score: 0.9 },
  };
  await world.call("POST", "/v1/tasks/told/end", end, lease);
  await world.until(
    async () => (await world.call("GET", "/v1/tasks/told")).body["phase"] === "ended",
    "the end",
  );
}

/** One that takes the task by a push, and one that declines it and repeats what it should not. */
async function push(world: Surface): Promise<void> {
  for (const area of ["push", "decline"]) {
    const agent = await world.call("PUT", `/v1/agents/${area}`, {
      capabilities: [area],
      url: `${world.url}/${area}/x`,
    });
    world.keep(`secret of ${area}`, agent.body["secret"]);
    const asked = {
      task_type: "research",
      description: "is pushed to its executor",
      requires: { capabilities: [area] },
    };
    await world.call("POST", "/v1/tasks", { task_id: `pushed-${area}`, ...asked });
    await world.until(
      async () => world.arrivals.some(({ path }) => path === `/${area}/x`),
      `the push to ${area}`,
    );
    const arrival = world.arrivals.find(({ path }) => path === `/${area}/x`);
    const { data } = z
      .object({ data: z.object({ lease: z.object({ token: z.string() }) }) })
      .parse(JSON.parse(arrival?.body ?? ""));
    world.keep(`lease token of ${area}`, data.lease.token);
  }
}

/** Everything that there is to be read, once what was sent has come back. */
async function readAll(world: Surface): Promise<void> {
  const idsOf = (answer: Answer, name: string): string[] =>
    z
      .array(anySchema)
      .parse(answer.body["items"])
      .map((item) => String(item[name]));
  const webhooks = idsOf(await world.call("GET", "/v1/webhooks"), "webhook_id");
  for (const id of webhooks) {
    const path = `/v1/webhooks/${id}`;
    await world.until(
      async () =>
        !/"(?:pending|delivering|retrying)"/.test(
          (await world.call("GET", `${path}/deliveries`)).text,
        ),
      `the end of the deliveries of ${id}`,
    );
    for (const part of ["", "/stats", "/audit", "/events"]) await world.call("GET", path + part);
    const deliveries = idsOf(await world.call("GET", `${path}/deliveries`), "delivery_id");
    for (const delivery of deliveries) await world.call("GET", `/v1/deliveries/${delivery}`);
  }
  for (const task of ["told", "pushed-push", "pushed-decline"]) {
    for (const part of ["", "/events", "/report", "/explain", "/notes", "/deliveries"]) {
      await world.call("GET", `/v1/tasks/${task}${part}`);
    }
  }
  const lists = [
    "tasks",
    "agents",
    "keys",
    "dead-letters",
    "insights",
    "metrics",
    "state",
    "lessons",
    "callback-secret/audit",
    "cleanup-debt",
    "escalations",
  ];
  for (const list of lists) await world.call("GET", `/v1/${list}`);
  for (const path of ["/health/ready", "/metrics", "/openapi.json"]) await world.call("GET", path);
}
