import type { JsonObject } from "../../src/protocol/primitives.ts";
import type { Draw } from "./draw.ts";

/** What a request may name: tasks that are there or were. */
export interface Surroundings {
  /** Tasks that may be named as prerequisites. */
  known: readonly string[];
  /** Generations above it. */
  depth: number;
}

/** No more generations than this are drawn below a root. */
const DEEPEST = 3;

function budget(draw: Draw): JsonObject {
  return {
    ...(draw.happens(0.5) && { max_cost_usd: draw.between(0, 300) / 100 }),
    ...(draw.happens(0.4) && { max_tokens: draw.between(1, 3_000) }),
    ...(draw.happens(0.5) && { max_attempts: draw.between(1, 6) }),
    ...(draw.happens(0.3) && { max_children: draw.between(0, 8) }),
    ...(draw.happens(0.2) && { max_depth: draw.between(0, 3) }),
    ...(draw.happens(0.2) && { max_duration_s: draw.between(20, 200) }),
  };
}

function subtasks(draw: Draw): JsonObject {
  const expected = draw.between(1, 4);
  const join = draw.oneOf(["all", "all", "any", "n_of"]);
  const aggregation = draw.oneOf(["concat", "best", "vote", "reduce"]);
  return {
    expected,
    join,
    ...(join === "n_of" && { n: draw.between(1, expected) }),
    ...(join === "all" && { on_failure: draw.oneOf(["fail", "continue"]) }),
    aggregation,
    ...(aggregation === "reduce" && { reduce: { op: "sum", json_path: "$.answer" } }),
  };
}

function prerequisites(draw: Draw, known: readonly string[]): JsonObject {
  const dependencies = Array.from({ length: draw.between(1, 2) }, () => draw.oneOf(known));
  const on_failed_dependency = draw.oneOf(["fail", "block", "continue", undefined]);
  return {
    parameters: {
      dependencies: [...new Set(dependencies.filter((id) => id !== undefined))],
      ...(on_failed_dependency !== undefined && { on_failed_dependency }),
    },
  };
}

/** A request of a tree: with prerequisites, children of its own and a budget, or without. */
export function treeRequest(draw: Draw, { known, depth }: Surroundings): JsonObject {
  const isRoot = depth === 0;
  const isComposite = depth < DEEPEST - 1 && draw.happens(isRoot ? 0.6 : 0.35);
  return {
    priority: draw.oneOf(["low", "normal", "normal", "high", "critical"]),
    timeout: draw.between(10, 90),
    heartbeat_timeout: draw.between(5, 25),
    stall_timeout: draw.between(10, 60),
    total_timeout: draw.between(40, 600),
    ...(draw.happens(0.1) && { queue_timeout: draw.between(10, 90) }),
    ...(isComposite && { subtasks: subtasks(draw) }),
    ...(!isRoot && draw.happens(0.3) && { weight: draw.between(1, 5) }),
    ...(known.length > 0 && draw.happens(0.3) && prerequisites(draw, known)),
    ...(draw.happens(isRoot ? 0.7 : 0.4) && { contract: { budget: budget(draw) } }),
    execution_options: {
      ...(draw.happens(0.05) && { autonomy_level: "manual" }),
      retry_policy: { max_retries: draw.between(0, 3), retry_delay: draw.between(1, 5) },
    },
  };
}
