import { instant } from "../../lib/ports.ts";
import type { CleanupDebt, EndPhaseRecord } from "../../protocol/task-view.ts";
import { ACTIONS_STAGE } from "./stage.ts";
import type { DebtDraft, EndStage, SettledState, StageRegistry } from "./stage.ts";

/** How long a debt of a stage that says nothing of it is tried to be repaired. Milliseconds. */
const DEBT_LIFE_MS = 86_400_000;

/** Told when a stage cannot say what it has to say. */
export type StageFailed = (stage: EndStage, cause: unknown) => void;

function draftsOf(stage: EndStage, state: SettledState, failed: StageFailed): DebtDraft[] {
  const own = saidBy(stage, () => stage.debts?.(state), failed);
  if (own !== undefined) return own;
  // What never left the object left nothing undone outside.
  if (stage.isLocal === true) return [];
  const expires_at = state.updated_at + DEBT_LIFE_MS;
  return [{ kind: "stage", what: stage.check, owner: "batuta", expires_at }];
}

/** What a stage says; nothing where it cannot: no stage keeps a task from ending. */
function saidBy<Value>(
  stage: EndStage,
  say: () => Value | undefined,
  failed: StageFailed,
): Value | undefined {
  try {
    return say();
  } catch (cause) {
    failed(stage, cause);
    return undefined;
  }
}

/**
 * What the end of a task left undone, by the records of its phases; and cleanup actions that are still open, also those
 * that came too late for any phase.
 */
export function debtsOf(
  state: SettledState,
  records: readonly EndPhaseRecord[],
  { stages, failed }: { stages: StageRegistry; failed: StageFailed },
): CleanupDebt[] {
  const undone = records.flatMap(({ name, checks }) =>
    checks.flatMap(({ name: check, passed }) => {
      const stage = passed ? null : stages.checkedBy(name, check);
      return stage === null ? [] : [stage];
    }),
  );
  const actions = stages.find(ACTIONS_STAGE);
  const owing = [...new Set([...(actions === null ? [] : [actions]), ...undone])];
  const drafts = owing.flatMap((stage) =>
    draftsOf(stage, state, failed).map((draft) => ({ ...draft, stage: stage.name })),
  );
  return drafts.map((debt, index) => ({
    ...debt,
    debt_id: `debt_${index + 1}_${state.origin.task_id}`,
    expires_at: instant(debt.expires_at),
  }));
}

/** What the stages of these phases suggest for the next time. */
export function adviceOf(
  state: SettledState,
  records: readonly EndPhaseRecord[],
  { stages, failed }: { stages: StageRegistry; failed: StageFailed },
): string[] {
  return records.flatMap(({ name, checks }) =>
    checks.flatMap(({ name: check }) => {
      const stage = stages.checkedBy(name, check);
      return stage === null ? [] : (saidBy(stage, () => stage.advice?.(state), failed) ?? []);
    }),
  );
}
