import type { Amounts, ChildOffer, ChildReport } from "../src/protocol/kin.ts";

/** What a parent is asked to take on. */
export const offer = (task_id: string, more: Partial<ChildOffer> = {}): ChildOffer => ({
  task_id,
  weight: 1,
  max_retries: 2,
  ...more,
});

/** What a child tells its parent while it works. */
export function report(
  task_id: string,
  used: Partial<Amounts>,
  more: Partial<ChildReport> = {},
): ChildReport {
  return {
    task_id,
    task_type: "general",
    phase: "executing",
    is_ended: false,
    status: "running",
    end_reason: null,
    completion_status: null,
    result: null,
    quality: null,
    agent_id: "ann",
    seq: 3,
    percentage: 50,
    used: { cost_usd: 0, tokens: 0, attempts: 0, children: 0, ...used },
    height: 0,
    ...more,
  };
}
