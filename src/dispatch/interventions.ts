import { instant } from "../lib/ports.ts";
import { ok, refuse } from "../lib/result.ts";
import type { Result } from "../lib/result.ts";
import type { Principal } from "../protocol/access.ts";
import type { CommandEntry, CommandRequest, CommandView } from "../protocol/agent.ts";
import type { Page } from "../protocol/keyset.ts";
import type { EscalationsQuery } from "../protocol/queries.ts";
import type { Refusal } from "../protocol/refusal.ts";
import type {
  Actor,
  Escalation,
  EscalationResolution,
  Explanation,
  TaskView,
} from "../protocol/task-view.ts";
import type { PoolExplanation } from "./pool/pool-port.ts";
import { actorOf } from "./submission.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** A task's object as whoever steps in calls it; payloads are JSON text. */
interface InterventionDoor {
  command(request: string, actor: Actor): Answer<CommandView>;
  commands(): Answer<string>;
  escalation(
    escalation_id: string,
  ): Answer<{ escalation: string; level: string; asked_by: string }>;
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
  /** A task in history; null when it never heard of it. Refused with task_gone when it was removed. */
  pastView: (tenant: string, task_id: string) => Answer<TaskView | null>;
  /** Escalations as history last saw them. */
  archive: {
    list: (
      tenant: string,
      query: EscalationsQuery & { level?: "agent" },
    ) => Answer<Page<Escalation>>;
    get: (tenant: string, escalation_id: string) => Promise<Escalation | null>;
  };
  /** The key that an executor is bound to, or null. */
  keyOfAgent: (tenant: string, agent_id: string) => Promise<string | null>;
  /** Where a task stands in a pool, or null when the pool does not know it. */
  placeInPool: (tenant: string, pool: string, task_id: string) => Promise<PoolExplanation | null>;
}

/** Use cases of those who step in: commands, answers to escalations, questions why. */
export interface Interventions {
  command: (by: Principal, task_id: string, request: CommandRequest) => Answer<CommandView>;
  commands: (by: Principal, task_id: string) => Answer<Page<CommandEntry>>;
  escalations: (by: Principal, query: EscalationsQuery) => Answer<Page<Escalation>>;
  /** Refused: escalation_not_found, task_gone. */
  escalation: (by: Principal, escalation_id: string) => Answer<Escalation>;
  /**
   * Refused: forbidden, escalation_not_found, escalation_closed, patch_rejected, task_gone. A key without the
   * scopes orchestrate and admin answers with resume what is asked of agents, and never what its own agent asks,
   * or may ask: one that is bound to no key.
   */
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

const UNKNOWN: Refusal = {
  code: "escalation_not_found",
  detail: "There is no escalation with this id.",
};

/** Whether a key decides about tasks: to answer as an orchestrator, reading along is not enough. */
export function decides(by: Principal): boolean {
  return by.scopes.some((scope) => scope === "orchestrate" || scope === "admin");
}

/** Whether a key reads all of its tenant. */
export function readsAll(by: Principal): boolean {
  return decides(by) || by.scopes.includes("observe");
}

/** An escalation from its task's object, or from history once that is empty. */
async function findEscalation(
  parts: InterventionsParts,
  by: Principal,
  escalation_id: string,
): Promise<{ escalation: Escalation; level: string | null; asked_by: string | null } | null> {
  const task_id = ESCALATION_ID.exec(escalation_id)?.[1];
  if (task_id === undefined) return null;
  const found = await parts.task(by.tenant, task_id).escalation(escalation_id);
  if (found.ok) {
    const escalation: Escalation = JSON.parse(found.value.escalation);
    return { ...found.value, escalation };
  }
  const escalation = await parts.archive.get(by.tenant, escalation_id);
  return escalation === null ? null : { escalation, level: null, asked_by: null };
}

/** Why an executor's key may not give this answer; null when it may. */
async function executorFault(
  parts: InterventionsParts,
  by: Principal,
  escalation_id: string,
  { decision }: EscalationResolution,
): Promise<Refusal | null> {
  const found = await findEscalation(parts, by, escalation_id);
  // Nobody learns from a refusal that there is something that it may not see.
  if (found?.level !== "agent" || found.asked_by === null) return UNKNOWN;
  if (decision !== "resume") {
    const detail = "An agent answers with resume; to change or cancel is the orchestrator's.";
    return { code: "forbidden", detail };
  }
  const askers = await parts.keyOfAgent(by.tenant, found.asked_by);
  // Every key may hold an agent that is bound to none, so that it may be this one that asks.
  return askers === null || askers === by.key_id
    ? {
        code: "forbidden",
        detail:
          "Another agent, the orchestrator or a person has to answer what your agent asks, or may be asking: an agent that an admin registered, or that is gone, belongs to no key.",
      }
    : null;
}

/** Why neither the task's object nor history has an escalation: its task may have been removed. */
async function unknownOf(
  { pastView }: InterventionsParts,
  by: Principal,
  task_id: string | undefined,
): Promise<Refusal> {
  // Nobody learns from a refusal that there was something that it may not see.
  if (!readsAll(by) || task_id === undefined) return UNKNOWN;
  const past = await pastView(by.tenant, task_id);
  return past.ok ? UNKNOWN : past.refusal;
}

async function readOne(
  parts: InterventionsParts,
  by: Principal,
  escalation_id: string,
): Answer<Escalation> {
  const found = await findEscalation(parts, by, escalation_id);
  if (found === null) {
    return refuse(await unknownOf(parts, by, ESCALATION_ID.exec(escalation_id)?.[1]));
  }
  if (readsAll(by) || found.level === "agent") return ok(found.escalation);
  const { asked_by } = found;
  const key = asked_by === null ? null : await parts.keyOfAgent(by.tenant, asked_by);
  return key === by.key_id ? ok(found.escalation) : refuse(UNKNOWN);
}

async function resolveOne(
  parts: InterventionsParts,
  by: Principal,
  escalation_id: string,
  answer: EscalationResolution,
): Answer<Escalation> {
  const task_id = ESCALATION_ID.exec(escalation_id)?.[1];
  if (task_id === undefined) return refuse(UNKNOWN);
  const fault = decides(by) ? null : await executorFault(parts, by, escalation_id, answer);
  if (fault !== null) return refuse(fault);
  const door = parts.task(by.tenant, task_id);
  const done = await door.resolve(escalation_id, JSON.stringify(answer), actorOf(by));
  if (done.ok) {
    const escalation: Escalation = JSON.parse(done.value);
    return ok(escalation);
  }
  if (done.refusal.code !== "task_not_found") return done;
  const known = await parts.archive.get(by.tenant, escalation_id);
  if (known === null) return refuse(await unknownOf(parts, by, task_id));
  const detail = `The task has ended, and its memory was emptied since; the escalation is ${known.state}.`;
  return refuse({ code: "escalation_closed", detail });
}

/** What the pool adds: the place in the queue, and why the executors it knows do not take the task. */
function withPlace(explanation: Explanation, place: PoolExplanation | null): Explanation {
  if (place === null || explanation.phase !== "queued") return explanation;
  const queue =
    place.position === null
      ? []
      : [{ kind: "queue", detail: `place ${place.position} in the pool's order` }];
  const candidates = place.candidates.map(({ agent_id, reasons, score }) => ({
    kind: "candidate",
    detail: `${agent_id}: ${[...reasons, ...(score === null ? [] : [`score ${score}`])].join(", ")}`,
  }));
  const start = place.estimated_start;
  return {
    ...explanation,
    waiting_for: [...explanation.waiting_for, ...queue, ...candidates],
    unblocked_by: place.unblocked_by.length > 0 ? place.unblocked_by : explanation.unblocked_by,
    estimated_start: start === null ? explanation.estimated_start : instant(start),
  };
}

/** The use cases of interventions. */
export function createInterventions(parts: InterventionsParts): Interventions {
  return {
    command: (by, task_id, request) =>
      parts.task(by.tenant, task_id).command(JSON.stringify(request), actorOf(by)),
    async commands(by, task_id) {
      const allowed = await parts.readable(by, task_id);
      if (!allowed.ok) return allowed;
      const done = await parts.task(by.tenant, task_id).commands();
      if (!done.ok) return done;
      const items: CommandEntry[] = JSON.parse(done.value);
      return ok({ items, next_cursor: null });
    },
    escalations: (by, query) =>
      parts.archive.list(by.tenant, {
        ...query,
        ...(!readsAll(by) && { level: "agent" as const }),
      }),
    escalation: (by, escalation_id) => readOne(parts, by, escalation_id),
    resolve: (by, escalation_id, answer) => resolveOne(parts, by, escalation_id, answer),
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
