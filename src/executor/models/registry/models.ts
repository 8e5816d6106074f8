import type { Log } from "../../../lib/log.ts";
import { instant } from "../../../lib/ports.ts";
import type { Clock } from "../../../lib/ports.ts";
import { ok, refuse } from "../../../lib/result.ts";
import type { Result } from "../../../lib/result.ts";
import type { Sealer } from "../../../lib/seal.ts";
import { BUILTIN_MODEL_ID } from "../../../protocol/model.ts";
import type {
  CatalogueModel,
  ModelRegistration,
  ModelTest,
  StoredRegistration,
} from "../../../protocol/model.ts";
import type { Refusal } from "../../../protocol/refusal.ts";
import { absence } from "../absence.ts";
import type { Ask, AskableModel } from "../door.ts";
import { keyless } from "../keyless.ts";
import type { ModelFault } from "../model-port.ts";
import type { KnownModel, KnownModels, ModelStore } from "./known-models.ts";
import { keyOf, keyOwner, opened } from "./model-keys.ts";

/** Models that one tenant may register. */
const MOST_MODELS = 100;

/** How a model is tried: enough tokens for one that thinks before it says two letters. */
const TRIAL = { max_output_tokens: 1_024, timeout_ms: 30_000 };

/** Of what it says this much is shown. Characters. */
const LONGEST_SHOWN = 200;

/** What the registry of models is built from. */
export interface ModelsParts {
  now: Clock;
  log: Log;
  newId: () => string;
  known: KnownModels;
  store: Pick<ModelStore, "list" | "put" | "remove">;
  sealer: Sealer;
  /** Why nothing may be sent to this address, or null; `ownOrigin` is where this request came in. */
  addressFault: (url: string, ownOrigin?: string) => Promise<string | null>;
  hasWorkersAi: boolean;
  ask: Ask;
  /** Forgets what is no longer true of a model: that it did not answer, or all that was learned of it. */
  forget: (of: { tenant: string; model_id: string }, what: "outage" | "all") => Promise<void>;
}

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** The built-in executor's own skills, as the catalogue shows them: free, at hand, and never asked anything. */
export const BUILTIN_MODEL: CatalogueModel = {
  model_id: BUILTIN_MODEL_ID,
  provider: "builtin",
  name: "the built-in executor's own skills",
  locality: "local",
  capabilities: ["text", "json"],
  context_tokens: 10_000_000,
  max_output_tokens: 1_000_000,
  price: { input_usd_per_mtok: 0, output_usd_per_mtok: 0 },
  tier: 1,
  prior_quality: 0.7,
  strengths: {},
  typical_latency_s: 0.1,
  is_default: false,
  is_enabled: true,
  has_api_key: false,
  source: "builtin",
  updated_at: null,
};

/** A model as tenants see it: where the installation's own are is the operator's affair, and may be a credential. */
function shown(model: CatalogueModel): CatalogueModel {
  if (model.source !== "configuration") return model;
  const { base_url: _address, ...rest } = model;
  return rest;
}

/** Use cases of the catalogue. */
export function createModels(parts: ModelsParts) {
  const { known, store, forget } = parts;
  const find = async (tenant: string, model_id: string): Promise<KnownModel | null> => {
    const models = await known.stored(tenant);
    return models.find(({ model }) => model.model_id === model_id) ?? null;
  };
  return {
    async list(
      tenant: string,
      { cursor = "", limit }: { cursor?: string | undefined; limit: number },
    ) {
      const models = (await known.stored(tenant)).map(({ model }) => shown(model));
      const rest = [BUILTIN_MODEL, ...models]
        .filter(({ model_id }) => model_id > cursor)
        .sort((one, other) => (one.model_id < other.model_id ? -1 : 1));
      const items = rest.slice(0, limit);
      return { items, next_cursor: rest.length > limit ? (items.at(-1)?.model_id ?? null) : null };
    },
    async get(tenant: string, model_id: string): Answer<CatalogueModel> {
      if (model_id === BUILTIN_MODEL_ID) return ok(BUILTIN_MODEL);
      const found = await find(tenant, model_id);
      return found === null ? refuse(notFound(model_id)) : ok(shown(found.model));
    },
    /** Refused: model_refused, endpoint_refused. `origin`: scheme, host and port by which the request came. */
    async put(
      tenant: string,
      model_id: string,
      { registration, origin }: { registration: ModelRegistration; origin: string },
    ): Answer<CatalogueModel> {
      const fault =
        nameFault(known, model_id) ?? (await registrationFault(parts, registration, origin));
      if (fault !== null) return refuse(fault);
      const saved = await save(parts, tenant, { model_id, registration });
      known.forget(tenant);
      if (!saved.ok) return saved;
      const found = await find(tenant, model_id);
      return found === null ? refuse(notFound(model_id)) : ok(found.model);
    },
    /** Also takes away what a tenant had registered before the installation took the name. */
    async remove(tenant: string, model_id: string): Answer<null> {
      const isRemoved = await store.remove(tenant, model_id);
      known.forget(tenant);
      const fault = nameFault(known, model_id);
      if (!isRemoved) return refuse(fault ?? notFound(model_id));
      if (fault === null) await forget({ tenant, model_id }, "all");
      return ok(null);
    },
    /** Asks it one short question, whether it is enabled or not. Refused: model_refused, model_not_found. */
    async test(tenant: string, model_id: string): Answer<ModelTest> {
      if (model_id === BUILTIN_MODEL_ID) return refuse(builtinFault());
      const found = await find(tenant, model_id);
      if (found === null) return refuse(notFound(model_id));
      const asked = await opened(parts, tenant, found);
      if (!asked.ok) return ok(faultTest(model_id, asked.refusal));
      const tested = await tried(parts, asked.value);
      if (tested.is_ok) await forget({ tenant, model_id }, "outage");
      return ok(tested);
    },
  };
}

async function tried({ ask, newId }: ModelsParts, asked: AskableModel): Promise<ModelTest> {
  const answered = await ask(asked, {
    ...TRIAL,
    system: "You are being tried out. Answer in as few words as you can.",
    turns: [{ role: "user", text: "Answer with the word OK." }],
    output_schema: null,
    tools: [],
    max_tool_rounds: 0,
    temperature: 0,
    idempotency_key: `test.${newId()}`,
    signal: new AbortController().signal,
  });
  const { model_id } = asked.model;
  if (answered.ok) {
    const { text, usage, duration_ms } = answered.value;
    // A server that echoes what it is sent echoes the key.
    const said = keyless(asked.api_key)(text).slice(0, LONGEST_SHOWN);
    return { model_id, is_ok: true, duration_ms, text: said, usage, fault: null };
  }
  return faultTest(model_id, answered.refusal);
}

function faultTest(model_id: string, told: ModelFault): ModelTest {
  const { class: fault, detail, status, retry_after_ms, usage, duration_ms } = told;
  return {
    model_id,
    is_ok: false,
    duration_ms,
    text: null,
    usage,
    fault: { class: fault, detail, status, retry_after_ms },
  };
}

async function save(
  parts: ModelsParts,
  tenant: string,
  { model_id, registration }: { model_id: string; registration: ModelRegistration },
): Promise<Result<null, Refusal>> {
  const { now, store, forget } = parts;
  const { api_key, ...rest } = registration;
  const stored = await store.list(tenant);
  const former = stored.find((one) => one.model_id === model_id);
  if (former === undefined && stored.length >= MOST_MODELS) {
    return refuse(
      refusedModel(
        `The tenant has ${MOST_MODELS} models, which is the most; DELETE one of them first.`,
      ),
    );
  }
  const owner = keyOwner(tenant, model_id);
  // A key goes to the address that it was given for: to another one it would be a leak.
  const isSamePlace = former?.registration.base_url === rest.base_url;
  const kept = isSamePlace ? (former?.api_key ?? null) : null;
  const sealed = await keyOf(parts, owner, { given: api_key, kept });
  if (!sealed.ok) return sealed;
  if (former !== undefined) {
    await forget({ tenant, model_id }, isSameModel(former.registration, rest) ? "outage" : "all");
  }
  const updated_at = instant(now());
  await store.put(tenant, { model_id, registration: rest, api_key: sealed.value, updated_at });
  return ok(null);
}

/** Whether what was learned of one holds for the other: the same model may be at another address. */
function isSameModel(one: StoredRegistration, other: StoredRegistration): boolean {
  return one.provider === other.provider && one.name === other.name;
}

function nameFault({ isConfigured }: KnownModels, model_id: string): Refusal | null {
  if (model_id === BUILTIN_MODEL_ID) return builtinFault();
  return isConfigured(model_id)
    ? refusedModel(
        `Model ${model_id} is the installation's own (BATUTA_MODELS), the same for every tenant; choose another model_id.`,
      )
    : null;
}

async function registrationFault(
  { addressFault, hasWorkersAi }: ModelsParts,
  { provider, base_url }: ModelRegistration,
  origin: string,
): Promise<Refusal | null> {
  const reason = absence(provider, hasWorkersAi);
  if (reason !== null) {
    const errors = [{ pointer: "/provider", code: "model_refused", detail: reason }];
    return { ...refusedModel("No model of this provider can be asked here."), errors };
  }
  const detail = base_url === undefined ? null : await addressFault(base_url, origin);
  if (detail === null) return null;
  return {
    code: "endpoint_refused",
    detail: "No model is asked at such an address.",
    errors: [{ pointer: "/base_url", code: "endpoint_refused", detail }],
  };
}

function refusedModel(detail: string): Refusal {
  return { code: "model_refused", detail };
}

function builtinFault(): Refusal {
  return refusedModel(
    `${BUILTIN_MODEL_ID} stands for the built-in executor's own skills: it is always there, and neither registered nor tried out.`,
  );
}

function notFound(model_id: string): Refusal {
  return {
    code: "model_not_found",
    detail: `There is no model ${model_id} in the catalogue; PUT /v1/models/${model_id} registers it.`,
  };
}
