import type { Limits, OperationClass, PerClass } from "../protocol/limits.ts";

/** What a key may do in a minute unless something else is set (protocol.md §7, Sizes; status: §6 of the issue). */
export const DEFAULT_LIMITS: Limits = { total: 1_200, execute: 300, status: 720, admin: 60 };

/** What is set for a tenant: in place of defaults, for single keys, and whether a factor may lower it. */
export interface Policy {
  limits: Partial<Limits>;
  keys: Readonly<Record<string, Limits>>;
  auto: boolean;
}

/** The policy of a tenant that has set nothing. */
export const DEFAULT_POLICY: Policy = { limits: {}, keys: {}, auto: true };

/** The limits of a principal as they are set. */
export function limitsFor(policy: Policy, principal: string | null): Limits {
  const own = principal === null ? undefined : policy.keys[principal];
  return own ?? { ...DEFAULT_LIMITS, ...policy.limits };
}

/** The number of requests that each class may make in a window; `notify` shares its own with `status`. */
export type Quota = PerClass;

/** No requests of any class. */
export const NONE: PerClass = { execute: 0, notify: 0, status: 0, admin: 0 };

/**
 * What limits come to. At least one of each class: a limit of nothing would be a block.
 *
 * The factor is not for `notify` and `admin`: executors must be able to finish, and operators to repair.
 *
 * @param by `scale` is the installation's LIMITS_FACTOR, `factor` what the state of the tenant and the key allow
 */
export function quotaOf(limits: Limits, by: { scale: number; factor: number }): Quota {
  const { total, execute, status, admin } = limits;
  const scaled = (limit: number): number => Math.max(1, Math.floor(limit * by.scale));
  const lowered = (limit: number): number => Math.max(1, Math.floor(limit * by.scale * by.factor));
  return {
    execute: lowered(execute),
    notify: scaled(total - execute - admin),
    status: lowered(status),
    admin: scaled(admin),
  };
}

/**
 * Requests of a class for which there is room. `execute` and `admin` are set aside; what `status` takes, `notify` has
 * no more, but `status` may not take all of it.
 */
export function roomFor(operation: OperationClass, used: PerClass, quota: Quota): number {
  const shared = quota.notify - used.notify - used.status;
  switch (operation) {
    case "execute":
    case "admin":
      return Math.max(0, quota[operation] - used[operation]);
    case "notify":
      return Math.max(0, shared);
    case "status":
      return Math.max(0, Math.min(shared, quota.status - used.status));
  }
}
