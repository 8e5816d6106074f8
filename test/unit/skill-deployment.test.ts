import { describe, expect, it } from "vitest";

import { deployment } from "../../src/executor/skills/deployment.ts";
import type { JsonObject, JsonValue } from "../../src/executor/skills/skill.ts";
import { CONFIGURATION, deploy, HOOK, INPUT, SITE, UNDO, world } from "./deployment-world.ts";
import { expectFailure, expectResult } from "./skill-run.ts";
import { scriptedTools } from "./skill-tools.ts";
import type { ScriptedTools, Server } from "./skill-tools.ts";

describe("a deployment", () => {
  it("calls the hook once and waits until its checks pass", async () => {
    const { outcome, tools, urls } = await deploy(world(2));

    const { output, quality } = expectResult(outcome);
    expect(output).toMatchObject({
      outcome: "deployed",
      version: "v1.4.2",
      is_verified: true,
      steps: [
        {
          stage: "deploy",
          kind: "hook",
          target: "https://ci.example/…",
          state: "accepted",
          status: 202,
          attempts: 1,
        },
        {
          stage: "deploy",
          kind: "check",
          name: "new version",
          state: "passed",
          attempts: 3,
          duration_ms: 8_030,
        },
      ],
    });
    expect(urls).toEqual([HOOK, SITE, SITE, SITE]);
    expect(tools.pauses).toEqual([4_000, 4_000]);
    expect(tools.sent[0]).toMatchObject({
      method: "POST",
      body: '{"version":"v1.4.2"}',
      headers: { "idempotency-key": "task-1-deploy", authorization: "Bearer hook-s3cret" },
    });
    expect(quality.overall_score).toBe(1);
  });

  it("that does not verify is rolled back, which fails the task", async () => {
    const { outcome, tools, urls } = await deploy(world(null));

    const failure = expectFailure(outcome);
    expect(failure).toMatchObject({
      error_type: "deployment_rolled_back",
      root_cause: { class: "verification_failed" },
      retry_recommended: false,
    });
    // The shop answers again, by its status alone: it does not show the new version.
    expect(urls).toEqual([HOOK, SITE, SITE, SITE, UNDO, SITE]);
    expect(tools.sent[4]).toMatchObject({
      body: '{"run":991}',
      headers: { "idempotency-key": "task-1-rollback" },
    });
    const evidence = JSON.parse(failure.root_cause.evidence) as JsonObject;
    expect(evidence).toMatchObject({
      outcome: "rolled_back",
      steps: [
        { stage: "deploy", state: "accepted" },
        {
          stage: "deploy",
          state: "failed",
          unmet: [{ path: "body", expected: 'contains "v1.4.2"' }],
        },
        { stage: "rollback", state: "accepted" },
        { stage: "rollback", state: "passed" },
      ],
    });
  });

  it("whose roll-back fails too is critical", async () => {
    const { outcome } = await deploy(world(null, { [UNDO]: { status: 500 } }));

    const failure = expectFailure(outcome);
    expect(failure.error_type).toBe("rollback_failed");
    expect(failure.error_message).toMatch(/^CRITICAL/);
    expect(failure.root_cause.class).toBe("critical_rollback_failed");
  });

  it("without a roll-back says that it is still there", async () => {
    const { rollback: _rollback, ...configuration } = CONFIGURATION;

    const { outcome } = await deploy(world(null), configuration);

    expect(expectFailure(outcome)).toMatchObject({ error_type: "deployment_unverified" });
  });

  it("that the hook refuses changes nothing and rolls nothing back", async () => {
    const { outcome, urls } = await deploy(world(0, { [HOOK]: { status: 403, text: "no" } }));

    expect(expectFailure(outcome)).toMatchObject({ error_type: "deploy_refused" });
    expect(urls).toEqual([HOOK]);
  });

  it("without a clear answer is tried again under the same key, then rolled back", async () => {
    const deploy_ = { ...CONFIGURATION.deploy, save: {}, attempts: 3 };
    const configuration = { ...CONFIGURATION, deploy: deploy_, rollback: { url: UNDO } };

    const { outcome, tools, urls } = await deploy(
      world(0, { [HOOK]: { fault: "timeout" } }),
      configuration,
    );

    expect(urls).toEqual([HOOK, HOOK, HOOK, UNDO, SITE]);
    expect(
      new Set(tools.sent.slice(0, 3).map(({ headers }) => headers?.["idempotency-key"])),
    ).toEqual(new Set(["task-1-deploy"]));
    expect(tools.pauses.slice(0, 2)).toEqual([2_000, 4_000]);
    expect(expectFailure(outcome)).toMatchObject({
      error_type: "deployment_rolled_back",
      root_cause: { class: "hook_failed" },
    });
  });

  it("that is refused after a call without a clear answer is rolled back as well", async () => {
    const deploy_ = { ...CONFIGURATION.deploy, save: {}, attempts: 3 };
    const configuration = { ...CONFIGURATION, deploy: deploy_, rollback: { url: UNDO } };
    const server: Server = (request, nth) => {
      if (request.url !== HOOK) return { status: 200 };
      return nth === 0 ? { fault: "timeout" } : { status: 409, text: "already deploying" };
    };

    const { outcome, urls } = await deploy(server, configuration);

    expect(urls).toEqual([HOOK, HOOK, UNDO, SITE]);
    const failure = expectFailure(outcome);
    expect(failure.error_type).toBe("deployment_rolled_back");
    expect(JSON.parse(failure.root_cause.evidence)).toMatchObject({
      steps: [
        { state: "unclear", status: 409, unmet: [{ path: "request" }, { path: "status" }] },
        {},
        {},
      ],
    });
  });

  it("sends nothing to a host that the hook's answer names", async () => {
    const verify = [{ url: "https://{{run}}/", headers: { authorization: "Bearer x" } }];

    const { outcome, urls } = await deploy(
      world(0, { [HOOK]: { json: { run: "evil.example" } } }),
      { ...CONFIGURATION, verify, rollback: { url: UNDO, verify: [] } },
    );

    expect(urls).toEqual([HOOK, UNDO]);
    expect(expectFailure(outcome).root_cause.class).toBe("verification_failed");
  });

  it("goes to a canary first, and to all only when that verifies", async () => {
    const canary = {
      url: "https://ci.example/canary",
      verify: [{ url: "https://canary.example/", attempts: 1 }],
    };

    const good = await deploy(world(0), { ...CONFIGURATION, canary });
    const bad = await deploy(world(0, { "https://canary.example/": { status: 500 } }), {
      ...CONFIGURATION,
      canary,
      rollback: { url: UNDO },
    });

    expect(good.urls).toEqual([canary.url, "https://canary.example/", HOOK, SITE]);
    expect(bad.urls).toEqual([canary.url, "https://canary.example/", UNDO, SITE]);
    expect(expectFailure(bad.outcome).error_type).toBe("deployment_rolled_back");
  });
});

describe("a deployment that is taken up again", () => {
  it.each([2, 3])("after step %i does not call the hook again", async (turns) => {
    const before = scriptedTools(world(0));
    const task = { input_data: INPUT, configuration: CONFIGURATION };
    const run = deployment.run({ description: "Deploy the shop", ...task }, before);
    for (let turn = 0; turn < turns + 1; turn += 1) await run.next();

    const after = scriptedTools(world(0), before.journal);
    const { outcome, urls } = await deploy(after);

    expect(before.sent.filter(({ url }) => url === HOOK)).toHaveLength(1);
    expect(urls).not.toContain(HOOK);
    expect(expectResult(outcome).output["outcome"]).toBe("deployed");
  });

  it("knows what the hook's answer brought", async () => {
    const before = scriptedTools(world(null));
    const run = deployment.run(
      { description: "Deploy the shop", input_data: INPUT, configuration: CONFIGURATION },
      before,
    );
    for (let turn = 0; turn < 3; turn += 1) await run.next();

    const { urls, tools } = await deploy(scriptedTools(world(null), before.journal));

    expect(urls).toContain(UNDO);
    expect(tools.sent.find(({ url }) => url === UNDO)?.body).toBe('{"run":991}');
  });

  it("says where it was stopped, and leaves the target as it is", async () => {
    const tools: ScriptedTools = scriptedTools(({ url, is_trial }) => {
      if (url === SITE && is_trial !== true) tools.abort();
      return { status: 202, json: { run: 1 } };
    });

    const { outcome, urls } = await deploy(tools);

    const failure = expectFailure(outcome);
    expect(failure).toMatchObject({ error_type: "run_stopped", retry_recommended: true });
    expect(failure.root_cause.evidence).toContain('hook "deploy" of deploy, which was accepted');
    expect(urls).toEqual([HOOK, SITE]);
    expect([...tools.journal.keys()]).toEqual(["deploy-begun", "deploy"]);
  });

  it("does not take a refusal for the answer to a call that it no longer knows of", async () => {
    const refusing = world(null, { [HOOK]: { status: 409 } });
    const configuration = { ...CONFIGURATION, rollback: { url: UNDO } };

    const journal = new Map<string, JsonValue>([["deploy-begun", true]]);
    const { outcome, urls } = await deploy(scriptedTools(refusing, journal), configuration);

    expect(urls).toEqual([HOOK, UNDO, SITE]);
    expect(expectFailure(outcome).error_type).toBe("deployment_rolled_back");
  });

  it("says of a stop between two calls of a hook that it may have been called", async () => {
    const tools = scriptedTools(({ is_trial }) => {
      if (is_trial !== true) tools.abort();
      return { status: 503 };
    });

    const { outcome } = await deploy(tools);

    expect(expectFailure(outcome).root_cause.evidence).toContain("may have been called");
  });
});
