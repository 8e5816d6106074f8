import type { TaskType } from "../../protocol/enums.ts";
import type { Band } from "./router-port.ts";
import type { Known } from "./rules/question.ts";

/* What is written down of choices, and read: the words between the use cases and their stores. */

/** A decision as it is written. */
export interface DecisionRow {
  tenant: string;
  decision_id: string;
  task_id: string;
  task_type: TaskType;
  band: Band;
  model_id: string | null;
  created_at: string;
  record: string;
  is_probe: boolean;
}

/** What a choice has to know, and the record of the same choice where it was made before. */
export interface Learned {
  known: Known;
  record: string | null;
}

/**
 * Whose word weighs more (facts/orchestration.md §3.3): a later one takes the place of a lesser one. Automatic ones are
 * said once; who judges may change the judgement.
 */
export const RANK = { quality: 0, contract: 1, orchestrator: 2, human: 3 } as const;

/** What somebody says of a choice, and when (as instants are stored). */
export interface Judgement {
  tenant: string;
  decision_id: string;
  source: keyof typeof RANK;
  reward: number;
  is_success: boolean;
  at: string;
  /** What to keep of it as JSON; null where it was found automatically. */
  verdict: string | null;
}
