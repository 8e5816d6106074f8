import type { CompletionStatus, EndReason } from "../../../src/protocol/enums.ts";
import type { JsonObject } from "../../../src/protocol/primitives.ts";
import { beat, escalated, notificationOf, notify, progress, started } from "../../task-life.ts";
import type { CrashWorld } from "./crash-world.ts";
import type { Trouble } from "./neighbours.ts";

/** A task, and a way on which it comes to its end. */
export interface Scenario {
  name: string;
  reason: EndReason;
  completion: CompletionStatus;
  changes?: JsonObject;
  /** The executor's last word may get lost after the verdict: then the end waits for it in vain. */
  mayLoseLastWord?: true;
  /** What the slot's release meets; "none" when absent. */
  trouble?: Trouble;
  /** Adds something to the code under test for one run, such as an end stage that tells `world.ran`. Gives what removes it. */
  install?: (world: CrashWorld) => () => void;
  /** What happens before anybody looks. */
  setUp: (world: CrashWorld) => Promise<void>;
  /** What leads to the end. */
  way: (world: CrashWorld) => Promise<void>;
}

type Act = (world: CrashWorld) => Promise<void>;

/** Nobody does anything. */
export const NOTHING: Act = async () => {};
/** The first loss is the last. */
export const NO_RETRY = { execution_options: { retry_policy: { max_retries: 0 } } };
/** No silence of the executor ends it. */
export const PATIENT = { heartbeat_timeout: 900, stall_timeout: 900 };

/** The executor has begun. */
export const executing: Act = async (world) => {
  await world.claim();
  await world.say(() => started());
};

/** With something to show for it, and with something that waits for its turn. */
export const halfway: Act = async (world) => {
  await executing(world);
  await world.say(() => progress(40, { intermediate_results: { rows: 4 } }));
  const early = notificationOf("task_progress", { progress_percentage: 60 }, { sequence: 7 });
  await world.say(() => notify(early));
};

/** The executor has asked something. */
export const asking: Act = async (world) => {
  await executing(world);
  await world.say(() => escalated({ deadline: "2026-11-22T10:01:00Z" }));
};

/** The executor is there, and does not do what it is told. */
export const beatsOn: Act = async (world) => {
  for (let beats = 0; beats < 3; beats += 1) {
    await world.say(() => beat());
    await world.pass(12_000);
  }
};
