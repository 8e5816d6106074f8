import { instant } from "../../lib/ports.ts";
import { actionOf } from "../../protocol/post-mortem.ts";
import type { EndPhaseRecord, Report } from "../../protocol/task-view.ts";
import type { Incident } from "../machine/incident-kinds.ts";
import type { TaskState, Verdict } from "../machine/state.ts";

type Entry = Report["post_mortem"][number];

/** So many entries are told one by one: the report is a notification too, and 128 KB travel whole. */
export const MOST_ENTRIES = 100;

/** Characters of one text: what is longer is in the event that it comes from. */
const LONGEST_TEXT = 500;

/** So many suggestions of an executor are repeated with what was done. */
const MOST_SUGGESTIONS = 5;

/** A text that is read at a glance. */
export function clipped(text: string): string {
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT - 1)}…` : text;
}

/** When it was; a log whose clock makes no sense is told as of the verdict. */
function whenOf(at: number, verdict: Verdict): string {
  const isInstant = Number.isFinite(at) && Math.abs(at) <= 8.64e15;
  return instant(isInstant ? at : verdict.at);
}

function listed(lead: string, texts: readonly string[] = []): string {
  const told = texts.slice(0, MOST_SUGGESTIONS);
  return told.length === 0 ? "" : `; ${lead}: ${told.join("; ")}`;
}

function entryOf(incident: Incident, state: TaskState, verdict: Verdict): Entry {
  const { what, class: word, effect, action, isFatal, suggestions } = incident;
  const end = state.memo?.end?.error_information;
  const recovery = isFatal ? listed("the executor did", end?.recovery_actions) : "";
  const advice = listed("it suggests", suggestions);
  return {
    what: clipped(what),
    when: whenOf(incident.at, verdict),
    class: clipped(word),
    effect: clipped(effect),
    action: clipped(`${action}${recovery}${advice}`),
  };
}

/** The executor's last word was another one than the verdict. */
function contradiction({ memo }: TaskState, verdict: Verdict): Entry[] {
  const end = memo?.end ?? null;
  if (memo === null || end === null || end.reason === verdict.reason) return [];
  // It was told to cancel, and did: what its parent calls the end is no contradiction.
  if (end.reason === "cancelled" && verdict.error?.type === "stopped") return [];
  const error = end.error_information;
  const why = error === undefined ? "" : `: ${error.error_message}`;
  return [
    {
      what: clipped(`The executor ended the task with reason ${end.reason}${why}`),
      when: whenOf(memo.end_at ?? memo.beat_at, verdict),
      class: "reason_ignored",
      effect: `The reason contradicts the verdict ${verdict.reason}`,
      action: clipped(
        `${actionOf("Ignored", "a verdict never changes")}${listed("the executor did", error?.recovery_actions)}`,
      ),
    },
  ];
}

/** Subtasks that did not succeed. When each ended is in its own report: here it is when the parent was over. */
function failedChildren({ family }: TaskState, verdict: Verdict): Entry[] {
  return (family?.children ?? []).flatMap(({ task_id, report }): Entry[] => {
    const reason = report?.is_ended === true ? report.end_reason : null;
    if (reason === null || reason === "success" || reason === "cancelled") return [];
    // It was stopped because this task ended: no cause of that.
    if (report?.is_stopped === true) return [];
    return [
      {
        what: `Subtask ${task_id} ended with reason ${reason}`,
        when: instant(verdict.at),
        class: "subtask_failed",
        effect: "Its result was not there to be joined",
        action: actionOf("Noted", `why is in the report of ${task_id}`),
      },
    ];
  });
}

/** End phases that did not do what they are for. */
function failedPhases(phases: readonly EndPhaseRecord[], debts: number): Entry[] {
  return phases.flatMap((phase): Entry[] => {
    if (phase.outcome === "done" || phase.outcome === "skipped") return [];
    const undone = phase.checks.filter(({ passed }) => !passed).map(({ name }) => name);
    const isInDebt = phase.name === "cleanup" && debts > 0;
    const left = isInDebt ? "what was left is in cleanup_debt" : "the task ended without it";
    const tries = phase.attempts === 1 ? "once" : `${phase.attempts} times`;
    return [
      {
        what: clipped(`Phase ${phase.name} did not achieve: ${undone.join(", ")}`),
        when: phase.ended_at,
        class: `${phase.name}_${phase.outcome === "timed_out" ? "timed_out" : "failed"}`,
        effect: "The task ended without it",
        action:
          phase.outcome === "timed_out"
            ? actionOf("Ended", `it was cut at its limit; ${left}`)
            : actionOf(phase.attempts > 1 ? "Retried" : "Noted", `it was tried ${tries}; ${left}`),
      },
    ];
  });
}

/** The entries that are told, and in one more how many of which class are not. */
function bounded(entries: readonly Entry[]): Entry[] {
  const last = entries.at(-1);
  if (entries.length <= MOST_ENTRIES || last === undefined) return [...entries];
  const kept = MOST_ENTRIES - 1;
  const [first, rest] = [entries.slice(0, kept / 3), entries.slice(-Math.ceil((kept * 2) / 3))];
  const left = entries.slice(first.length, entries.length - rest.length);
  const counts = [...Map.groupBy(left, (entry) => entry.class)].map(
    ([word, { length }]) => `${length} × ${word}`,
  );
  const summary: Entry = {
    what: clipped(`${left.length} further problems: ${counts.join(", ")}`),
    when: left[0]?.when ?? last.when,
    class: "further_problems",
    effect: "Each of them is in the log",
    action: actionOf("Noted", "the report names the first and the latest"),
  };
  return [...first, summary, ...rest];
}

/** Every problem that the log and the end phases know of, in order of time; empty for a clean run. */
export function postMortemOf(
  state: TaskState,
  verdict: Verdict,
  finish: { phases: readonly EndPhaseRecord[]; debts: number },
): Entry[] {
  const entries = [
    ...state.incidents.map((incident) => entryOf(incident, state, verdict)),
    ...failedChildren(state, verdict),
    ...contradiction(state, verdict),
    ...failedPhases(finish.phases, finish.debts),
  ];
  return bounded(entries.toSorted((a, b) => (a.when < b.when ? -1 : a.when > b.when ? 1 : 0)));
}
