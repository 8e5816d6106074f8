import type { EndStage } from "../../../src/task/finish/stage.ts";
import { endStages } from "../../../src/task/finish/stages.ts";
import { end } from "../../task-life.ts";
import type { CrashWorld } from "./crash-world.ts";
import { executing, halfway } from "./scenario.ts";
import type { Scenario } from "./scenario.ts";

/** Ends whose slot is not released. */
export const IN_TROUBLE: readonly Scenario[] = [
  {
    name: "its slot can't be released",
    reason: "success",
    completion: "success",
    trouble: "fails",
    setUp: executing,
    way: (world) => world.say(() => end("success")),
  },
  {
    name: "the release of its slot hangs",
    reason: "failure",
    completion: "failure",
    trouble: "hangs",
    setUp: executing,
    way: (world) => world.say(() => end("failure")),
  },
];

/** What two registered stages do: both reach outside, and one fails at first. */
function registerProbes(world: CrashWorld): () => void {
  let tries = 0;
  const probe = (name: string, phase: EndStage["phase"], run: () => void) =>
    endStages.register({
      name,
      phase,
      check: `${name} was there`,
      run: async ({ state, ports }) => {
        world.ran({ name, check: `${name} was there` });
        run();
        await ports.poke(state.origin.tenant, name);
        return "done";
      },
    });
  const undo = [
    probe("steady", "cleanup", () => {}),
    probe("shaky", "cleanup", () => {
      tries += 1;
      if (tries === 1) throw new Error("not yet");
    }),
    probe("late", "notification", () => {}),
  ];
  return () => undo.forEach((remove) => remove());
}

/** Ends that do more, or have less time. */
export const WITH_STAGES: readonly Scenario[] = [
  {
    name: "further stages have something to do",
    reason: "success",
    completion: "success",
    changes: { stakeholders: ["wh_0123456789ABCDEFabcdef"] },
    install: registerProbes,
    setUp: executing,
    way: (world) => world.say(() => end("success")),
  },
  {
    name: "the release hangs, and its limit is short",
    reason: "timeout",
    completion: "partial",
    changes: {
      execution_options: { end_phase_limits: { cleanup: 6, reporting: 2, notification: 3 } },
    },
    trouble: "hangs",
    setUp: halfway,
    way: (world) => world.say(() => end("timeout")),
  },
];
