import { brief } from "./executor/assisted/brief.ts";
import type { MemoryDoor } from "./executor/memory/memory-port.ts";
import type { ModelDoor } from "./executor/models/model-port.ts";
import type { ExecutorPorts } from "./executor/ports.ts";
import { assess } from "./executor/quality/assess.ts";
import type { RouterDoor } from "./executor/router/router-port.ts";
import { resultFaults } from "./task/machine/gates.ts";

/* What the built-in executor works with where nothing is configured: no model, no choice, nothing remembered. */

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

function absent(what: string): never {
  throw new Error(`${what} was asked of an executor that has no model`);
}

const NO_MODELS: ModelDoor = {
  catalogue: async () => [],
  generate: async () => absent("an answer"),
};

const NO_ROUTER: RouterDoor = {
  choose: async () => absent("a choice"),
  learn: async () => undefined,
};

const NO_MEMORY: MemoryDoor = {
  recall: async () => [],
  settle: async () => undefined,
  cached: async () => null,
  cache: async () => undefined,
};

/** The parts of the built-in executor that depend on nothing but the task, and its models where there are none. */
export const BUILTIN_PARTS: Pick<
  ExecutorPorts,
  "sleep" | "models" | "router" | "memory" | "judge" | "assess" | "assist"
> = {
  sleep,
  models: NO_MODELS,
  router: NO_ROUTER,
  memory: NO_MEMORY,
  judge: resultFaults,
  assess,
  assist: brief,
};
