import type * as Lazy from "./executor.lazy.ts";
import type { ExecutorPorts } from "./executor/ports.ts";
import { now } from "./services-doors.ts";
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

/**
 * The tools of the built-in executor: models and the choice among them, memory, the network, and the gates.
 *
 * @param lazy what is read only when there is a task for it
 * @param out the platform's way to fetch a URL, and which it must not
 */
export function builtinPartsOf(
  env: Env,
  out: Pick<Parameters<typeof Lazy.createHttpDoor>[0], "get" | "urlFault">,
  lazy: Pick<typeof Lazy, "assess" | "brief" | "createHttpDoor">,
): Pick<
  ExecutorPorts,
  "sleep" | "http" | "models" | "router" | "memory" | "judge" | "assess" | "assist"
> {
  return {
    sleep,
    http: lazy.createHttpDoor({ ...out, now }),
    models: modelDoorOf(env),
    router: routerDoorOf(env),
    memory: memoryDoorOf(env),
    judge: resultFaults,
    assess: lazy.assess,
    assist: lazy.brief,
  };
}
