import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { matches } from "../../src/delivery/registry/match.ts";
import type { JsonObject } from "../../src/protocol/primitives.ts";
import {
  MATCH_OPERATORS,
  webhookMatchSchema,
  type MatchOperator,
  type WebhookMatch,
} from "../../src/protocol/webhook-match.ts";

const NOTIFICATION: JsonObject = JSON.parse(`{
  "notification_type": "task_failed",
  "data": {
    "progress_percentage": 40,
    "done": false,
    "note": null,
    "root_cause": { "class": "timeout" },
    "challenges": ["heat", { "severity": "error" }],
    "__proto__": { "hidden": 1 }
  }
}`);

describe("a match", () => {
  it.each<[match: unknown, expected: boolean]>([
    [{ "data.progress_percentage": 40 }, true],
    [{ "data.progress_percentage": "40" }, false],
    [{ "data.note": null }, true],
    [{ "data.done": { $eq: false } }, true],
    [{ "data.progress_percentage": { $ne: 40 } }, false],
    [{ "data.progress_percentage": { $ne: "40" } }, true],
    [{ "data.progress_percentage": { $gt: 39, $lt: 41 } }, true],
    [{ "data.progress_percentage": { $gt: 40 } }, false],
    [{ "data.progress_percentage": { $gte: 40, $lte: 40 } }, true],
    [{ "data.progress_percentage": { $lt: 40 } }, false],
    [{ "data.progress_percentage": { $gt: "3" } }, false],
    [{ "data.root_cause.class": { $gt: "time", $lt: "u" } }, true],
    [{ "data.root_cause.class": { $gte: 1 } }, false],
    [{ "data.done": { $lte: 1 } }, false],
    [{ "data.root_cause.class": { $in: ["bug", "timeout"] } }, true],
    [{ "data.root_cause.class": { $in: ["bug"] } }, false],
    [{ "data.root_cause.class": { $nin: ["bug"] } }, true],
    [{ "data.root_cause.class": { $nin: ["timeout"] } }, false],
    [{ "data.root_cause.class": { $prefix: "time" } }, true],
    [{ "data.root_cause.class": { $prefix: "out" } }, false],
    [{ "data.progress_percentage": { $prefix: "4" } }, false],
    [{ "data.note": { $exists: true } }, true],
    [{ "data.note": { $exists: false } }, false],
    [{ "data.root_cause": { $eq: "timeout" } }, false],
    [{ "data.challenges.0": "heat" }, true],
    [{ "data.challenges.1.severity": "error" }, true],
    [{ "data.challenges": "heat" }, false],
    [{ $and: [{ "data.done": false }, { "data.progress_percentage": 40 }] }, true],
    [{ $and: [{ "data.done": false }, { "data.progress_percentage": 41 }] }, false],
    [{ $or: [{ "data.done": true }, { "data.progress_percentage": 40 }] }, true],
    [{ $or: [{ "data.done": true }, { "data.progress_percentage": 41 }] }, false],
    [{ $not: { "data.done": true } }, true],
    [{ $not: { "data.done": false } }, false],
    [{ $or: [{ "data.done": false }], notification_type: "task_started" }, false],
  ])("%j is %s", (match, expected) => {
    expect(matches(webhookMatchSchema.parse(match), NOTIFICATION)).toBe(expected);
  });

  it.each<[comparison: WebhookMatch[string], expected: boolean]>([
    [{ $exists: false }, true],
    [{ $ne: 1 }, true],
    [{ $nin: [1, null] }, true],
    [{ $exists: true }, false],
    [{ $eq: null }, false],
    [{ $in: [null] }, false],
    [{ $lt: 1 }, false],
    [{ $lte: "" }, false],
    [{ $gt: 1 }, false],
    [{ $gte: "" }, false],
    [{ $prefix: "a" }, false],
  ])("of a path that leads nowhere, %j is %s", (comparison, expected) => {
    const paths = ["nothing", "data.progress_percentage.x", "data.note.x", "data.challenges.9"];

    expect(paths.map((path) => matches({ [path]: comparison }, NOTIFICATION))).toEqual(
      paths.map(() => expected),
    );
  });

  it.each([
    "constructor",
    "data.constructor.name",
    "data.toString",
    "__proto__.constructor",
    "data.challenges.length",
    "data.challenges.map",
    "data.root_cause.class.length",
    "data.root_cause.class.0",
  ])("does not see %s, which the notification does not say", (path) => {
    expect(matches({ [path]: { $exists: true } }, NOTIFICATION)).toBe(false);
  });

  it("sees what a notification really holds under the name of a prototype", () => {
    expect(matches({ "data.__proto__.hidden": 1 }, NOTIFICATION)).toBe(true);
  });

  const anyPath = fc.oneof(
    fc.string(),
    fc
      .array(fc.constantFrom("data", "a", "0", "", "__proto__", "length", "constructor"), {
        maxLength: 4,
      })
      .map((parts) => parts.join(".")),
  );
  const scalar = fc.oneof(
    fc.string(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
  );
  const ordered = fc.oneof(fc.integer(), fc.string());
  const scalars = fc.array(scalar, { minLength: 1, maxLength: 3 });
  const operands: Record<MatchOperator, fc.Arbitrary<unknown>> = {
    $eq: scalar,
    $ne: scalar,
    $gt: ordered,
    $gte: ordered,
    $lt: ordered,
    $lte: ordered,
    $in: scalars,
    $nin: scalars,
    $exists: fc.boolean(),
    $prefix: fc.string({ minLength: 1 }),
  };
  const anyComparison = fc.oneof(
    scalar,
    fc.constantFrom(...MATCH_OPERATORS).chain((name) => fc.record({ [name]: operands[name] })),
    // Most of these are refused, as they should be.
    fc.dictionary(fc.constantFrom(...MATCH_OPERATORS), fc.jsonValue({ maxDepth: 1 })),
  );
  const { anyMatch } = fc.letrec<{ anyMatch: Record<string, unknown> }>((tie) => ({
    anyMatch: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.dictionary(anyPath, anyComparison, { minKeys: 1, maxKeys: 2 }),
      fc.array(tie("anyMatch"), { minLength: 1, maxLength: 2 }).map(($and) => ({ $and })),
      fc.array(tie("anyMatch"), { minLength: 1, maxLength: 2 }).map(($or) => ({ $or })),
      tie("anyMatch").map(($not) => ({ $not })),
    ),
  }));
  const anyNotification = fc.oneof(
    fc.dictionary(fc.string(), fc.jsonValue()),
    fc.dictionary(fc.constantFrom("data", "a", "0"), fc.jsonValue()),
  );

  it("answers yes or no to any JSON, once it was taken at registration", () => {
    let taken = 0;
    fc.assert(
      fc.property(anyMatch, anyNotification, (match, notification) => {
        const parsed = webhookMatchSchema.safeParse(match);
        if (!parsed.success) return;
        taken += 1;
        expect(typeof matches(parsed.data, notification)).toBe("boolean");
      }),
      { numRuns: 1_000 },
    );
    // Enough of what is made up here has to be good, or this shows nothing.
    expect(taken).toBeGreaterThan(200);
  });

  const joined = (match: unknown, notification: JsonObject): boolean =>
    matches(webhookMatchSchema.parse(match), notification);

  it("turns over with $not, and is as good as its parts with $and and $or", () => {
    fc.assert(
      fc.property(anyMatch, anyMatch, anyNotification, (one, other, notification) => {
        const [a, b] = [webhookMatchSchema.safeParse(one), webhookMatchSchema.safeParse(other)];
        if (!a.success || !b.success) return;
        const [isA, isB] = [matches(a.data, notification), matches(b.data, notification)];
        expect(matches({ $not: a.data }, notification)).toBe(!isA);
        expect(joined({ $and: [one, other] }, notification)).toBe(isA && isB);
        expect(joined({ $or: [one, other] }, notification)).toBe(isA || isB);
      }),
    );
  });
});
