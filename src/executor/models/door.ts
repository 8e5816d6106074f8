import { refuse } from "../../lib/result.ts";
import type { Result } from "../../lib/result.ts";
import type { CatalogueModel } from "../../protocol/model.ts";
import type { ModelAnswer, ModelDoor, ModelFault, ModelRequest } from "./model-port.ts";

/** A model with what it takes to ask it. */
export interface AskableModel {
  model: CatalogueModel;
  /** Opened. */
  api_key: string | null;
}

/** Asks one model, whatever the catalogue says of it. */
export type Ask = (
  asked: AskableModel,
  request: Omit<ModelRequest, "model_id">,
) => Promise<Result<ModelAnswer, ModelFault>>;

/** The door to the models of a catalogue. */
export function createModelDoor(parts: {
  catalogue: ModelDoor["catalogue"];
  find: (tenant: string, model_id: string) => Promise<Result<AskableModel, ModelFault>>;
  ask: Ask;
}): ModelDoor {
  return {
    catalogue: parts.catalogue,
    async generate(tenant, { model_id, ...request }) {
      const found = await parts.find(tenant, model_id);
      if (!found.ok) return found;
      return found.value.model.is_enabled
        ? parts.ask(found.value, request)
        : refuse(unasked("rejected", `model ${model_id} is disabled`));
    },
  };
}

/** What is told of a model that was not asked: nothing is used up. */
export function unasked(fault: ModelFault["class"], detail: string): ModelFault {
  const usage = { input_tokens: 0, output_tokens: 0, cost_usd: 0 };
  const nothing = { status: null, retry_after_ms: null, text: null, duration_ms: 0 };
  return { class: fault, detail, usage, ...nothing };
}
