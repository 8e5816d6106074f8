import { expect } from "vitest";

import type { Act } from "./audit-acts.ts";
import { call } from "./batuta.ts";

/**
 * Acts on the long-term memory.
 *
 * @param canary what no entry of the audit may hold
 */
export function memoryActs({
  name,
  canary,
}: {
  name: () => string;
  canary: string;
}): Record<string, () => Promise<Act>> {
  return {
    state_memory: async () => ({
      method: "POST",
      path: "/v1/memories",
      body: { kind: "fact", topic: name(), text: canary },
      subject: ({ memory_id }) => memory_id,
      detail: { kind: "fact", topic: expect.any(String) },
    }),
    delete_memory: async () => {
      const stated = { kind: "lesson", text: `${canary} ${name()}` };
      const { body } = await call<{ memory_id: string }>("POST", "/v1/memories", stated);
      const { memory_id } = body;
      return { method: "DELETE", path: `/v1/memories/${memory_id}`, subject: memory_id };
    },
    forget_task: async () => {
      const task_id = name();
      return {
        method: "DELETE",
        path: `/v1/memories?task_id=${task_id}`,
        subject: task_id,
        detail: { memories: 0, results: 0 },
      };
    },
  };
}
