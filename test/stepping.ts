import { beginAttempt } from "../src/executor/attempt/attempt.ts";
import type { Attempt } from "../src/executor/attempt/attempt.ts";
import type { ExecutorPorts } from "../src/executor/ports.ts";
import type { Skill, SkillTools } from "../src/executor/skills/skill.ts";
import { ok } from "../src/lib/result.ts";
import type { Heartbeat } from "../src/protocol/agent.ts";
import { LEASE, taskText } from "./executor-desk.ts";

/* An attempt of three steps that change the world, and what it leaves in its checkpoint. */

/** The newest checkpoint that was written, as it comes back from storage. */
export function written(beats: readonly Heartbeat[]): unknown {
  const all = beats.flatMap(({ checkpoint }) => (checkpoint === undefined ? [] : [checkpoint]));
  return JSON.parse(JSON.stringify(all.at(-1) ?? null));
}

/** An assessment that passes. */
export const QUALITY = {
  overall_score: 0.9,
  criteria_scores: { correctness: 1, completeness: 1, efficiency: 1, maintainability: 1 },
  feedback: "done",
};

/** A skill of three steps that change the world; the given ones fail by a crash. */
export function skillOf(done: string[], crashAt: string | null, tools: SkillTools[] = []): Skill {
  return {
    task_type: "general",
    prior_quality: 1,
    estimate: () => 1,
    async *run(_task, given) {
      tools.push(given);
      for (const [index, name] of ["one", "two", "three"].entries()) {
        yield {
          progress_percentage: index * 30,
          current_step: name,
          steps_completed: index,
          total_steps: 3,
        };
        await given.step(name, async () => {
          if (name === crashAt) throw new Error("the isolate is gone");
          done.push(name);
          return { name };
        });
      }
      const rest = { summary: "done", next_steps: [], lessons_learned: [] };
      return ok({ output: { done: [...done] }, quality: QUALITY, ...rest });
    },
  };
}

/** An attempt that goes on from a checkpoint. */
export function begin(
  ports: ExecutorPorts,
  checkpoint: unknown = null,
  attempt = 1,
): Promise<Attempt> {
  const text = taskText({ task_type: "general" }, checkpoint, attempt);
  const lease = { ...LEASE, attempt };
  return beginAttempt(text, { tenant: "t", task_id: "task-1", lease }, ports);
}

/** The taking of a task's second attempt, with the checkpoint that the first one has left. */
export function secondTake(
  task: Parameters<typeof taskText>[0],
  beats: readonly Heartbeat[],
): ExecutorPorts["take"] {
  const lease = { ...LEASE, attempt: 2 };
  return async () => ok({ task: taskText(task, written(beats), 2), lease });
}
