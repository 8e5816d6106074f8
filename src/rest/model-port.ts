import type { Result } from "../lib/result.ts";
import type { CatalogueModel, ModelRegistration, ModelTest } from "../protocol/model.ts";
import type { Refusal } from "../protocol/refusal.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** The catalogue of models: the installation's, a tenant's own, and the built-in executor's skills. */
export interface ModelPort {
  /** In the order of model_id. */
  list(
    tenant: string,
    page: { cursor?: string | undefined; limit: number },
  ): Promise<{ items: CatalogueModel[]; next_cursor: string | null }>;
  get(tenant: string, model_id: string): Answer<CatalogueModel>;
  /** `origin`: scheme, host and port by which the request came. */
  put(
    tenant: string,
    model_id: string,
    given: { registration: ModelRegistration; origin: string },
  ): Answer<CatalogueModel>;
  remove(tenant: string, model_id: string): Answer<null>;
  /** Asks it one short question. What goes wrong with that is no refusal, but what was to be found out. */
  test(tenant: string, model_id: string): Answer<ModelTest>;
}
