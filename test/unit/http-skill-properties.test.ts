import { isDeepStrictEqual } from "node:util";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { deployment } from "../../src/executor/skills/deployment.ts";
import { monitoring } from "../../src/executor/skills/monitoring.ts";
import type { JsonObject, Skill } from "../../src/executor/skills/skill.ts";
import { testing } from "../../src/executor/skills/testing.ts";
import { runWaiting, scriptedTools } from "./skill-tools.ts";
import type { Reply } from "./skill-tools.ts";

const json = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<JsonObject[string]>;
const url = fc.constantFrom("https://a.example/{{id}}", "https://b.example/", "not an address", "");
const texts = fc.oneof(fc.string({ unit: "grapheme", maxLength: 30 }), fc.constant("{{id}}"));

/** Fields that mostly have their form, so that what is behind the first look is reached. */
const some = <Value>(value: fc.Arbitrary<Value>) =>
  fc.oneof(
    { arbitrary: value as fc.Arbitrary<unknown>, weight: 9 },
    { arbitrary: json, weight: 1 },
  );
const expectation = fc.record(
  {
    status: some(fc.constantFrom(200, "2xx", [200, "4xx"])),
    contains: some(texts),
    json: some(
      fc.array(
        fc.record({
          path: fc.constantFrom("$", "$.a", "$[0]"),
          op: fc.constantFrom("eq", "ne", "contains"),
          value: json,
        }),
      ),
    ),
    schema: some(fc.constantFrom(true, { type: "object" }, { items: { type: "integer" } })),
  },
  { requiredKeys: [] },
);
const call = fc.record(
  {
    url: some(url),
    expect: some(expectation),
    headers: some(fc.dictionary(fc.constantFrom("x-a", "authorization", "host"), texts)),
    attempts: some(fc.integer({ min: 1, max: 3 })),
  },
  { requiredKeys: ["url"] },
);
const test = fc.record(
  {
    request: some(fc.record({ url })),
    expect: some(expectation),
    save: some(fc.constant({ id: "$.a" })),
  },
  { requiredKeys: ["request"] },
);
const reply = fc.oneof(
  fc.record({ status: fc.integer({ min: 200, max: 599 }), text: fc.oneof(texts, fc.json()) }),
  fc.record({ fault: fc.constantFrom("timeout", "network", "address_refused" as const) }),
) as fc.Arbitrary<Reply>;

const sparse = (fields: Record<string, fc.Arbitrary<unknown>>) =>
  fc.record(fields, { requiredKeys: [] }) as fc.Arbitrary<JsonObject>;

/** The promises that the engine relies on and that a run broke. */
async function faultsOf(
  skill: Skill,
  task: { input_data: JsonObject; configuration: JsonObject },
  replies: readonly Reply[],
): Promise<string[]> {
  const play = () =>
    runWaiting(
      skill,
      task,
      scriptedTools((_request, nth) => replies[nth % replies.length] ?? {}),
    );
  const { outcome, progress } = await play();
  const shares = progress.map(({ progress_percentage }) => progress_percentage);
  const told = JSON.stringify(outcome);
  const scores = outcome.ok ? Object.values(outcome.value.quality.criteria_scores) : [];
  const estimate = skill.estimate(task.input_data);
  const promises = {
    "progress never falls": shares.every(
      (share, at) => share >= (shares[at - 1] ?? 0) && share < 100,
    ),
    "steps are named": progress.every(({ current_step }) => current_step.length > 0),
    "estimates are whole seconds": Number.isInteger(estimate) && estimate >= 1,
    "outcomes are JSON": isDeepStrictEqual(JSON.parse(told), outcome),
    "scores are shares": scores.every((score) => score >= 0 && score <= 1),
    "lacks are sentences": skill.lack?.({ description: "x", ...task }) !== "",
    "runs repeat": JSON.stringify((await play()).outcome) === told,
  };
  return Object.entries(promises).flatMap(([promise, kept]) => (kept ? [] : [promise]));
}

const RUNS = { numRuns: 150 };
const replies = fc.array(reply, { minLength: 1, maxLength: 4 });

describe("skills that use HTTP keep their promises for any task and any server", () => {
  it("monitoring", async () => {
    const input = sparse({
      targets: some(fc.array(call, { maxLength: 5 })),
      url: some(url),
      measurements: some(fc.array(fc.double({ noNaN: true }))),
    });
    const configuration = sparse({
      samples: some(fc.integer({ min: 1, max: 4 })),
      thresholds: some(fc.constant({ p95_ms: 5 })),
      language: json,
    });
    await fc.assert(
      fc.asyncProperty(input, configuration, replies, async (input_data, given, answers) => {
        expect(await faultsOf(monitoring, { input_data, configuration: given }, answers)).toEqual(
          [],
        );
      }),
      RUNS,
    );
  });

  it("testing", async () => {
    const input = sparse({
      http: some(fc.array(test, { maxLength: 4 })),
      variables: some(fc.constant({ id: "1\r\n" })),
      json,
      assertions: some(fc.constant([{ path: "$", op: "type", value: "object" }])),
      schema: json,
      valid: some(fc.array(json)),
    });
    await fc.assert(
      fc.asyncProperty(
        input,
        sparse({ fail_task: some(fc.boolean()) }),
        replies,
        async (input_data, configuration, answers) => {
          expect(await faultsOf(testing, { input_data, configuration }, answers)).toEqual([]);
        },
      ),
      RUNS,
    );
  });

  it("deployment", async () => {
    const configuration = sparse({
      deploy: some(call),
      verify: some(fc.array(call, { maxLength: 3 })),
      rollback: some(call),
      canary: some(call),
      dry_run: some(fc.boolean()),
    });
    await fc.assert(
      fc.asyncProperty(
        sparse({ id: json }),
        configuration,
        replies,
        async (input_data, given, answers) => {
          expect(await faultsOf(deployment, { input_data, configuration: given }, answers)).toEqual(
            [],
          );
        },
      ),
      RUNS,
    );
  });
});
