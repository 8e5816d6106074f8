import { describe, expect, it } from "vitest";

import type { Finding } from "../../kit/check.ts";
import {
  acknowledgedIn,
  answerWith,
  codeOf,
  commandsIn,
  offered,
  overloaded,
  reading,
  told,
} from "../../kit/exchange.ts";
import type { Exchange } from "../../kit/exchange.ts";
import { Misuse, optionsIn } from "../../kit/options.ts";
import { adopted, LABEL, registrationIn, restored } from "../../kit/registration.ts";
import { exitCodeOf, findingLines, reportOf, summaryLine } from "../../kit/report.ts";

const push = { type: "task_execution", data: { task: { task_id: "t" }, lease: { token: "k" } } };
const started = { notification_type: "task_started", notification_id: "n", task_id: "t" };

describe("a request that the kit passes on", () => {
  it.each([
    ["PUT", "/v1/agents/ann", {}, { kind: "register", task_id: null }],
    ["POST", "/v1/agents/ann/claim", {}, { kind: "claim", task_id: null }],
    ["POST", "/v1/agents/ann/drain", {}, { kind: "other" }],
    ["POST", "/push/ann", push, { kind: "offer", task_id: "t" }],
    ["POST", "/v1/notifications?claim_next=1", started, { kind: "started", message_id: "n" }],
    ["POST", "/v1/notifications", { notification_type: "new" }, { kind: "other" }],
    ["POST", "/v1/tasks/t/heartbeat", {}, { kind: "heartbeat", task_id: "t" }],
    ["POST", "/v1/tasks/t/end", {}, { kind: "end", task_id: "t" }],
    ["POST", "/v1/tasks/t/commands", {}, { kind: "other", task_id: null }],
    ["POST", "/v1/tasks", {}, { kind: "submit" }],
    ["POST", "/v1/batches", {}, { kind: "submit" }],
    ["DELETE", "/v1/agents/ann", null, { kind: "other" }],
    ["POST", "/v1/notifications", null, { kind: "other", task_id: null }],
  ])("%s %s is read as what it is", (method, url, body, expected) => {
    expect(reading(method, url, body)).toMatchObject(expected);
  });

  it("and its answer says which tasks, commands and refusals it brings", () => {
    const answer = answerWith(200, {
      tasks: [{ task: { task_id: "t" }, lease: { token: "k" } }],
      commands: [{ command_id: "c", command: "cancel" }],
    });

    expect(offered(answer)).toEqual(["t"]);
    expect(commandsIn(answer, "cancel")).toEqual(["c"]);
    expect(commandsIn(answer, "pause")).toEqual([]);
    expect(codeOf(answer)).toBeNull();
    expect(codeOf(overloaded(429, 2))).toBe("rate_limited");
    expect(overloaded(503, 2).headers["retry-after"]).toBe("2");
  });

  it("is shown without a secret in it: the ends of ids and tokens are enough", () => {
    const exchange: Exchange = {
      at: 1_000,
      ...reading("POST", "/v1/notifications", { ...started, notification_id: "0123456789abcdef" }),
      method: "POST",
      path: "/v1/notifications",
      headers: { authorization: "Bearer bk_secret" },
      body: { acknowledged: ["c"] },
      token: "lease_0123456789",
      passed: [answerWith(202, {})],
      answer: null,
      answeredAt: 1_000,
      isCut: true,
    };

    expect(told([exchange])).toEqual([
      "+0.00 s POST /v1/notifications started id=…89abcdef lease=…6789 → passed on: 202; connection cut",
    ]);
    expect(acknowledgedIn(exchange)).toEqual(["c"]);
    expect(told(Array.from({ length: 30 }, () => exchange))).toHaveLength(15);
    expect(told([])).toEqual(["no request came"]);
  });
});

describe("the registration of an executor under test", () => {
  const registration = { capabilities: ["x"], labels: { region: "eu" }, url: "http://ann/" };
  const kit = { run: "r", pushUrl: "http://kit/push/ann" };

  it("leads pushes to the kit, has its label, and the executor sees neither", () => {
    const { registration: changed, url } = adopted(registration, kit);

    expect(changed).toEqual({
      capabilities: ["x"],
      labels: { region: "eu", [LABEL]: "r" },
      url: kit.pushUrl,
    });
    expect(url).toBe("http://ann/");
    expect(restored(changed, url)).toEqual(registration);
  });

  it("is left alone where it is none", () => {
    expect(adopted([1], kit)).toEqual({ registration: [1], url: null });
  });

  it("can be made again from what is known of the executor", () => {
    const view = {
      agent_id: "ann",
      capabilities: ["x"],
      task_types: ["general"],
      labels: {},
      slots: 1,
      pools: ["p"],
      url: null,
      weight: 1,
      version: null,
      state: "online",
    };

    expect(Object.keys(registrationIn(view)).toSorted()).toEqual(
      ["capabilities", "labels", "pools", "slots", "task_types", "weight"].toSorted(),
    );
  });
});

describe("the command line of the kit", () => {
  it("has defaults for all but what is to be tried", () => {
    expect(optionsIn(["--start", "x"])).toMatchObject({
      url: null,
      patienceMs: 15_000,
      heartbeat_timeout: 3,
      json: false,
      executor: { start: "x", isAwaited: false, port: 0 },
    });
  });

  it("takes lists, numbers and a task", () => {
    const args = ["--executor", "--only", "a,b", "--patience", "2", "--task", '{"pool":"p"}'];

    expect(optionsIn(args)).toMatchObject({
      only: ["a", "b"],
      patienceMs: 2_000,
      executor: { isAwaited: true, task: { pool: "p" } },
    });
  });

  it.each([
    ["nothing to try", [], /--start or --executor/],
    ["a Batuta without a key", ["--start", "x", "--url", "http://b"], /--url needs --key/],
    ["an address that is none", ["--start", "x", "--url", "b"], /must be an http/],
    [
      "a number that is none",
      ["--start", "x", "--patience", "soon"],
      /--patience must be a number/,
    ],
    ["a number beyond its limits", ["--start", "x", "--lease", "0"], /from 1 to 60, not "0"/],
    ["a task that is no JSON", ["--start", "x", "--task", "{"], /--task must be JSON/],
    ["a task that is no object", ["--start", "x", "--task", "[]"], /JSON object/],
    ["a receiver without its secret", ["--receiver", "http://r"], /--receiver-secret/],
    ["a secret that is none", ["--receiver", "http://r", "--receiver-secret", "x"], /whsec_/],
    ["effects of no task", ["--start-receiver", "x", "--effects", "http://r"], /\{task_id\}/],
    ["an option that there is not", ["--start", "x", "--fast"], /--fast/],
  ])("refuses %s, and says what would be right", (_what, args, message) => {
    expect(() => optionsIn(args)).toThrow(Misuse);
    expect(() => optionsIn(args)).toThrow(message);
  });
});

describe("the report of the kit", () => {
  const finding: Finding = {
    role: "executor",
    id: "cancel",
    title: "Stops",
    section: "§7",
    rule: "It stops.",
    advice: "Stop.",
    outcome: "failed",
    why: ["it went on"],
    seen: ["a request"],
    duration_ms: 1_234,
  };
  const passed: Finding = { ...finding, outcome: "passed", why: [] };
  const spared: Finding = { ...finding, outcome: "not_applicable", why: ["it cannot"] };

  it("has of a failure what was wrong, the rule, what to do, and what was seen", () => {
    expect(findingLines(finding)).toEqual([
      "✗ executor/cancel: Stops (1.2 s)",
      "    wrong: it went on",
      "    rule:  It stops. (§7)",
      "    do:    Stop.",
      "    seen:",
      "      a request",
    ]);
    expect(findingLines(passed)).toHaveLength(1);
    expect(findingLines(spared)[1]).toBe("    not applicable: it cannot");
  });

  it.each([
    ["0 when something passed and nothing failed", [passed, spared], 0],
    ["1 when something failed", [passed, finding], 1],
    ["1 when nothing could be said", [spared], 1],
  ])("ends with %s", (_what, findings, expected) => {
    const report = reportOf("http://b", findings, 61_000);

    expect(exitCodeOf(report)).toBe(expected);
    expect(summaryLine(report)).toMatch(/in 61 s$/);
  });
});
