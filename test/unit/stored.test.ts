import { describe, expect, it } from "vitest";
import { z } from "zod";

import { notificationSchema } from "../../src/protocol/notification.ts";
import { parseStored } from "../../src/protocol/stored.ts";
import { taskExecutionSchema } from "../../src/protocol/task-execution.ts";
import { notificationOf, request } from "../task-life.ts";

describe("what was stored before a number had its bound", () => {
  it("is read with the bound in its place", () => {
    const budget = { max_cost_usd: 1e300, max_tokens: Number.MAX_SAFE_INTEGER, max_attempts: 3 };
    const task = { ...request(), contract: { budget } };

    expect(parseStored(taskExecutionSchema, structuredClone(task)).contract).toEqual({
      budget: { max_cost_usd: 1e9, max_tokens: 1e12, max_attempts: 3 },
    });
  });

  it("is read inside lists and unions", () => {
    const progress = notificationOf("task_progress");
    const held = [{ notification: { ...progress, sequence: 9e15 } }];
    const schema = z.array(z.object({ notification: notificationSchema }));

    expect(parseStored(schema, structuredClone(held))[0]?.notification.sequence).toBe(1e15);
  });

  it("is refused when anything else is wrong with it", () => {
    expect(() => parseStored(z.object({ a: z.string() }), { a: 1 })).toThrow(z.ZodError);
    expect(() => parseStored(z.object({ a: z.string().max(1) }), { a: "ab" })).toThrow(z.ZodError);
  });
});
