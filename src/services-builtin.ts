import type { ModelDoor } from "./executor/models/model-port.ts";
import type { BriefParts, ExecutorPorts, ModelBrief } from "./executor/ports.ts";
import type { Assessment, QualityQuestion } from "./executor/quality/assessment.ts";
import type { RouterDoor } from "./executor/router/router-port.ts";
import { resultFaults } from "./task/machine/gates.ts";

/* What the built-in executor works with where nothing is configured: no model, and no choice. */

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

/** A skill's own figures, which are computed from the facts of its run. */
function measuredQuality({ measured }: QualityQuestion): Assessment {
  const parts = { syntactic: 1, semantic: 1, domain: 1 };
  return { ...(measured ?? absent("a judgement")), findings: [], parts };
}

function noBrief(_parts: BriefParts): ModelBrief {
  return absent("a brief");
}

/** The parts of the built-in executor that depend on nothing but the task, and its models where there are none. */
export const BUILTIN_PARTS: Pick<
  ExecutorPorts,
  "sleep" | "models" | "router" | "judge" | "assess" | "assist"
> = {
  sleep,
  models: NO_MODELS,
  router: NO_ROUTER,
  judge: resultFaults,
  assess: measuredQuality,
  assist: noBrief,
};
