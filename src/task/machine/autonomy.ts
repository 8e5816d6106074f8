import { instant } from "../../lib/ports.ts";
import type { DraftEvent, Origin, SettledTask } from "./state.ts";
import { SYSTEM } from "./state.ts";

/**
 * Why a task must be approved before anyone may take it; null when it need not.
 *
 * A doubt of whoever submitted it: always. manual: always. semi_autonomous: when its complexity is critical, in the caller's judgement or by its
 * features. autonomous: never (protocol.md §2).
 */
function reasonToAsk({ origin, task }: { origin: Origin; task: SettledTask }): string | null {
  if (origin.approval !== undefined) return origin.approval.reason;
  switch (task.execution_options.autonomy_level) {
    case "manual":
      return "The task's autonomy level is manual";
    case "semi_autonomous":
      return task.complexity === "critical" || origin.assessment?.band === "critical"
        ? "The task's autonomy level is semi_autonomous and its complexity is critical"
        : null;
    case "autonomous":
      return null;
  }
}

/** The question for approval with which a task begins, or null when it may begin at once. */
export function approvalEvent(
  submission: { origin: Origin; task: SettledTask },
  now: number,
): DraftEvent | null {
  const reason = reasonToAsk(submission);
  if (reason === null) return null;
  const { origin, task } = submission;
  return {
    type: "task_escalated",
    actor: SYSTEM,
    data: {
      notification_id: `approval-${origin.uid}`,
      notification_type: "task_escalated",
      task_id: task.task_id,
      agent_id: SYSTEM.id,
      timestamp: instant(now),
      status: "escalated",
      data: {
        escalation_reason: reason,
        escalation_level: "human",
        question: origin.approval?.question ?? `May this ${task.task_type} task be started?`,
        urgency: task.priority === "critical" ? "critical" : "medium",
        context: {
          description: task.description,
          ...(origin.approval !== undefined && { evidence: origin.approval.evidence }),
        },
        options: ["resume", "cancel"],
      },
      metadata: { escalation_kind: "approval" },
    },
  };
}
