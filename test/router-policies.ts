import type { Band } from "../src/executor/router/router-port.ts";
import type { Arm } from "../src/executor/router/rules/arm.ts";
import type { Cell } from "../src/executor/router/rules/cell.ts";
import { decide } from "../src/executor/router/rules/choose.ts";
import { askedOf, nothingKnown } from "../src/executor/router/rules/question.ts";
import { beliefOf } from "../src/executor/router/rules/score.ts";
import { TUNING, type Tuning } from "../src/executor/router/rules/tuning.ts";
import type { TaskType } from "../src/protocol/enums.ts";
import { DEADLINE_S, LARGE, TOKENS, utility } from "./router-world.ts";

/* The policies that the ablation compares; the last five are Batuta's own code. */

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
  routerPolicy("Batuta, no task explorable (the default)", {}, 0),
];
