import type { Fault, Refusal } from "../protocol/refusal.ts";
import type { TaskExecution } from "../protocol/task-execution.ts";

/** What judging the endpoints of a task needs. */
export interface EndpointParts {
  /** Why a callback URL may not be used, or null; `origin` is our own address. */
  urlFault: (url: string, origin: string) => Promise<string | null>;
  /** Which of these webhooks the tenant does not have. */
  unknownWebhooks: (tenant: string, webhook_ids: readonly string[]) => Promise<string[]>;
}

/** The endpoints that a task names and that cannot be used, as a refusal; null when all of them can. */
export async function endpointFault(
  parts: EndpointParts,
  { tenant, origin }: { tenant: string; origin: string },
  task: TaskExecution,
): Promise<Refusal | null> {
  const callback = task.orchestrator_info?.callback_url;
  const fault = callback === undefined ? null : await parts.urlFault(callback, origin);
  const stakeholders = task.stakeholders ?? [];
  const unknown =
    stakeholders.length === 0 ? [] : await parts.unknownWebhooks(tenant, stakeholders);
  const errors: Fault[] = [
    ...(fault === null
      ? []
      : [{ pointer: "/orchestrator_info/callback_url", code: "endpoint_refused", detail: fault }]),
    ...unknown.map((webhook_id) => ({
      pointer: `/stakeholders/${stakeholders.indexOf(webhook_id)}`,
      code: "webhook_not_found",
      detail: `There is no webhook ${webhook_id}.`,
    })),
  ];
  return errors.length === 0
    ? null
    : { code: "endpoint_refused", detail: "An endpoint of the task cannot be used.", errors };
}
