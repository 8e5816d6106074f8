import * as z from "zod";

import {
  factorReasonSchema,
  factorSchema,
  limitChangeSchema,
  limitsSchema,
} from "../protocol/limits.ts";
import type { PerClass } from "../protocol/limits.ts";
import { DEFAULT_POLICY } from "./limit-policy.ts";

/** What is stored of the limits of a tenant, as JSON. */
export const settingSchema = z.object({
  policy: z.object({
    limits: limitsSchema.partial().transform((limits) => ({
      ...(limits.total !== undefined && { total: limits.total }),
      ...(limits.execute !== undefined && { execute: limits.execute }),
      ...(limits.status !== undefined && { status: limits.status }),
      ...(limits.admin !== undefined && { admin: limits.admin }),
    })),
    keys: z.record(z.string(), limitsSchema),
    auto: z.boolean(),
  }),
  factor: z.object({
    value: factorSchema,
    reason: factorReasonSchema,
    evidence: z.string().nullable(),
    since: z.number().nullable(),
  }),
  changes: z.array(limitChangeSchema),
});

/** What is set for a tenant, what it is multiplied by (`since`: epoch milliseconds), and what has changed, newest first. */
export type Setting = z.infer<typeof settingSchema>;

export const DEFAULT_SETTING: Setting = {
  policy: { ...DEFAULT_POLICY, keys: {} },
  factor: { value: 1, reason: "none", evidence: null, since: null },
  changes: [],
};

/** What the limits of one tenant keep over the loss of their memory. */
export interface LimitKeeping {
  setting(): Setting;
  writeSetting(setting: Setting): void;
  /** Windows by their principal, those that are over included. */
  windows(now: number): Map<string, { started_at: number; used: PerClass }>;
  writeWindow(principal: string, window: { started_at: number; used: PerClass }): void;
}
