import type { Log } from "../../../lib/log.ts";
import { ok, refuse } from "../../../lib/result.ts";
import type { Result } from "../../../lib/result.ts";
import type { Sealer } from "../../../lib/seal.ts";
import type { Refusal } from "../../../protocol/refusal.ts";
import { unasked } from "../door.ts";
import type { AskableModel } from "../door.ts";
import type { ModelFault } from "../model-port.ts";
import type { KnownModel, KnownModels } from "./known-models.ts";

/* Keys of models, between where they are sealed and where they are sent. */

interface KeyParts {
  sealer: Sealer;
  log: Log;
}

/** What can be done about a key that does not open. */
const UNREADABLE_KEY =
  "the stored api_key can't be opened (BATUTA_SEAL_KEY): PUT the model again with its api_key";

/** Whose the key of a model is: it opens for no other one. */
export function keyOwner(tenant: string, model_id: string): string {
  return `model/${tenant}/${model_id}`;
}

/** Finds models with their keys opened, for whoever asks them. What can't be found or opened is a fault of the model. */
export function createFinder(parts: KeyParts & { known: KnownModels }) {
  return async (tenant: string, model_id: string): Promise<Result<AskableModel, ModelFault>> => {
    const { models, isWhole } = await parts.known.atHand(tenant);
    const found = models.find(({ model }) => model.model_id === model_id);
    if (found !== undefined) return opened(parts, tenant, found);
    return refuse(
      isWhole
        ? unasked("rejected", `in the catalogue there is no model ${model_id}`)
        : { ...unasked("unavailable", "the catalogue can't be read at the moment"), silent_ms: 0 },
    );
  };
}

/** A model with its key; refused where the key was sealed by a key that is gone, or was changed. */
export async function opened(
  { sealer, log }: KeyParts,
  tenant: string,
  { model, api_key }: KnownModel,
): Promise<Result<AskableModel, ModelFault>> {
  const { model_id, source } = model;
  if (api_key === null || source === "configuration") return ok({ model, api_key });
  try {
    return ok({ model, api_key: await sealer.open(api_key, keyOwner(tenant, model_id)) });
  } catch (cause) {
    const error = cause instanceof Error ? cause.message : "not an error";
    log("error", "model_key_unreadable", { tenant, model_id, error });
    return refuse(unasked("unauthorized", UNREADABLE_KEY));
  }
}

/** Seals the key that a registration brings, or keeps the one that is stored; null: there is none. Refused where that does not open. */
export async function keyOf(
  { sealer }: Pick<KeyParts, "sealer">,
  owner: string,
  { given, kept }: { given: string | null | undefined; kept: string | null },
): Promise<Result<string | null, Refusal>> {
  if (typeof given === "string") return ok(await sealer.seal(given, owner));
  if (given === null || kept === null) return ok(null);
  try {
    return ok(await sealer.renew(kept, owner));
  } catch {
    const code = "model_refused";
    const errors = [{ pointer: "/api_key", code, detail: `${UNREADABLE_KEY}, or with null` }];
    return refuse({ code, detail: "The stored key of the model is lost.", errors });
  }
}
