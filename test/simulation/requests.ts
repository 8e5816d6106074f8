import { z } from "zod";

import type { JsonObject } from "../../src/protocol/primitives.ts";
import { taskExecutionSchema } from "../../src/protocol/task-execution.ts";
import type { TaskState } from "../../src/task/machine/state.ts";

const parentSchema = z.object({ parent_task_id: z.string().optional() });

/** Every request by its task id, whether it was ever accepted or not: who is below whom. */
export class Requests {
  readonly #bodies = new Map<string, JsonObject>();

  add(task_id: string, parent_task_id: string | undefined, more: JsonObject): void {
    this.#bodies.set(task_id, {
      task_id,
      task_type: "general",
      description: "Do what is to be done",
      ...(parent_task_id !== undefined && { parent_task_id }),
      ...more,
    });
  }

  /** As it is sent. */
  bodyOf(task_id: string): JsonObject | undefined {
    return this.#bodies.get(task_id);
  }

  /** As its schema reads it. */
  taskOf(task_id: string): TaskState["task"] {
    return { ...taskExecutionSchema.parse(this.#bodies.get(task_id)), task_id };
  }

  parentOf(task_id: string): string | undefined {
    return parentSchema.parse(this.#bodies.get(task_id) ?? {}).parent_task_id;
  }

  /** A task and its ancestors, the root last. */
  lineOf(task_id: string): string[] {
    const line: string[] = [];
    let next: string | undefined = task_id;
    while (next !== undefined) {
      line.push(next);
      next = this.parentOf(next);
    }
    return line;
  }

  /** Generations below a task among these. */
  heightOf(task_id: string, among: Iterable<string>): number {
    const own = this.lineOf(task_id).length;
    const lines = [...among].map((other) => this.lineOf(other));
    const below = lines.filter((line) => line.includes(task_id));
    return Math.max(0, ...below.map((line) => line.length - own));
  }
}
