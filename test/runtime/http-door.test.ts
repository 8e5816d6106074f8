import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { createHttpDoor } from "../../src/executor/http-door.ts";
import { deployment } from "../../src/executor/skills/deployment.ts";
import { monitoring } from "../../src/executor/skills/monitoring.ts";
import type { JsonObject, Skill, SkillTools } from "../../src/executor/skills/skill.ts";
import { testing } from "../../src/executor/skills/testing.ts";
import { doorsOf } from "../../src/services-doors.ts";
import { addressFault } from "../../src/services-executors.ts";
import { bodyText, newReceiver } from "./receiver.ts";

/** The door as production has it: real requests under the real policy for addresses. */
function door() {
  return createHttpDoor({
    get: (url, init) => fetch(url, init),
    urlFault: addressFault(doorsOf(env)),
    now: () => Date.now(),
  });
}

const open = (): AbortSignal => new AbortController().signal;

async function outcomeOf(skill: Skill, input_data: JsonObject, configuration: JsonObject = {}) {
  const send = door();
  const signal = open();
  const tools: SkillTools = {
    now: () => Date.now(),
    pause: async () => undefined,
    http: (request) => send(request, signal),
    step: (_name, work) => work(),
    idempotencyKey: (name) => `t-${name}`,
    signal,
  };
  const run = skill.run({ description: "Look after the shop", input_data, configuration }, tools);
  for (;;) {
    const step = await run.next();
    if (step.done === true) return step.value;
  }
}

describe("the way out for skills, on the wire", () => {
  it("sends method, headers and body, and brings back status, headers and text", async () => {
    const receiver = newReceiver();
    await receiver.script([{ status: 201, headers: { "x-b": "2" }, body: "größe" }]);

    const answer = await door()(
      {
        method: "PUT",
        url: `${receiver.url}/x`,
        headers: { "X-A": "1" },
        body: "é",
        timeout_ms: 5_000,
      },
      open(),
    );

    expect(answer).toMatchObject({
      ok: true,
      value: { status: 201, headers: { "x-b": "2" }, text: "größe", bytes: 7, is_cut: false },
    });
    const [request] = await receiver.log();
    expect(request).toMatchObject({
      method: "PUT",
      headers: { "x-a": "1", "user-agent": "Batuta" },
    });
    expect(request && bodyText(request)).toBe("é");
  });

  it("does not follow a redirect to an inner address", async () => {
    const [receiver, other] = [newReceiver(), newReceiver()];
    await receiver.script([{ status: 307, headers: { location: other.url } }]);

    const answer = await door()({ method: "GET", url: receiver.url, timeout_ms: 5_000 }, open());

    expect(answer).toMatchObject({ ok: true, value: { status: 307 } });
    expect(await other.log()).toEqual([]);
  });

  it("gives up a slow server, and stops with its run", async () => {
    const receiver = newReceiver();
    await receiver.script([{ delay_ms: 1_500 }]);
    const run = new AbortController();
    const request = { method: "GET", url: receiver.url, timeout_ms: 100 };

    const slow = await door()(request, open());
    const stopped = door()({ ...request, timeout_ms: 5_000 }, run.signal);
    run.abort();

    expect(slow).toMatchObject({ ok: false, refusal: { class: "timeout" } });
    expect(await stopped).toMatchObject({ ok: false, refusal: { class: "aborted" } });
  });

  it("cuts a long answer", async () => {
    const receiver = newReceiver();
    await receiver.script([{ body: "x".repeat(3_000_000) }]);

    const answer = await door()(
      { method: "GET", url: receiver.url, timeout_ms: 5_000, max_bytes: 1_000 },
      open(),
    );

    expect(answer).toMatchObject({ ok: true, value: { bytes: 1_000, is_cut: true } });
  });

  it.each([
    "http://receiver.test/r/x",
    "https://127.0.0.1/",
    "https://169.254.169.254/latest/meta-data",
    "https://[::1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://localhost/",
    "https://metadata.google.internal/",
    "https://user:pass@receiver.test/",
    "https://private.dns.test/",
    "https://169.254.169.254.nip.io/",
    "file:///etc/passwd",
    "not an address",
  ])("sends nothing to %s", async (url) => {
    const answer = await door()({ method: "GET", url, timeout_ms: 1_000 }, open());

    expect(answer).toMatchObject({ ok: false, refusal: { class: "address_refused" } });
  });
});

describe("the skills that use it, on the wire", () => {
  it("monitoring measures a server and names the inner address it did not probe", async () => {
    const receiver = newReceiver();
    await receiver.script([{ body: '{"status":"ok"}' }, { status: 503 }]);

    const outcome = await outcomeOf(
      monitoring,
      { targets: [{ url: receiver.url, name: "shop" }, { url: "https://10.0.0.1/" }] },
      { samples: 2, interval_ms: 0 },
    );

    expect(outcome).toMatchObject({
      ok: true,
      value: {
        output: {
          state: "degraded",
          counts: { degraded: 1, not_probed: 1 },
          targets: [{ name: "shop", availability: 0.5 }, { state: "not_probed" }],
        },
      },
    });
    expect(await receiver.log()).toHaveLength(2);
  });

  it("testing hands a saved value on", async () => {
    const receiver = newReceiver();
    await receiver.script([{ status: 201, body: '{"id":"a/b"}' }, { body: '{"ok":true}' }]);

    const outcome = await outcomeOf(testing, {
      http: [
        { request: { method: "POST", url: receiver.url, body: { n: 1 } }, save: { id: "$.id" } },
        {
          request: { url: `${receiver.url}/{{id}}` },
          expect: { json: [{ path: "$.ok", value: true }] },
        },
      ],
    });

    expect(outcome).toMatchObject({ ok: true, value: { output: { state: "passed", tests: 2 } } });
    expect((await receiver.log())[1]?.url).toBe(`${receiver.url}/a%2Fb`);
  });

  it("deployment calls its hook once and rolls back what does not verify", async () => {
    const [hook, site, undo] = [newReceiver(), newReceiver(), newReceiver()];
    await site.script([{ body: "v1" }]);

    const outcome = await outcomeOf(
      deployment,
      { version: "v2" },
      {
        deploy: { url: hook.url, body: { version: "{{version}}" } },
        verify: [{ url: site.url, expect: { contains: "{{version}}" }, attempts: 2 }],
        rollback: { url: undo.url },
      },
    );

    expect(outcome).toMatchObject({ ok: false, refusal: { error_type: "deployment_rolled_back" } });
    expect(await hook.log()).toMatchObject([{ headers: { "idempotency-key": "t-deploy" } }]);
    expect(await undo.log()).toHaveLength(1);
    expect(await site.log()).toHaveLength(3);
  });
});
