import { staysIn } from "../../../protocol/data-bounds.ts";
import { answerTokens, isBuiltin, worstCost, type Arm } from "./arm.ts";
import type { Asked, Known } from "./question.ts";
import { latencyOf } from "./score.ts";
import type { Tuning } from "./tuning.ts";

/* The hard filters of facts/orchestration.md §3.3: what no score can make up for. */

/** An arm that is out, by which filter, and why in words. */
export interface Removed {
  model_id: string;
  filter: string;
  reason: string;
}

/** What the filters look at besides the arm. */
interface View {
  asked: Asked;
  known: Known;
  tuning: Tuning;
}

type Filter = (arm: Arm, view: View) => string | null;

const dollars = (amount: number): string => `$${Number(amount.toPrecision(4))}`;

/** Of every arm, the executor's own skills too. */
const OF_ALL: readonly (readonly [string, Filter])[] = [
  [
    "excluded",
    ({ model_id }, { asked }) =>
      asked.excluded.includes(model_id) ? "was tried in this task and failed it" : null,
  ],
  [
    "deadline",
    (arm, { asked, known, tuning }) => {
      const { p95_s } = latencyOf(arm, known, tuning);
      return p95_s * 1_000 > asked.time_left_ms
        ? `may take ${Number(p95_s.toPrecision(3))} s (p95), and ${Math.max(0, asked.time_left_ms) / 1_000} s are left`
        : null;
    },
  ],
];

/** Of models alone. */
const OF_MODELS: readonly (readonly [string, Filter])[] = [
  [
    "preference",
    ({ locality }, { asked }) =>
      asked.model_preference !== "hybrid" && asked.model_preference !== locality
        ? `is of the locality ${locality}, and model_preference asks for ${asked.model_preference}`
        : null,
  ],
  [
    "capability",
    ({ capabilities }, { asked }) => {
      const lacking = asked.needs.filter((need) => !capabilities.includes(need));
      return lacking.length === 0 ? null : `lacks ${lacking.join(", ")}`;
    },
  ],
  [
    "region",
    (arm, { asked }) =>
      staysIn(asked.region, arm)
        ? null
        : `is in ${arm.region ?? "a region that the catalogue does not say"}, and the data may not leave ${asked.region}`,
  ],
  [
    "context",
    (arm, { asked }) => {
      const tokens = asked.input_tokens + answerTokens(arm, asked.output_tokens);
      return arm.context_tokens !== null && tokens > arm.context_tokens
        ? `holds ${arm.context_tokens} tokens, and the question needs ${tokens}`
        : null;
    },
  ],
  [
    "budget",
    (arm, { asked }) => {
      const worst = worstCost(arm, { input: asked.input_tokens, output: asked.output_tokens });
      return asked.budget_usd !== null && worst > asked.budget_usd
        ? `may cost ${dollars(worst)}, and ${dollars(asked.budget_usd)} are left`
        : null;
    },
  ],
  [
    "tokens",
    (arm, { asked }) => {
      const tokens = asked.input_tokens + answerTokens(arm, asked.output_tokens);
      return asked.budget_tokens !== null && tokens > asked.budget_tokens
        ? `may use ${tokens} tokens, and ${asked.budget_tokens} are left`
        : null;
    },
  ],
  [
    "breaker",
    ({ model_id }, { known }) =>
      known.breakers.some((one) => one.model_id === model_id && one.state === "open")
        ? "failed to answer several times in a row, and is left alone for a while"
        : null,
  ],
];

function removalOf(arm: Arm, view: View): Removed | null {
  const { model_id } = arm;
  if (isBuiltin(arm) && view.asked.builtin_lack !== null) {
    return { model_id, filter: "ability", reason: view.asked.builtin_lack };
  }
  for (const [filter, fault] of isBuiltin(arm) ? OF_ALL : [...OF_ALL, ...OF_MODELS]) {
    const reason = fault(arm, view);
    if (reason !== null) return { model_id, filter, reason };
  }
  return null;
}

/** After a failed quality gate: what is not stronger is out, as long as something is. */
function stronger(arms: readonly Arm[], above: number | null): readonly Arm[] {
  if (above === null) return arms;
  const higher = arms.filter(({ tier }) => tier > above);
  return higher.length === 0 ? arms : higher;
}

/** The arms that a question leaves, and why the others are out. */
export function filtered(
  arms: readonly Arm[],
  view: View,
): { left: readonly Arm[]; removed: Removed[] } {
  const removals = arms.map((arm) => ({ arm, removal: removalOf(arm, view) }));
  const fitting = removals.flatMap(({ arm, removal }) => (removal === null ? [arm] : []));
  const left = stronger(fitting, view.asked.above_tier);
  const weaker = fitting
    .filter((arm) => !left.includes(arm))
    .map(({ model_id, tier }) => ({
      model_id,
      filter: "tier",
      reason: `is of tier ${tier}, and one of tier ${view.asked.above_tier} did not reach the quality asked for`,
    }));
  return { left, removed: [...removals.flatMap(({ removal }) => removal ?? []), ...weaker] };
}
