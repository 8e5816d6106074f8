import { createModelDoor } from "./executor/models/door.ts";
import type { Ask } from "./executor/models/door.ts";
import type { ModelDoor } from "./executor/models/model-port.ts";
import { createKnownModels } from "./executor/models/registry/known-models.ts";
import { createFinder } from "./executor/models/registry/model-keys.ts";
import { createModelStore } from "./executor/models/registry/model-store.ts";
import { createModels } from "./executor/models/registry/models.ts";
import { forgetModel, forgetOutage } from "./executor/router/forget-store.ts";
import { consoleLog } from "./lib/log.ts";
import { randomId } from "./lib/ports.ts";
import type { ModelPort } from "./rest/model-port.ts";
import type { Doors } from "./services-doors.ts";
import { doorsOf, now } from "./services-doors.ts";
import { addressFault } from "./services-executors.ts";
import { outputFaults } from "./task/machine/output-schema.ts";

/* What models are asked through, and what their catalogue is kept by. */

/** The door to the models of all tenants, and the catalogue as the REST face uses it. */
export interface ModelServices {
  door: ModelDoor;
  catalogue: ModelPort;
}

/** Asks a model. What speaks to providers is read when one is first asked, and not before. */
function askOf({ AI }: Env, doors: Doors): Ask {
  const fault = addressFault(doors);
  return async (asked, request) => {
    const { ANSWER_LIMITS, createAsk, workersAi } = await import("./executor.lazy.mjs");
    const ask = createAsk({
      now,
      get: (url, init) => fetch(url, init),
      addressFault: fault,
      // Only a deployed Worker has the binding: nothing simulates it.
      workersAi: AI === undefined ? null : workersAi(AI),
      // Judged as the task's own contract is, under the same limits of work; here a value has no task around it.
      judge: (schema, value) =>
        outputFaults(schema, value).map(({ pointer, ...rest }) => ({
          ...rest,
          pointer: pointer.replace("/data/result", ""),
        })),
      limits: ANSWER_LIMITS,
    });
    return ask(asked, request);
  };
}

function build(env: Env): ModelServices {
  const doors = doorsOf(env);
  const { config, guard, callbacks } = doors;
  const hasWorkersAi = env.AI !== undefined;
  const fault = addressFault(doors);
  const stored = createModelStore(env.DB);
  const store = {
    ...stored,
    list: (tenant: string) => guard.get(() => stored.list(tenant)),
  };
  const log = consoleLog("models", now);
  const known = createKnownModels({
    now,
    log,
    list: store.list,
    configured: config.models,
    hasWorkersAi,
  });
  const ask = askOf(env, doors);
  const { sealer } = callbacks;
  return {
    door: createModelDoor({
      catalogue: async (tenant) => {
        const { models } = await known.atHand(tenant);
        return models
          .map(({ model }) => model)
          .filter(({ is_enabled, unusable_reason }) => is_enabled && unusable_reason === undefined);
      },
      find: createFinder({ known, sealer, log }),
      ask,
    }),
    catalogue: createModels({
      now,
      log,
      newId: randomId,
      known,
      store,
      sealer,
      addressFault: fault,
      hasWorkersAi,
      ask,
      forget: (of, what) => (what === "all" ? forgetModel(env.DB, of) : forgetOutage(env.DB, of)),
    }),
  };
}

const built = new WeakMap<Env, ModelServices>();

/** The models of this isolate: one set, because it remembers. */
export function modelsOf(env: Env): ModelServices {
  const known = built.get(env);
  if (known !== undefined) return known;
  const services = build(env);
  built.set(env, services);
  return services;
}

/** The door to the models of all tenants. */
export function modelDoorOf(env: Env): ModelDoor {
  return modelsOf(env).door;
}
