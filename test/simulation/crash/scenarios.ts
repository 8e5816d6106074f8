import { endReasonSchema } from "../../../src/protocol/enums.ts";
import { beat, completed, end, failed, order, resolve } from "../../task-life.ts";
import { IN_TROUBLE, WITH_STAGES } from "./pipeline-scenarios.ts";
import { NOTHING, NO_RETRY, PATIENT, asking, beatsOn, executing, halfway } from "./scenario.ts";
import type { Scenario } from "./scenario.ts";

const endings = endReasonSchema.options.map((reason): Scenario => {
  const partial = reason !== "success" && reason !== "cancelled";
  return {
    name: `the executor ends it as ${reason}`,
    reason,
    completion: partial ? "partial" : reason,
    setUp: halfway,
    way: (world) => world.say(() => end(reason)),
  };
});

const BY_EXECUTOR: Scenario[] = [
  ...endings,
  {
    name: "it is completed, and the executor falls silent",
    reason: "success",
    completion: "success",
    setUp: executing,
    way: (world) => world.say(() => completed()),
  },
  {
    name: "it is completed, and the executor ends it too",
    reason: "success",
    completion: "success",
    mayLoseLastWord: true,
    setUp: executing,
    way: async (world) => {
      await world.say(() => completed());
      await world.pass(3_000);
      await world.say(() => end("success"));
    },
  },
  {
    name: "the executor cleans up after its end",
    reason: "success",
    completion: "success",
    setUp: executing,
    way: async (world) => {
      await world.say(() => end("success", { cleanup_actions: ["remove the scratch folder"] }));
      for (let beats = 0; beats < 5; beats += 1) {
        await world.pass(2_000);
        await world.obey();
      }
    },
  },
  {
    name: "the executor never cleans up",
    reason: "failure",
    completion: "failure",
    setUp: executing,
    way: (world) =>
      world.say(() => end("failure", { cleanup_actions: ["remove the scratch folder"] })),
  },
  {
    name: "it fails for good",
    reason: "failure",
    completion: "failure",
    setUp: executing,
    way: (world) => world.say(() => failed({ retry_recommended: false })),
  },
  {
    name: "its executor is lost, and no retry is left",
    reason: "timeout",
    completion: "partial",
    changes: NO_RETRY,
    setUp: halfway,
    way: (world) => world.pass(61_000),
  },
];

const BY_CLOCK: Scenario[] = [
  {
    name: "its attempt runs too long",
    reason: "timeout",
    completion: "partial",
    changes: { timeout: 20, ...PATIENT },
    setUp: halfway,
    way: (world) => world.pass(21_000),
  },
  {
    name: "its whole life is over while it waits for an answer",
    reason: "timeout",
    completion: "failure",
    changes: { total_timeout: 30 },
    setUp: asking,
    way: (world) => world.pass(31_000),
  },
  {
    name: "nobody takes it",
    reason: "timeout",
    completion: "failure",
    changes: { queue_timeout: 20 },
    setUp: NOTHING,
    way: (world) => world.pass(21_000),
  },
  {
    name: "nobody answers its question",
    reason: "escalated",
    completion: "failure",
    setUp: asking,
    way: (world) => world.pass(61_000),
  },
  {
    name: "a heartbeat says that its budget is used up",
    reason: "resource_exhausted",
    completion: "partial",
    changes: { contract: { budget: { max_tokens: 1_000 } } },
    setUp: halfway,
    way: (world) => world.say(() => beat({ usage: { tokens: 1_200 } })),
  },
  {
    name: "its budget of time is used up",
    reason: "resource_exhausted",
    completion: "failure",
    changes: { contract: { budget: { max_duration_s: 15 } }, ...PATIENT },
    setUp: executing,
    way: (world) => world.pass(16_000),
  },
];

const ON_ORDER: Scenario[] = [
  {
    name: "it is cancelled while it waits for an executor",
    reason: "cancelled",
    completion: "cancelled",
    setUp: NOTHING,
    way: (world) => world.say(() => order("cancel")),
  },
  {
    name: "it is cancelled while it waits for a retry",
    reason: "cancelled",
    completion: "cancelled",
    setUp: async (world) => {
      await executing(world);
      await world.say(() => failed());
    },
    way: (world) => world.say(() => order("cancel")),
  },
  {
    name: "it is cancelled, and the executor confirms",
    reason: "cancelled",
    completion: "cancelled",
    setUp: halfway,
    way: async (world) => {
      await world.say(() => order("cancel"));
      await world.pass(2_000);
      await world.say(() => beat({ acknowledged: ["cmd-cancel"] }));
      await world.say(() => end("cancelled"));
    },
  },
  {
    name: "it is cancelled, and the executor does not obey",
    reason: "cancelled",
    completion: "cancelled",
    setUp: executing,
    way: async (world) => {
      await world.say(() => order("cancel"));
      await beatsOn(world);
    },
  },
  {
    name: "its question is answered with a cancellation",
    reason: "cancelled",
    completion: "cancelled",
    setUp: asking,
    way: (world) => world.say(() => resolve("cancel")),
  },
  {
    name: "its parent stops it before it was begun",
    reason: "timeout",
    completion: "failure",
    setUp: NOTHING,
    way: (world) => world.stop("timeout"),
  },
  {
    name: "its parent stops it while it is being done",
    reason: "resource_exhausted",
    completion: "partial",
    setUp: halfway,
    way: async (world) => {
      await world.stop("resource_exhausted");
      await beatsOn(world);
    },
  },
];

/** Every way to an end, for each reason. */
export const scenarios: readonly Scenario[] = [
  ...BY_EXECUTOR,
  ...BY_CLOCK,
  ...ON_ORDER,
  ...IN_TROUBLE,
  ...WITH_STAGES,
];
