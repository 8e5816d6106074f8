import type { Log } from "../../../lib/log.ts";
import type { Clock } from "../../../lib/ports.ts";
import type {
  CatalogueModel,
  ModelRegistration,
  StoredRegistration,
} from "../../../protocol/model.ts";
import { absence } from "../absence.ts";

/** A model that a tenant has registered; its key is sealed. */
export interface StoredModel {
  model_id: string;
  registration: StoredRegistration;
  api_key: string | null;
  updated_at: string;
}

/** Where registrations are kept. */
export interface ModelStore {
  /** All of a tenant, in the order of model_id: there are few, see MOST_MODELS. */
  list(tenant: string): Promise<StoredModel[]>;
  put(tenant: string, model: StoredModel): Promise<void>;
  /** False when there was none. */
  remove(tenant: string, model_id: string): Promise<boolean>;
}

/** A model of the catalogue with its key: sealed where a tenant has registered it, as it is in the configuration. */
export interface KnownModel {
  model: CatalogueModel;
  api_key: string | null;
}

/** How long a task may trust what was read: a changed registration reaches every task within this time. */
const TRUST_MS = 5_000;

/** How long a catalogue stays good when it can't be read. */
const GRACE_MS = 600_000;

/** Beyond this the memory is emptied, so that it can't grow with the number of tenants. */
const MAX_TRUSTED = 1_000;

/** What the catalogue is made of. */
export interface KnownModelsParts {
  now: Clock;
  log: Log;
  list: ModelStore["list"];
  /** Models of the installation, by model_id. */
  configured: Readonly<Record<string, ModelRegistration>>;
  hasWorkersAi: boolean;
}

/**
 * Models of a tenant in the order of model_id. A model of the installation stands before one that a tenant has registered
 * under the same name.
 *
 * `stored` gives those that are stored, and throws while they can't be read. `atHand` is for tasks: it has a short memory,
 * so that a task needs no database, and never throws: what was known stays good for a while, and then the installation's
 * own models are left, which need no database.
 */
export function createKnownModels(parts: KnownModelsParts) {
  const { now, log, list, hasWorkersAi } = parts;
  const trusted = new Map<string, { models: readonly KnownModel[]; until: number }>();
  const configured = Object.entries(parts.configured).map(
    ([model_id, { api_key = null, ...registration }]): KnownModel => ({
      model: viewOf(registration, hasWorkersAi, {
        model_id,
        source: "configuration",
        has_api_key: api_key !== null,
        updated_at: null,
      }),
      api_key,
    }),
  );
  const ofTenant = ({ model_id, registration, api_key, updated_at }: StoredModel): KnownModel => ({
    model: viewOf(registration, hasWorkersAi, {
      model_id,
      source: "api",
      has_api_key: api_key !== null,
      updated_at,
    }),
    api_key,
  });
  const isConfigured = (model_id: string) => Object.hasOwn(parts.configured, model_id);
  const stored = async (tenant: string): Promise<readonly KnownModel[]> => {
    const own = (await list(tenant))
      .filter(({ model_id }) => !isConfigured(model_id))
      .map(ofTenant);
    const models = [...configured, ...own].sort((one, other) =>
      one.model.model_id < other.model.model_id ? -1 : 1,
    );
    if (trusted.size >= MAX_TRUSTED) trusted.clear();
    trusted.set(tenant, { models, until: now() + TRUST_MS });
    return models;
  };
  const atHand = async (tenant: string): Promise<ModelsAtHand> => {
    const before = trusted.get(tenant);
    if (before && before.until > now()) return { models: before.models, isWhole: true };
    try {
      return { models: await stored(tenant), isWhole: true };
    } catch (cause) {
      const error = cause instanceof Error ? cause.message : "not an error";
      log("error", "models_not_read", { tenant, error });
      return before !== undefined && before.until + GRACE_MS > now()
        ? { models: before.models, isWhole: true }
        : { models: configured, isWhole: false };
    }
  };
  return { stored, atHand, isConfigured, forget: (tenant: string) => void trusted.delete(tenant) };
}

/** Models that a task may use; `isWhole` is false where a tenant's own can't be read, and nobody remembers them. */
interface ModelsAtHand {
  models: readonly KnownModel[];
  isWhole: boolean;
}

/** The catalogue of this isolate. */
export type KnownModels = ReturnType<typeof createKnownModels>;

function viewOf(
  { schema_version: _version, ...registration }: StoredRegistration,
  hasWorkersAi: boolean,
  rest: Pick<CatalogueModel, "model_id" | "source" | "has_api_key" | "updated_at">,
): CatalogueModel {
  const reason = absence(registration.provider, hasWorkersAi);
  return {
    ...registration,
    ...rest,
    name: registration.name ?? rest.model_id,
    ...(reason !== null && { unusable_reason: reason }),
  };
}
