import { instant } from "../../lib/ports.ts";
import type { CleanupDebt, EndPhaseRecord } from "../../protocol/task-view.ts";
import type { DebtDraft, EndStage, SettledState, StageRegistry } from "./stage.ts";

/** How long a debt of a stage that says nothing of it is tried to be repaired. Milliseconds. */
const DEBT_LIFE_MS = 86_400_000;

function draftsOf(stage: EndStage, state: SettledState): DebtDraft[] {
  if (stage.debts !== undefined) return stage.debts(state);
  // What never left the object left nothing undone outside.
  if (stage.isLocal === true) return [];
  const expires_at = state.updated_at + DEBT_LIFE_MS;
  return [{ kind: "stage", what: stage.check, owner: "batuta", expires_at }];
}

/** What the end of a task left undone, by the records of its phases. */
export function debtsOf(
  state: SettledState,
  records: readonly EndPhaseRecord[],
  stages: StageRegistry,
): CleanupDebt[] {
  const undone = records.flatMap(({ name, checks }) =>
    checks.flatMap(({ name: check, passed }) => {
      const stage = passed ? null : stages.checkedBy(name, check);
      return stage === null
        ? []
        : draftsOf(stage, state).map((draft) => ({ ...draft, stage: stage.name }));
    }),
  );
  return undone.map((debt, index) => ({
    ...debt,
    debt_id: `debt_${index + 1}_${state.origin.task_id}`,
    expires_at: instant(debt.expires_at),
  }));
}

/** What the stages of these phases suggest for the next time. */
export function adviceOf(
  state: SettledState,
  records: readonly EndPhaseRecord[],
  stages: StageRegistry,
): string[] {
  return records.flatMap(({ name, checks }) =>
    checks.flatMap(({ name: check }) => stages.checkedBy(name, check)?.advice?.(state) ?? []),
  );
}
