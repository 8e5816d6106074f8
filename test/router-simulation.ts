import { observed, ticksOf, type Cell } from "../src/executor/router/rules/cell.ts";
import { armsOf } from "../src/executor/router/rules/question.ts";
import type { Policy } from "./router-policies.ts";
import {
  BAND_SHARES,
  catalogueOf,
  drawn,
  MODELS,
  seeded,
  truth,
  TYPES,
  utility,
  type Priors,
} from "./router-world.ts";

/* Lets policies choose in the simulated world, and says what that cost. */

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
