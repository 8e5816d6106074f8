import { describe, expect, it } from "vitest";

import { END_NOTICES, noticeOf } from "../../src/protocol/end-notice.ts";
import { endReasonSchema } from "../../src/protocol/enums.ts";

describe("the notice of an end", () => {
  it.each([
    ["success", "task_completed", "info", "normal"],
    ["failure", "task_failed", "error", "high"],
    ["timeout", "task_failed", "error", "high"],
    ["resource_exhausted", "task_failed", "error", "high"],
    ["escalated", "task_escalated", "warning", "high"],
    ["cancelled", "agent_end_task", "info", "normal"],
  ] as const)("maps every reason to its notice: %s", (reason, told_as, severity, priority) => {
    expect(END_NOTICES[reason]).toEqual({ type: "agent_end_task", told_as, severity, priority });
    expect(noticeOf({ reason })).toBe(END_NOTICES[reason]);
  });

  it("is there for all reasons and no other", () => {
    expect(Object.keys(END_NOTICES).toSorted()).toEqual(endReasonSchema.options.toSorted());
    expect([noticeOf({}), noticeOf({ reason: "tired" })]).toEqual([null, null]);
  });
});
