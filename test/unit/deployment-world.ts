import { deployment } from "../../src/executor/skills/deployment.ts";
import type { JsonObject } from "../../src/executor/skills/skill.ts";
import { runWaiting, scriptedTools } from "./skill-tools.ts";
import type { Reply, ScriptedTools, Server } from "./skill-tools.ts";

/* A shop, its deploy hook and its roll-back hook. */

export const HOOK = "https://ci.example/hooks/0b5e7d4c9a";
export const UNDO = "https://ci.example/undo/41f2a7";
export const SITE = "https://shop.example/version";

export const CONFIGURATION = {
  deploy: {
    url: HOOK,
    headers: { authorization: "Bearer hook-s3cret" },
    body: { version: "{{version}}" },
    save: { run: "$.run" },
  },
  verify: [
    {
      name: "new version",
      url: SITE,
      expect: { contains: "{{version}}" },
      attempts: 3,
      interval_ms: 4_000,
    },
  ],
  rollback: { url: UNDO, body: { run: "{{run}}" } },
};
export const INPUT = { version: "v1.4.2" };

/** A shop that shows the new version after so many looks; never when null. */
export function world(looks: number | null, replies: Record<string, Reply> = {}): Server {
  return (request, nth) => {
    const scripted = replies[request.url];
    if (scripted !== undefined) return scripted;
    if (request.url === HOOK) return { status: 202, json: { run: 991 } };
    if (request.url === UNDO) return { status: 200 };
    return { text: looks !== null && nth >= looks ? "v1.4.2" : "v1.4.1" };
  };
}

/** Deploys to it, and tells which addresses were called. */
export async function deploy(
  server: Server | ScriptedTools,
  configuration: JsonObject = CONFIGURATION,
  input_data: JsonObject = INPUT,
) {
  const tools = typeof server === "function" ? scriptedTools(server) : server;
  const { outcome, progress } = await runWaiting(deployment, { input_data, configuration }, tools);
  return { outcome, progress, tools, urls: tools.sent.map(({ url }) => url) };
}
