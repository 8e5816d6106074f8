import type { JsonValue, SkillTools } from "../skills/skill.ts";
import type { Attempt } from "./attempt.ts";

/** Does a named piece of work, or gives what is known of it. */
type Step = SkillTools["step"];

/** Steps in the journal. The n-th step of a name is the n-th of that name in every attempt. */
function journaled({ journal, session, ports, task }: Attempt): Step {
  const seen = new Map<string, number>();
  return async <Value extends JsonValue>(name: string, work: () => Promise<Value>) => {
    const place = (seen.get(name) ?? 0) + 1;
    seen.set(name, place);
    const entry = `step:${name}:${place}`;
    const known = journal.read(entry);
    // Written by this very step in an attempt before: what type it has, only the skill can say.
    if (known !== undefined) return known as Value;
    const value = await work();
    if (!journal.keep(entry, value)) {
      ports.log("warning", "step_not_journaled", { task_id: task.task_id ?? "", step: name });
    }
    // A refusal has aborted the signal, which the skill looks at.
    await session.save();
    return value;
  };
}

/** Steps that belong to a model's call: the call is journaled as one, and asks for other steps when it is repeated. */
const unjournaled: Step = (_name, work) => work();

function withStep({ ports, session, secret }: Attempt, step: Step): SkillTools {
  const { signal } = session;
  return {
    now: ports.now,
    pause: (ms) => ports.sleep(ms, signal),
    http: (request) => ports.http(request, signal),
    step,
    idempotencyKey: (name) => `${secret}-${name}`,
    signal,
  };
}

/** The tools of the executor's own skill. */
export function toolsOf(attempt: Attempt): SkillTools {
  return withStep(attempt, journaled(attempt));
}

/** The tools of skills that a model calls. */
export function modelToolsOf(attempt: Attempt): SkillTools {
  return withStep(attempt, unjournaled);
}
