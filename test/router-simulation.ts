import type { Band } from "../src/executor/router/router-port.ts";
import type { Arm } from "../src/executor/router/rules/arm.ts";
import { observed, ticksOf, type Cell } from "../src/executor/router/rules/cell.ts";
import { decide } from "../src/executor/router/rules/choose.ts";
import { armsOf, askedOf, nothingKnown } from "../src/executor/router/rules/question.ts";
import { beliefOf } from "../src/executor/router/rules/score.ts";
import { TUNING, type Tuning } from "../src/executor/router/rules/tuning.ts";
import type { TaskType } from "../src/protocol/enums.ts";
import { catalogueModelSchema, type CatalogueModel } from "../src/protocol/model.ts";

/*
 * The simulator of facts/orchestration.md §3.4: six models, eight skewed task types by three bands, a Bernoulli verdict,
 * utility = quality - 0.18 cost - 0.05 latency. It shows an ordering, no real savings. Seeded: equal seeds, equal figures.
 */

/** Task types with how often they come, and bands likewise. */
const TYPES: readonly (readonly [TaskType, number])[] = [
  ["code_generation", 0.3],
  ["code_debugging", 0.2],
  ["data_analysis", 0.15],
  ["documentation", 0.12],
  ["testing", 0.09],
  ["research", 0.07],
  ["configuration", 0.04],
  ["general", 0.03],
];
const BAND_SHARES: readonly (readonly [Band, number])[] = [
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
const MODELS: Readonly<Record<string, SimulatedModel>> = {
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
const LARGE = "large";

/** What one model is asked, in tokens: the price makes it cost its share of a dollar. */
const TOKENS = 1_000;
const DEADLINE_S = 100;

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

function drawn<Item>(shares: readonly (readonly [Item, number])[], draw: number): Item {
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
function truth(
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

function catalogueOf(priors: Priors): CatalogueModel[] {
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

/** What a policy sees of one task. */
interface Turn {
  task_type: TaskType;
  band: Band;
  arms: readonly Arm[];
  cells: readonly Cell[];
  parents: readonly Cell[];
  draw: () => number;
}

/** A way to choose, and how much it forgets. */
export interface Policy {
  name: string;
  gamma: number;
  /** Observations after which a cell takes in nothing more. */
  cap?: number;
  choose: (turn: Turn) => string;
}

function utility(model_id: string, quality: number): number {
  const { cost = 0, latency = 0 } = MODELS[model_id] ?? {};
  return quality - 0.18 * cost - 0.05 * latency;
}

function bestBy(arms: readonly Arm[], value: (arm: Arm) => number): string {
  let best: { model_id: string; value: number } | null = null;
  for (const arm of arms) {
    const its = value(arm);
    if (best === null || its > best.value) best = { model_id: arm.model_id, value: its };
  }
  if (best === null) throw new Error("no arm");
  return best.model_id;
}

/** A gamma draw (Marsaglia and Tsang), of which two make a Beta. */
function gammaDraw(shape: number, draw: () => number): number {
  if (shape < 1) return gammaDraw(shape + 1, draw) * draw() ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const normal = Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());
    const v = (1 + c * normal) ** 3;
    if (v > 0 && Math.log(1 - draw()) < 0.5 * normal ** 2 + d - d * v + d * Math.log(v))
      return d * v;
  }
}

function belief(turn: Turn, arm: Arm, gamma: number) {
  const known = { ...nothingKnown(true), cells: [...turn.cells], parents: [...turn.parents] };
  return beliefOf(arm, turn.band, { known, tuning: { ...TUNING, gamma } });
}

function thompson(turn: Turn, gamma: number): string {
  return bestBy(turn.arms, (arm) => {
    const { mean, n } = belief(turn, arm, gamma);
    const mass = n + TUNING.mass;
    const one = gammaDraw(Math.max(0.01, mean * mass), turn.draw);
    const other = gammaDraw(Math.max(0.01, (1 - mean) * mass), turn.draw);
    return utility(arm.model_id, one / (one + other));
  });
}

function greedy(turn: Turn, gamma: number): string {
  return bestBy(turn.arms, (arm) => utility(arm.model_id, belief(turn, arm, gamma).mean));
}

/** The mean, and one draw in twenty by Thompson: LiteLLM's advice. */
function mostlyGreedy(turn: Turn, gamma: number): string {
  return turn.draw() < 0.05 ? thompson(turn, gamma) : greedy(turn, gamma);
}

const WITHOUT_RAIL = { trusted_n: 0 };

/** Batuta's own router: the code that runs in the Worker, with some of its numbers changed. */
export function routerPolicy(name: string, changes: Partial<Tuning>, explorable = 1): Policy {
  const tuning: Tuning = { ...TUNING, ...changes };
  return {
    name,
    gamma: tuning.gamma,
    choose: ({ task_type, band, arms, cells, parents, draw }) => {
      const asked = askedOf({
        decision_id: "d",
        task_id: "t",
        attempt: 1,
        round: 1,
        task_type,
        description: "",
        input_characters: 0,
        complexity: band,
        objective: "balanced",
        model_preference: "hybrid",
        region: null,
        needs: [],
        input_tokens: 0,
        output_tokens: TOKENS,
        budget_usd: null,
        budget_tokens: null,
        time_left_ms: 10 * DEADLINE_S * 1_000,
        is_explorable: explorable === 1 || draw() < explorable,
        retries_left: 1,
        builtin_lack: "is no part of the simulation",
        builtin_prior_quality: 0,
        excluded: [],
        avoided: [],
        above_tier: null,
        models: [],
      });
      const known = { ...nothingKnown(true), cells: [...cells], parents: [...parents] };
      const { model_id } = decide(
        { asked, arms: [...arms], known },
        { ...tuning, longest_question_ms: DEADLINE_S * 1_000 },
      );
      if (model_id === null) throw new Error("the filters left nothing");
      return model_id;
    },
  };
}

const TIERS: Record<Band, string> = { low: "mini", medium: "mid", high: "large" };

/** The policies of §3.4, in its order; the last one is Batuta's, once as the table has it and once with its guard rail. */
export const POLICIES: readonly Policy[] = [
  { name: "always large", gamma: 1, choose: () => LARGE },
  { name: "static tier by band", gamma: 1, choose: ({ band }) => TIERS[band] },
  { name: "Thompson, prior mass 8", gamma: 1, choose: (turn) => thompson(turn, 1) },
  { name: "mean + 5 % TS", gamma: 1, choose: (turn) => mostlyGreedy(turn, 1) },
  { name: "same + hard cap 200", gamma: 1, cap: 200, choose: (turn) => mostlyGreedy(turn, 1) },
  { name: "mean + 5 % TS, γ=.99", gamma: 0.99, choose: (turn) => mostlyGreedy(turn, 0.99) },
  routerPolicy("UCB c=.1, γ=.99", { c: 0.1, ...WITHOUT_RAIL }),
  routerPolicy("UCB c=.05, γ=.99", WITHOUT_RAIL),
  routerPolicy("Batuta: the same with its guard rail", {}),
  routerPolicy("Batuta, 5 % of the tasks explorable", {}, 0.05),
];

/** One simulation. */
export interface Setting {
  tasks: number;
  hasDrift: boolean;
  priors: Priors;
  seed: number;
}

/** Mean regret per task: how much less utility than the best model would have had. `late` is that of the second half. */
export interface Regret {
  mean: number;
  late: number;
}

function remember(
  cells: Map<string, Cell[]>,
  key: string,
  { model_id, reward, policy }: { model_id: string; reward: number; policy: Policy },
): void {
  const group = cells.get(key) ?? [];
  const cell = group.find((one) => one.model_id === model_id);
  if (policy.cap !== undefined && (cell?.weight ?? 0) >= policy.cap) return;
  const ticks = ticksOf(group) + 1;
  const next = observed(cell, { model_id, reward, ticks }, policy.gamma);
  cells.set(key, [...group.filter((one) => one !== cell), next]);
}

/** Lets a policy choose for every task of a setting, and says what that cost. */
export function simulate(policy: Policy, { tasks, hasDrift, priors, seed }: Setting): Regret {
  const world = seeded(seed);
  const draw = seeded(seed + 7_919);
  const models = catalogueOf(priors);
  const arms = new Map(
    TYPES.map(([type]) => [
      type,
      armsOf({ task_type: type, models, builtin_prior_quality: 0 }).filter(
        ({ model_id }) => model_id !== "builtin",
      ),
    ]),
  );
  const cells = new Map<string, Cell[]>();
  let sum = 0;
  let late = 0;
  for (let turn = 0; turn < tasks; turn += 1) {
    const task_type = drawn(TYPES, world());
    const band = drawn(BAND_SHARES, world());
    const luck = world();
    const at = { band, hasDrifted: hasDrift && turn >= tasks / 2 };
    const keys = { cell: `${task_type}/${band}`, parent: `*/${band}` };
    const model_id = policy.choose({
      task_type,
      band,
      arms: arms.get(task_type) ?? [],
      cells: cells.get(keys.cell) ?? [],
      parents: cells.get(keys.parent) ?? [],
      draw,
    });
    const reward = luck < truth(model_id, task_type, at) ? 1 : 0;
    for (const key of [keys.cell, keys.parent]) remember(cells, key, { model_id, reward, policy });
    const best = Math.max(
      ...Object.keys(MODELS).map((id) => utility(id, truth(id, task_type, at))),
    );
    const lost = best - utility(model_id, truth(model_id, task_type, at));
    sum += lost;
    if (turn >= tasks / 2) late += lost;
  }
  return { mean: sum / tasks, late: late / Math.ceil(tasks / 2) };
}

/** The mean over several seeds. */
export function regretOf(
  policy: Policy,
  setting: Omit<Setting, "seed">,
  seeds: readonly number[],
): Regret {
  const all = seeds.map((seed) => simulate(policy, { ...setting, seed }));
  const mean = (of: (regret: Regret) => number) =>
    all.reduce((total, one) => total + of(one), 0) / all.length;
  return { mean: mean((one) => one.mean), late: mean((one) => one.late) };
}
