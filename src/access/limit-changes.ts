import { ok, refuse, type Result } from "../lib/result.ts";
import { faultsOfLimits } from "../protocol/limits.ts";
import type { LimitChange, Limits, LimitsPatch } from "../protocol/limits.ts";
import type { Refusal } from "../protocol/refusal.ts";
import type { LimitsChangeCall } from "./limit-door.ts";
import { DEFAULT_LIMITS, type Policy } from "./limit-policy.ts";

/** Keys of a tenant that may have limits of their own: all of them are one row. */
const MOST_KEYS = 1_000;

/** A policy after a change, and what the change was; several when a patch names several things. */
export interface Changed {
  policy: Policy;
  changes: Pick<LimitChange, "kind" | "key_id" | "from" | "to">[];
}

const NAMES = ["total", "execute", "status", "admin"] as const;

/** What is set in place of defaults, after a patch of it. */
function patched(limits: Policy["limits"], patch: LimitsPatch["limits"]): Policy["limits"] {
  const next: Policy["limits"] = { ...limits };
  for (const name of NAMES) {
    const value = patch?.[name];
    if (value === null) delete next[name];
    else if (value !== undefined) next[name] = value;
  }
  return next;
}

function changeTenant(policy: Policy, patch: LimitsPatch): Result<Changed, Refusal> {
  const from: Limits = { ...DEFAULT_LIMITS, ...policy.limits };
  const limits = patched(policy.limits, patch.limits);
  const to: Limits = { ...DEFAULT_LIMITS, ...limits };
  const faults = faultsOfLimits(to);
  if (faults.length > 0) {
    return refuse({
      code: "validation_failed",
      detail: "the limits contradict each other",
      errors: faults.map(({ field, detail, received }) => ({
        pointer: `/limits/${field}`,
        code: "custom",
        detail,
        received: String(received),
      })),
    });
  }
  const auto = patch.auto ?? policy.auto;
  const changes: Changed["changes"] = [];
  if (NAMES.some((name) => from[name] !== to[name])) {
    changes.push({ kind: "limits", key_id: null, from, to });
  }
  if (auto !== policy.auto) {
    changes.push({ kind: "auto", key_id: null, from: { auto: policy.auto }, to: { auto } });
  }
  return ok({ policy: { ...policy, limits, auto }, changes });
}

function changeKey(
  policy: Policy,
  key_id: string,
  limits: Limits | null,
): Result<Changed, Refusal> {
  const from = (Object.hasOwn(policy.keys, key_id) ? policy.keys[key_id] : undefined) ?? null;
  const { [key_id]: _former, ...others } = policy.keys;
  if (limits === null && from === null) {
    return refuse({ code: "key_not_found", detail: "this key has no limits of its own" });
  }
  if (limits !== null && Object.keys(others).length >= MOST_KEYS) {
    const detail = `at most ${MOST_KEYS} keys of a tenant have limits of their own`;
    return refuse({ code: "validation_failed", detail });
  }
  const keys = limits === null ? others : { ...others, [key_id]: limits };
  const isSame = JSON.stringify(from) === JSON.stringify(limits);
  const changes: Changed["changes"] = isSame
    ? []
    : [{ kind: "key_limits", key_id, from, to: limits }];
  return ok({ policy: { ...policy, keys }, changes });
}

/**
 * The policy after a change, and what has changed; nothing has when all was so already.
 *
 * Refuses limits of the tenant that contradict each other with every fault, a thousand and first key with limits of
 * its own, and the removal of limits that a key has not.
 */
export function changePolicy(
  policy: Policy,
  change: LimitsChangeCall["change"],
): Result<Changed, Refusal> {
  return "patch" in change
    ? changeTenant(policy, change.patch)
    : changeKey(policy, change.key_id, change.limits);
}
