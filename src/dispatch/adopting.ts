import { ok, refuse, type Result } from "../lib/result.ts";
import type { Refusal } from "../protocol/refusal.ts";
import type { Adoption } from "../task/kin/adoption.ts";
import { offerOf } from "./kinship.ts";
import type { KinshipParts, NewChild } from "./kinship.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** Why a task cannot be a child: there is no such parent. */
export function unknownParent(parent_task_id: string): Refusal {
  const detail = `There is no task ${parent_task_id} that could be the parent.`;
  return {
    code: "parent_refused",
    detail,
    errors: [{ pointer: "/parent_task_id", code: "parent_refused", detail }],
  };
}

/** Has a parent take these children on, all or none; with `isTrial` it only says whether it could. */
export async function adoptBy(
  parts: KinshipParts,
  tenant: string,
  parent: string,
  { children, isTrial }: { children: readonly NewChild[]; isTrial: boolean },
): Answer<Adoption> {
  const offers = children.map(({ task, task_id }) => offerOf(task, task_id));
  const done = await parts.askKin(tenant, parent, { call: "adopt", offers, is_trial: isTrial });
  if (!done.ok) {
    if (done.refusal.code !== "task_not_found") return done;
    if (!(await parts.isArchived(tenant, parent))) return refuse(unknownParent(parent));
    return refuse({ code: "task_ended", detail: `The parent ${parent} has ended.` });
  }
  const adoption: Adoption = JSON.parse(done.value);
  return ok(adoption);
}

/** Why a parent cannot have all of these children together; null when it can. */
export async function childrenFault(
  parts: KinshipParts,
  tenant: string,
  { parent, children }: { parent: string; children: readonly NewChild[] },
): Promise<Refusal | null> {
  const adopted = await adoptBy(parts, tenant, parent, { children, isTrial: true });
  return adopted.ok ? null : adopted.refusal;
}
