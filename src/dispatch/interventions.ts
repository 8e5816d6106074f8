import { ok, refuse } from "../lib/result.ts";
import type { Result } from "../lib/result.ts";
import type { Principal } from "../protocol/access.ts";
import type { CommandRequest, CommandView } from "../protocol/agent.ts";
import type { Refusal } from "../protocol/refusal.ts";
import type {
  Actor,
  Escalation,
  EscalationResolution,
  Explanation,
  TaskView,
} from "../protocol/task-view.ts";
import type { PoolExplanation } from "./pool/pool-port.ts";
import { actorOf } from "./tasks.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** A task's object as whoever steps in calls it; payloads are JSON text. */
interface InterventionDoor {
  command(request: string, actor: Actor): Answer<CommandView>;
  resolve(escalation_id: string, resolution: string, actor: Actor): Answer<string>;
  explain(): Answer<string>;
  view(): Answer<{ view: string; holders: string[] }>;
  rebuild(): Answer<{ seq: number }>;
}

/** What the use cases are built from. */
export interface InterventionsParts {
  task: (tenant: string, task_id: string) => InterventionDoor;
  /** Whether a key may read a task: an executor's only what its agents hold or held. */
  readable: (by: Principal, task_id: string) => Answer<unknown>;
  /** Where a task stands in a pool, or null when the pool does not know it. */
  placeInPool: (tenant: string, pool: string, task_id: string) => Promise<PoolExplanation | null>;
}

/** Use cases of those who step in: commands, answers to escalations, questions why. */
export interface Interventions {
  command: (by: Principal, task_id: string, request: CommandRequest) => Answer<CommandView>;
  resolve: (
    by: Principal,
    escalation_id: string,
    answer: EscalationResolution,
  ) => Answer<Escalation>;
  explain: (by: Principal, task_id: string) => Answer<Explanation>;
  rebuild: (by: Principal, task_id: string) => Answer<{ seq: number }>;
}

/** The id of an escalation leads to its task: esc_<number>_<task_id>. */
const ESCALATION_ID = /^esc_\d{1,9}_([A-Za-z0-9_-]{1,100})$/;

/** What the pool adds: the place in the queue, and why the executors it knows do not take the task. */
function withPlace(explanation: Explanation, place: PoolExplanation | null): Explanation {
  if (place === null || explanation.phase !== "queued") return explanation;
  const queue =
    place.position === null
      ? []
      : [{ kind: "queue", detail: `place ${place.position} in the pool's order` }];
  const candidates = place.candidates.map(({ agent_id, reasons }) => ({
    kind: "candidate",
    detail: `${agent_id}: ${reasons.join(", ")}`,
  }));
  return { ...explanation, waiting_for: [...explanation.waiting_for, ...queue, ...candidates] };
}

/** The use cases of interventions. */
export function createInterventions(parts: InterventionsParts): Interventions {
  return {
    command: (by, task_id, request) =>
      parts.task(by.tenant, task_id).command(JSON.stringify(request), actorOf(by)),
    async resolve(by, escalation_id, answer) {
      const task_id = ESCALATION_ID.exec(escalation_id)?.[1];
      const unknown: Refusal = {
        code: "escalation_not_found",
        detail: "There is no escalation with this id.",
      };
      if (task_id === undefined) return refuse(unknown);
      const door = parts.task(by.tenant, task_id);
      const done = await door.resolve(escalation_id, JSON.stringify(answer), actorOf(by));
      if (!done.ok) return done.refusal.code === "task_not_found" ? refuse(unknown) : done;
      const escalation: Escalation = JSON.parse(done.value);
      return ok(escalation);
    },
    async explain(by, task_id) {
      const allowed = await parts.readable(by, task_id);
      if (!allowed.ok) return allowed;
      const done = await parts.task(by.tenant, task_id).explain();
      if (!done.ok) return done;
      const explanation: Explanation = JSON.parse(done.value);
      if (explanation.phase !== "queued") return ok(explanation);
      const found = await parts.task(by.tenant, task_id).view();
      if (!found.ok) return found;
      const { pool }: TaskView = JSON.parse(found.value.view);
      return ok(withPlace(explanation, await parts.placeInPool(by.tenant, pool, task_id)));
    },
    rebuild: (by, task_id) => parts.task(by.tenant, task_id).rebuild(),
  };
}
