import { ok, refuse } from "../../lib/result.ts";
import type { Result } from "../../lib/result.ts";
import { withinLimit } from "../../lib/within-limit.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import { reportSchema } from "../../protocol/task-view.ts";
import type { TaskState } from "../machine/state.ts";
import { hasVerdict } from "../machine/state.ts";
import type { TaskPorts } from "../ports.ts";
import { readEvents, readLog } from "../task-store.ts";
import type { EndStage, SettledState } from "./stage.ts";
import { endStages } from "./stages.ts";

/** How long one try to repair a debt may take. Milliseconds. */
const REPAIR_MS = 10_000;

async function tryAgain(
  state: SettledState,
  stage: EndStage,
  { sql, ports }: { sql: SqlStorage; ports: TaskPorts },
) {
  try {
    const answer = await withinLimit(REPAIR_MS, (signal) =>
      stage.run({ state, ports, log: () => readLog(sql), signal }),
    );
    return answer === "done"
      ? { state: "settled", detail: stage.check }
      : { state: "open", detail: "not done in time" };
  } catch (cause) {
    const { tenant, task_id } = state.origin;
    const fields = { tenant, task_id, stage: stage.name, detail: String(cause) };
    ports.log("warning", "end_stage_failed", fields);
    return { state: "open", detail: "failed again" };
  }
}

/**
 * Tries once more what the end of a task left undone, as JSON text {state: settled or open, detail}. Nothing of the
 * task changes. Refused with debt_not_found.
 */
export async function repairDebt(
  state: TaskState,
  debt_id: string,
  { sql, ports }: { sql: SqlStorage; ports: TaskPorts },
): Promise<Result<string, Refusal>> {
  const [final] = readEvents(sql, state.seq - 1, 1);
  const report = reportSchema.omit({ timeline: true }).safeParse(final?.data);
  const debt = report.data?.cleanup_debt.find((known) => known.debt_id === debt_id);
  if (debt === undefined || !hasVerdict(state)) {
    return refuse({ code: "debt_not_found", detail: "The end of this task left no such debt." });
  }
  const stage = endStages.find(debt.stage ?? "");
  if (stage === null || debt.kind === "action") {
    return ok(JSON.stringify({ state: "open", detail: `only ${debt.owner} can settle it` }));
  }
  return ok(JSON.stringify(await tryAgain(state, stage, { sql, ports })));
}
