import { describe, expect, it } from "vitest";

import { monitoring } from "../../src/executor/skills/monitoring.ts";
import type { JsonObject } from "../../src/executor/skills/skill.ts";
import recorded from "../samples/http/health-20-answers.json" with { type: "json" };
import { expectFailure, expectResult } from "./skill-run.ts";
import { always, runWaiting, scriptedTools, serverOf } from "./skill-tools.ts";
import type { Reply, Server } from "./skill-tools.ts";

const REFUSED: Reply = {
  fault: "address_refused",
  detail: "must name a host, not an IP address",
};
const OK: Reply = {};

const URL_A = "https://a.example/health";
const URL_B = "https://b.example/health";

async function watch(server: Server, input_data: JsonObject, configuration: JsonObject = {}) {
  const tools = scriptedTools(server);
  const { outcome, progress } = await runWaiting(monitoring, { input_data, configuration }, tools);
  return { outcome, progress, tools };
}

async function reportOn(server: Server, input_data: JsonObject, configuration: JsonObject = {}) {
  const { outcome, tools } = await watch(server, input_data, configuration);
  const result = expectResult(outcome);
  const [target] = result.output["targets"] as unknown as JsonObject[];
  const kinds = (result.output["findings"] as unknown as { kind: string; target: string }[]).map(
    ({ kind, target: name }) => `${kind} ${name}`,
  );
  return { result, output: result.output, target, kinds, tools };
}

describe("probing", () => {
  it("measures recorded answers of a server as by hand", async () => {
    const expectation = {
      status: 200,
      json: [{ path: "$.status", value: "ok" }],
      max_latency_ms: 100,
    };

    const { output, target } = await reportOn(
      serverOf({ [URL_A]: recorded }),
      { targets: [{ url: URL_A, name: "health", expect: expectation }] },
      {
        samples: 20,
        interval_ms: 0,
        thresholds: { availability: 0.95, p95_ms: 47, error_rate: 0 },
      },
    );

    // By hand from the sorted times 3 5 5 6 8 8 8 9 9 10 12 12 13 13 14 15 16 16 42 145: of the
    // places 0 to 19 the median is at 9.5 (11), p95 at 18.05 (42 + 0.05 × 103), p99 at 18.81; the sum is 369.
    expect(target).toMatchObject({
      state: "degraded",
      probes: { planned: 20, made: 20, as_expected: 19 },
      availability: 0.95,
      error_rate: 0,
      latency_ms: {
        count: 20,
        min: 3,
        mean: 18.45,
        p50: 11,
        p95: 47.15,
        p99: 125.43,
        max: 145,
        stdev: 30.8553,
      },
      thresholds: [
        { threshold: "availability", limit: 0.95, measured: 0.95, is_met: true },
        { threshold: "p95_ms", limit: 47, measured: 47.15, is_met: false },
        { threshold: "error_rate", limit: 0, measured: 0, is_met: true },
      ],
      causes: { expectation: 1 },
      unmet: [{ path: "latency_ms", expected: "at most 100", received: "145" }],
    });
    expect(output["state"]).toBe("degraded");
  });

  it("needs no more than an address", async () => {
    const { result, target, tools } = await reportOn(always({ status: 204 }), { url: URL_A });

    expect(target).toMatchObject({ name: "a.example", state: "ok", availability: 1 });
    expect(tools.sent).toHaveLength(5);
    expect(tools.pauses).toEqual([1_000, 1_000, 1_000, 1_000]);
    expect(result.quality.overall_score).toBeGreaterThanOrEqual(0.8);
  });

  it("reports a server that is down as a result", async () => {
    const { result, target, kinds } = await reportOn(
      always({ fault: "network", detail: "connect ECONNREFUSED" }),
      { url: URL_A },
      { samples: 2 },
    );

    expect(target).toMatchObject({
      state: "down",
      availability: 0,
      error_rate: 1,
      latency_ms: null,
    });
    expect(target?.["causes"]).toEqual({ connection: 2 });
    expect(kinds).toEqual(["down a.example"]);
    expect(result.output["state"]).toBe("down");
    expect(result.quality.overall_score).toBeGreaterThanOrEqual(0.8);
  });

  it.each<[Reply, string]>([
    [{ fault: "timeout" }, "timeout"],
    [{ fault: "network", detail: "TLS peer's certificate is not trusted" }, "certificate"],
    [{ fault: "network", detail: "getaddrinfo ENOTFOUND a.example" }, "dns"],
    [{ fault: "network", detail: "Network connection lost." }, "connection"],
    [{ fault: "network", detail: "internal error; reference = abc" }, "network"],
    [{ status: 526 }, "certificate"],
    [{ status: 522 }, "timeout"],
    [{ status: 500 }, "expectation"],
  ])("tells the cause of %j", async (reply, cause) => {
    const { target } = await reportOn(always(reply), { url: URL_A }, { samples: 1 });

    expect(target?.["causes"]).toEqual({ [cause]: 1 });
  });

  it("gives up a target that only times out", async () => {
    const { target, tools } = await reportOn(
      always({ fault: "timeout", duration_ms: 10_000 }),
      { url: URL_A },
      { samples: 20, interval_ms: 0 },
    );

    expect(tools.sent).toHaveLength(3);
    expect(target).toMatchObject({ state: "down", probes: { planned: 20, made: 3 } });
  });

  it("ranks what it found and says how each target does", async () => {
    const { output, kinds } = await reportOn(
      serverOf({
        "https://c.example/": { status: 301, headers: { location: "https://d.example/?key=1" } },
        [URL_A]: [{ status: 200 }, { status: 503 }],
        [URL_B]: { fault: "timeout" },
      }),
      { targets: [{ url: "https://c.example/" }, { url: URL_A }, { url: URL_B }] },
      { samples: 2, interval_ms: 0 },
    );

    expect(kinds).toEqual(["down b.example", "degraded a.example", "redirect c.example"]);
    expect(output).toMatchObject({
      state: "down",
      counts: { ok: 1, degraded: 1, down: 1, not_probed: 0 },
    });
  });

  it("probes no more targets at a time than it may", async () => {
    const targets = Array.from({ length: 5 }, (_, at) => ({ url: `https://t${at}.example/` }));

    const { progress } = await watch(always({}), { targets }, { concurrency: 2, samples: 1 });

    expect(progress.map(({ current_step }) => current_step)).toEqual([
      "Probing t0.example, t1.example",
      "Probing t2.example, t3.example",
      "Probing t4.example",
      "Weighing what was measured",
    ]);
  });

  it("goes on after a crash with the targets that are left", async () => {
    const targets = [{ url: URL_A }, { url: URL_B }];
    const task = { input_data: { targets }, configuration: { concurrency: 1, samples: 1 } };
    const before = scriptedTools(always({}));
    const run = monitoring.run({ description: "Watch it", ...task }, before);
    await run.next();
    await run.next();

    const after = scriptedTools(always({}), before.journal);
    const { outcome } = await runWaiting(monitoring, task, after);

    expect(before.sent.map(({ url }) => url)).toEqual([URL_A]);
    expect(after.sent.map(({ url }) => url)).toEqual([URL_B]);
    expect(expectResult(outcome).output["counts"]).toMatchObject({ ok: 2 });
  });

  it("keeps nothing of a round that was stopped", async () => {
    const tools = scriptedTools(() => {
      tools.abort();
      return {};
    });

    const { outcome } = await runWaiting(monitoring, { input_data: { url: URL_A } }, tools);

    expect(expectFailure(outcome)).toMatchObject({
      error_type: "run_stopped",
      retry_recommended: true,
    });
    expect(tools.journal.size).toBe(0);
  });

  it("speaks the reader's language", async () => {
    const tools = scriptedTools(always({ status: 500 }));

    const { outcome, progress } = await runWaiting(
      monitoring,
      { description: "Vigila la tienda y avisa de los fallos", input_data: { url: URL_A } },
      tools,
    );

    expect(progress[0]?.current_step).toBe("Sondeando a.example");
    expect(expectResult(outcome).summary).toContain("está caído");
  });

  it("tells no credential that a probe carried", async () => {
    const { result, tools } = await reportOn(
      ({ headers }) => ({ status: 401, text: `who is ${headers?.["authorization"]}?` }),
      {
        targets: [
          {
            url: `${URL_A}?token=topsecret1`,
            headers: { authorization: "Basic dXNlcjpwYXNz" },
            expect: { contains: "welcome" },
          },
        ],
      },
    );

    expect(tools.sent[0]?.headers).toEqual({ authorization: "Basic dXNlcjpwYXNz" });
    expect(JSON.stringify(result)).not.toMatch(/dXNlcjpwYXNz|topsecret1/);
  });
});

describe("an address that may not be probed", () => {
  const inner: Server = ({ url }) => (/127\.|169\.254|\[::1\]|2130706433/.test(url) ? REFUSED : OK);

  it("is a finding beside the targets that may", async () => {
    const targets = [{ url: "https://169.254.169.254/latest", name: "metadata" }, { url: URL_A }];

    const { output, kinds, tools } = await reportOn(inner, { targets }, { samples: 3 });

    expect(kinds).toEqual(["not_probed metadata"]);
    expect(JSON.stringify(output["findings"])).toContain("must name a host, not an IP address");
    expect(output).toMatchObject({ state: "ok", counts: { ok: 1, not_probed: 1 } });
    expect(tools.sent.every(({ url }) => url === URL_A)).toBe(true);
  });

  it.each([
    "https://127.0.0.1/",
    "https://[::1]/",
    "https://2130706433/",
    "http://169.254.169.254/",
  ])("is a failure when there is no other: %s", async (url) => {
    const { outcome, tools } = await watch(inner, { url });

    const failure = expectFailure(outcome);
    expect(failure).toMatchObject({
      error_type: "targets_refused",
      root_cause: { class: "address_refused" },
      retry_recommended: false,
    });
    expect(failure.root_cause.evidence).toContain("must name a host, not an IP address");
    expect(tools.sent).toEqual([]);
  });
});
