import { random } from "./surface.ts";
import type { Surface } from "./surface.ts";

/** Refusals of every kind, each for a message that holds a secret. */
export async function goWrong(world: Surface): Promise<void> {
  const planted = world.keep("planted in refused bodies", `whsec_${random()}`);
  const credential = world.keep("password of a URL", `pw-${random()}`);
  const stray = world.keep("key that nobody has", `bk_${random()}`);
  const password = world.keep("password in input_data", `pass-${random()}`);
  const url = `https://user:${credential}@example.com/`;
  const task = { task_type: "research", description: "a task that is refused" };
  const input_data = { secret: planted, nested: { api_key: planted, password } };
  const token = world.secrets.get("lease token") ?? "";
  await world.call("GET", "/v1/tasks", undefined, { authorization: `Bearer ${stray}` });
  await world.call("GET", "/v1/tasks", undefined, { authorization: `Basic ${stray}` });
  await world.call("GET", "/v1/tasks", undefined, {
    authorization: `Bearer ${world.secrets.get("revoked key")}`,
  });
  await world.call("POST", "/v1/tasks", {
    ...task,
    parameters: { input_data },
    priority: planted,
  });
  await world.call("POST", "/v1/tasks", {
    ...task,
    timeout: planted,
    secret: password,
    parameters: { input_data },
  });
  await world.call("POST", "/v1/tasks", `{"secret": "${planted}", "password": "${password}`);
  await world.call("POST", "/v1/tasks", { ...task, orchestrator_info: { callback_url: url } });
  await world.call("POST", "/v1/tasks", {
    ...task,
    requires: { capabilities: [stray] },
    execution_options: { quality_threshold: token, x: 1 },
    headers: { authorization: password },
  });
  await world.call(
    "POST",
    "/v1/tasks",
    `{"password":"${password}","pad":"${"x".repeat(1_100_000)}"}`,
  );
  await world.call("POST", "/v1/webhooks", {
    url,
    secret: `${planted}!`,
    headers: { authorization: password },
  });
  await world.call("POST", "/v1/webhooks", {
    url: `${world.url}/ok/x`,
    secret: planted,
    headers: { host: password, "x\n": password },
  });
  await world.call("POST", "/v1/keys", { name: planted, scopes: [planted], key: stray });
  await world.call("POST", "/v1/tasks/told/heartbeat", {}, { "lease-token": stray });
  await world.call(
    "POST",
    "/v1/tasks/told/heartbeat",
    { usage: { tokens: stray } },
    { "lease-token": token },
  );
  await world.call(
    "POST",
    "/v1/notifications",
    { secret: planted, task_id: "told", agent_id: "worker" },
    {
      authorization: "",
      "webhook-id": "m2",
      "webhook-timestamp": "1",
      "webhook-signature": `v1,${stray}`,
    },
  );
  await world.call("PUT", "/v1/agents/worker", { capabilities: ["worker"], token: stray, url });
  await world.call("GET", "/v1/tasks/nowhere", undefined, {
    "x-secret": planted,
    cookie: `key=${stray}`,
  });
  await world.call("GET", `/v1/tasks?tag=${planted}&key=${stray}&limit=${stray}`);
}
