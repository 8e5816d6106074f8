import { brief } from "./executor/assisted/brief.ts";
import { createHttpDoor } from "./executor/http-door.ts";
import type { ExecutorPorts } from "./executor/ports.ts";
import { assess } from "./executor/quality/assess.ts";
import type { Doors } from "./services-doors.ts";
import { now } from "./services-doors.ts";
import { addressFault } from "./services-executors.ts";
import { memoryDoorOf } from "./services-memory.ts";
import { modelDoorOf } from "./services-models.ts";
import { routerDoorOf } from "./services-routing.ts";
import { resultFaults } from "./task/machine/gates.ts";

/* What the built-in executor works with beside the doors that every executor has. */

/** A wait that ends early with the signal, and never rejects. */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const awake = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", awake);
      resolve();
    };
    const timer = setTimeout(awake, signal.aborted ? 0 : ms);
    signal.addEventListener("abort", awake);
  });
}

/** The tools of the built-in executor: models and the choice among them, memory, the network, and the gates. */
export function builtinPartsOf(
  env: Env,
  doors: Doors,
): Pick<
  ExecutorPorts,
  "sleep" | "http" | "models" | "router" | "memory" | "judge" | "assess" | "assist"
> {
  return {
    sleep,
    http: createHttpDoor({
      get: (url, init) => fetch(url, init),
      urlFault: addressFault(doors),
      now,
    }),
    models: modelDoorOf(env),
    router: routerDoorOf(env),
    memory: memoryDoorOf(env),
    judge: resultFaults,
    assess,
    assist: brief,
  };
}
