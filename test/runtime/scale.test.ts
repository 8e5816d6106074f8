import { listDurableObjectIds } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { Executor, call, ended, submit } from "./batuta.ts";
import { newReceiver } from "./receiver.ts";

type Namespace = Parameters<typeof listDurableObjectIds>[0];

/** The objects of a namespace that exist now. */
async function objectsOf(namespace: Namespace): Promise<string[]> {
  return (await listDurableObjectIds(namespace)).map(String).toSorted();
}

async function live(task_id: string): Promise<void> {
  const executor = await new Executor("scale-1").register();
  await submit({ task_id, pool: "default", requires: { capabilities: ["scale-1"] } });
  await executor.claim();
  await executor.start();
  await executor.complete();
  await executor.end();
  await ended(task_id);
}

describe("a task", () => {
  it("touches its own object, its pool and its endpoints, and nothing that another tenant's tasks touch", async () => {
    const { body: webhook } = await call<{ webhook_id: string }>("POST", "/v1/webhooks", {
      url: newReceiver().url,
    });
    const { body: key } = await call<{ key: string }>("POST", "/v1/keys", {
      name: "another tenant",
      scopes: ["admin"],
      tenant: "another",
    });

    await live("scale-first");
    await live("scale-second");
    await call(
      "POST",
      "/v1/tasks",
      { task_id: "scale-first", task_type: "research", description: "the same id, another tenant" },
      { authorization: `Bearer ${key.key}` },
    );

    const named = (namespace: Namespace, names: string[]): string[] =>
      names.map((name) => String(namespace.idFromName(name))).toSorted();
    expect(await objectsOf(env.TASK)).toEqual(
      named(env.TASK, ["default/scale-first", "default/scale-second", "another/scale-first"]),
    );
    expect(await objectsOf(env.POOL)).toEqual(
      named(env.POOL, ["default/default", "another/default"]),
    );
    expect(await objectsOf(env.ENDPOINT)).toEqual(
      named(env.ENDPOINT, [`default/${webhook.webhook_id}`]),
    );
  });
});
