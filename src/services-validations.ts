import { publishAlert } from "./delivery/alert.ts";
import { WithheldPace, withheldAlert } from "./delivery/withheld-alert.ts";
import { ValidationKeeper } from "./history/validation-keeper.ts";
import { ValidationSampling } from "./history/validation-sampling.ts";
import {
  listValidations,
  readValidation,
  removeOldValidations,
  summariseValidations,
  validationId,
  writeValidations,
} from "./history/validation-store.ts";
import { createValidations } from "./history/validations.ts";
import { consoleLog } from "./lib/log.ts";
import { randomId } from "./lib/ports.ts";
import { ok } from "./lib/result.ts";
import type { Withheld } from "./protocol/validation-record.ts";
import type { ValidationPort } from "./rest/validation-port.ts";
import { doorsOf, now } from "./services-doors.ts";
import { fanOutPorts } from "./services-webhooks.ts";

/* What writes down what was checked of messages, and tells of what broke. */

/** Whoever runs the installation is told of what nobody's request has brought to light. */
const OPERATOR = "default";

const KEPT_MS = 7 * 86_400_000;

/** Statements of one sweep; what is left is for the next. */
const MOST_DELETIONS = 20;

/** A uniform draw in [0, 1). */
function draw(): number {
  const [bits = 0] = crypto.getRandomValues(new Uint32Array(1));
  return bits / 2 ** 32;
}

/** How records wait to be written together. Tests that wait for all that goes on after an answer replace it. */
export const recording = {
  pause: (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms)),
};

function build(env: Env): ValidationPort {
  const doors = doorsOf(env);
  const { config, guard } = doors;
  const log = consoleLog("validations", now);
  const pace = new WithheldPace();
  const validations = createValidations({
    now,
    newId: (at) => validationId(at, randomId()),
    sampling: new ValidationSampling(config.validationSample, draw),
    keeper: new ValidationKeeper({
      now,
      pause: (ms) => recording.pause(ms),
      write: (records) => writeValidations(env.DB, records),
      log,
    }),
    alert: async (record) => {
      const tenant = record.tenant ?? OPERATOR;
      const at = Date.parse(record.at);
      if (!pace.isDue(tenant, record, at)) return;
      const alert = withheldAlert(record, at);
      try {
        await publishAlert(fanOutPorts(doors), { tenant, alert, at: record.at, except: [] });
      } catch (error) {
        // The endpoints that were reached have it; the log is what is left for the others.
        log("error", "alert_failed", { alert_id: alert.alert_id, error: String(error) });
      }
    },
    list: (tenant, query) => guard.read(() => listValidations(env.DB, tenant, query)),
    get: (tenant, record_id) => guard.get(() => readValidation(env.DB, tenant, record_id)),
    summarise: (tenant, since) =>
      guard.read(async () => ok(await summariseValidations(env.DB, tenant, since))),
  });
  return { ...validations, micros: () => performance.now() * 1_000 };
}

const built = new WeakMap<Env, ValidationPort>();

/** What writes down validations; one an isolate, because it collects them. */
export function validationsOf(env: Env): ValidationPort {
  const known = built.get(env);
  if (known !== undefined) return known;
  const port = build(env);
  built.set(env, port);
  return port;
}

/** Tells of what was about to leave by itself, without a request that it answers. */
export function withheldTeller(env: Env): (withheld: Withheld) => Promise<void> {
  return ({ tenant, route, places: errors }) =>
    validationsOf(env).withheld({
      outcome: "withheld",
      route,
      operation: null,
      request_id: null,
      tenant,
      key_id: null,
      code: null,
      validations: ["output"],
      duration_us: 0,
      detail: () => ({
        fields: [],
        unknown_fields: 0,
        errors,
        faults: errors.length,
        warnings: [],
      }),
    });
}

/** Forgets what was checked more than seven days ago. */
export async function sweepValidations(env: Env): Promise<void> {
  const before = now() - KEPT_MS;
  for (let turn = 0; turn < MOST_DELETIONS; turn += 1) {
    // One after the other: each says whether another one is needed.
    // oxlint-disable-next-line no-await-in-loop
    if ((await removeOldValidations(env.DB, before)) === 0) return;
  }
}
