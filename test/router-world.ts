import type { Band } from "../src/executor/router/router-port.ts";
import type { TaskType } from "../src/protocol/enums.ts";
import { catalogueModelSchema, type CatalogueModel } from "../src/protocol/model.ts";

/*
 * The simulator of facts/orchestration.md §3.4: six models, eight skewed task types by three bands, a Bernoulli verdict,
 * utility = quality - 0.18 cost - 0.05 latency. It shows an ordering, no real savings. Seeded: equal seeds, equal figures.
 */

/** Task types with how often they come, and bands likewise. */
export const TYPES: readonly (readonly [TaskType, number])[] = [
  ["code_generation", 0.3],
  ["code_debugging", 0.2],
  ["data_analysis", 0.15],
  ["documentation", 0.12],
  ["testing", 0.09],
  ["research", 0.07],
  ["configuration", 0.04],
  ["general", 0.03],
];
/** How often the bands come. */
export const BAND_SHARES: readonly (readonly [Band, number])[] = [
  ["low", 0.45],
  ["medium", 0.35],
  ["high", 0.2],
];

interface SimulatedModel {
  tier: number;
  cost: number;
  latency: number;
  quality: Record<Band, number>;
  /** How much better it is in the types it was made for, and worse elsewhere. */
  special?: { types: readonly TaskType[]; gain: number };
}

/** Cost and latency as shares of the dearest and the slowest. */
export const MODELS: Readonly<Record<string, SimulatedModel>> = {
  nano: { tier: 1, cost: 0.02, latency: 0.1, quality: { low: 0.72, medium: 0.5, high: 0.25 } },
  mini: { tier: 2, cost: 0.06, latency: 0.2, quality: { low: 0.82, medium: 0.62, high: 0.4 } },
  mid: { tier: 3, cost: 0.25, latency: 0.4, quality: { low: 0.9, medium: 0.8, high: 0.62 } },
  coder: {
    tier: 3,
    cost: 0.3,
    latency: 0.4,
    quality: { low: 0.76, medium: 0.66, high: 0.5 },
    special: { types: ["code_generation", "code_debugging"], gain: 0.16 },
  },
  pro: { tier: 4, cost: 0.6, latency: 0.7, quality: { low: 0.92, medium: 0.85, high: 0.76 } },
  large: { tier: 5, cost: 1, latency: 1, quality: { low: 0.96, medium: 0.92, high: 0.9 } },
};

/** The default of the tenant: what "always large" takes. */
export const LARGE = "large";

/** What one model is asked, in tokens: the price makes it cost its share of a dollar. */
export const TOKENS = 1_000;

/** Seconds that the slowest model takes. */
export const DEADLINE_S = 100;

/** mulberry32: small, and the same everywhere. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** An item by its share. */
export function drawn<Item>(shares: readonly (readonly [Item, number])[], draw: number): Item {
  let left = draw;
  for (const [item, share] of shares) {
    left -= share;
    if (left < 0) return item;
  }
  const last = shares.at(-1);
  if (last === undefined) throw new Error("nothing to draw from");
  return last[0];
}

function within(value: number): number {
  return Math.min(0.99, Math.max(0.01, value));
}

/** The true quality of a model, before the drift and after it: the middle one loses a quarter, the small one gains. */
export function truth(
  model_id: string,
  type: TaskType,
  { band, hasDrifted }: { band: Band; hasDrifted: boolean },
) {
  const model = MODELS[model_id];
  if (model === undefined) throw new Error(`no model ${model_id}`);
  const { special, quality } = model;
  const gain = special?.types.includes(type) === true ? special.gain : 0;
  const drift = !hasDrifted ? 0 : model_id === "mid" ? -0.25 : model_id === "mini" ? 0.12 : 0;
  return within(quality[band] + gain + drift);
}

/** Priors that know the models roughly, or know nothing and say 0.7 of each. */
export type Priors = "informed" | "flat";

/** The simulated models as a catalogue. */
export function catalogueOf(priors: Priors): CatalogueModel[] {
  return Object.entries(MODELS).map(([model_id, model]) =>
    catalogueModelSchema.parse({
      model_id,
      provider: "openai_compatible",
      name: model_id,
      locality: "api",
      capabilities: ["text"],
      context_tokens: 100_000,
      // Input is free: one answer of TOKENS costs the model's share of a dollar.
      price: { output_usd_per_mtok: (model.cost * 1_000_000) / TOKENS },
      tier: priors === "flat" ? 5 : model.tier,
      prior_quality: priors === "flat" ? 0.7 : model.quality.medium,
      strengths:
        priors === "flat" || model.special === undefined
          ? {}
          : Object.fromEntries(
              model.special.types.map((type) => [type, model.quality.medium + 0.16]),
            ),
      typical_latency_s: model.latency * DEADLINE_S,
      is_default: model_id === LARGE,
      has_api_key: false,
      source: "api",
      updated_at: null,
    }),
  );
}

/** What a model's work of a quality is worth. */
export function utility(model_id: string, quality: number): number {
  const { cost = 0, latency = 0 } = MODELS[model_id] ?? {};
  return quality - 0.18 * cost - 0.05 * latency;
}
