import { describe, expect, it } from "vitest";

import { deployment } from "../../src/executor/skills/deployment.ts";
import type { JsonObject } from "../../src/executor/skills/skill.ts";
import { CONFIGURATION, deploy, HOOK, INPUT, SITE, UNDO, world } from "./deployment-world.ts";
import { expectFailure, expectResult } from "./skill-run.ts";
import { always, runWaiting, scriptedTools, serverOf } from "./skill-tools.ts";
import type { Reply } from "./skill-tools.ts";

const REFUSED: Reply = {
  fault: "address_refused",
  detail: "must name a host, not an IP address",
};
const OK: Reply = {};

describe("before anything is called", () => {
  it("a dry run prints the plan", async () => {
    const { outcome, tools } = await deploy(world(0), { ...CONFIGURATION, dry_run: true });

    const { output } = expectResult(outcome);
    expect(output).toMatchObject({
      outcome: "planned",
      steps: [
        {
          stage: "deploy",
          kind: "hook",
          method: "POST",
          target: "https://ci.example/…",
          headers: ["content-type", "idempotency-key", "authorization"],
          body_characters: 20,
        },
        { stage: "verify", kind: "check", method: "GET", target: SITE },
        { stage: "rollback", kind: "hook" },
      ],
    });
    expect(tools.sent).toEqual([]);
  });

  it.each([
    ["verify", { verify: [{ url: "https://10.0.0.1/" }] }],
    ["rollback", { rollback: { url: "https://10.0.0.1/" } }],
    ["deploy", { deploy: { url: "https://10.0.0.1/" } }],
  ])("an inner address in %s stops it", async (stage, part) => {
    const { outcome, tools } = await deploy(
      ({ url }) => (url.includes("10.0.0.1") ? REFUSED : OK),
      { deploy: { url: HOOK }, ...part },
    );

    const failure = expectFailure(outcome);
    expect(failure).toMatchObject({ error_type: "deployment_refused" });
    expect(failure.root_cause.evidence).toContain(`configuration.${stage}`);
    expect(failure.root_cause.evidence).toContain("must name a host, not an IP address");
    expect(tools.sent).toEqual([]);
  });

  it.each<[string, JsonObject, string]>([
    ["no hook", { deploy: undefined as never }, "/configuration/deploy"],
    [
      "a variable that nobody gives",
      { deploy: { url: `${HOOK}/{{region}}` } },
      "/configuration/deploy",
    ],
    [
      "a variable that comes later",
      { deploy: { url: HOOK, body: "{{run}}", save: { run: "$.run" } } },
      "/configuration/deploy",
    ],
    [
      "a header with a line break",
      { deploy: { url: HOOK, headers: { "x-a": "1\r\n2" } } },
      "/configuration/deploy/headers",
    ],
    [
      "a check that changes something",
      { verify: [{ url: SITE, method: "POST" }] },
      "/configuration/verify/0/method",
    ],
    [
      "pauses without an end",
      { verify: [{ url: SITE, attempts: 20, interval_ms: 60_000 }] },
      "/configuration/verify",
    ],
  ])("%s is refused with its place", async (_what, part, place) => {
    const { outcome, tools } = await deploy(world(0), { ...CONFIGURATION, ...part });

    expect(expectFailure(outcome).root_cause.evidence).toContain(`${place}:`);
    expect(tools.sent).toEqual([]);
  });

  it("a model is needed when no hook is configured", () => {
    const lack = (configuration: JsonObject) =>
      deployment.lack?.({ description: "Deploy the shop", input_data: {}, configuration });

    expect(lack({})).toContain("configuration.deploy");
    expect(lack(CONFIGURATION)).toBeNull();
  });
});

describe("what a deployment tells", () => {
  it("holds neither a credential nor a hook's path", async () => {
    const server = serverOf({
      [HOOK]: { status: 500, text: `bad hook-s3cret at ${HOOK}` },
      [UNDO]: { status: 200 },
      [SITE]: { text: "ok" },
    });

    const { outcome, progress } = await deploy(server, {
      ...CONFIGURATION,
      deploy: { ...CONFIGURATION.deploy, expect: { contains: "accepted" } },
    });

    const told = JSON.stringify([outcome, progress]);
    expect(told).not.toMatch(/hook-s3cret|0b5e7d4c9a|41f2a7/);
  });

  it("never counts backwards", async () => {
    const { progress } = await deploy(world(null));
    const shares = progress.map(({ progress_percentage }) => progress_percentage);

    expect(shares).toEqual([...shares].toSorted((one, other) => one - other));
    expect(shares.at(-1)).toBeLessThan(100);
  });

  it("is the same for a task in Spanish, in Spanish", async () => {
    const tools = scriptedTools(always({ text: "v1.4.2" }));
    const configuration = { ...CONFIGURATION, language: "es", rollback: { url: UNDO } };

    const { outcome } = await runWaiting(deployment, { input_data: INPUT, configuration }, tools);

    expect(expectResult(outcome).summary).toContain("está desplegada");
  });
});
