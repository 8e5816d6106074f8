import { reportSchema } from "../../../src/protocol/task-view.ts";
import { END_GRACE_MS } from "../../../src/task/machine/state.ts";
import type { LoggedEvent } from "../../../src/task/machine/state.ts";
import { completionStatusOf } from "../../../src/task/machine/verdict.ts";
import { request } from "../../task-life.ts";
import { checkLog, must } from "../laws.ts";
import type { MemoryObject } from "../memory-object.ts";
import { OF_RETENTION_MS } from "../task-node.ts";
import type { CrashWorld } from "./crash-world.ts";
import type { Scenario } from "./scenario.ts";
import { hasLastWord } from "./stored-log.ts";

const TASK_ID = "task-1";

/** The limit of an end phase for which the task names none (protocol.md §7, Verdict). Seconds. */
const PHASE_S = 30;

/** What one fall of the machine may cost an end at most: the alarm that comes again. Milliseconds. */
const FALL_MS = 3_000;

/** The least time that a phase gets after a fall although its limit is over. Milliseconds. */
const LEAST_PHASE_MS = 5_000;

/** A run of the end that a fall cuts off between two commits goes on after this (finisher.ts). */
const RESUME_MS = 5_000;

/** Pauses between the end of one thing and the alarm for the next. Milliseconds. */
const PAUSES_MS = 1_000;

/** What must be the same however often the machine went down. */
export interface Ending {
  verdict: string;
  phases: string;
  completion: string;
  /** From the verdict to the end, milliseconds. */
  took: number;
}

function only(log: readonly LoggedEvent[], type: LoggedEvent["type"]): LoggedEvent {
  const found = log.filter((event) => event.type === type);
  const [event] = found;
  must(event !== undefined && found.length === 1, `exactly one ${type}, not ${found.length}`);
  return event;
}

/** The log shows one end: dense, one verdict, each phase once and in order, one report, and nothing after it. */
function endingOf(log: readonly LoggedEvent[], scenario: Scenario): Ending {
  checkLog(TASK_ID, log);
  const verdict = only(log, "verdict");
  const final = only(log, "agent_end_task");
  must(log.at(-1) === final, "the report is the last event");
  const phases = log.filter(({ type }) => type === "finalization_phase").map(({ data }) => data);
  const names = phases.map(({ name }) => String(name)).join(" ");
  must(names === "cleanup reporting notification", `each phase once, in order: ${names}`);
  const { reason } = scenario;
  must(
    verdict.data["reason"] === reason,
    `the verdict is ${reason}: ${String(verdict.data["reason"])}`,
  );
  const report = reportSchema.omit({ timeline: true }).parse(final.data);
  must(report.reason === reason, `the report says ${report.reason}`);
  const completion = completionStatusOf(reason, verdict.data["partial"] === true);
  must(report.completion_status === completion, `completion is ${completion}`);
  must(completion === scenario.completion, `completion is ${scenario.completion}: ${completion}`);
  const told = report.finalization.phases.map(({ name, outcome }) => `${name} ${outcome}`);
  return {
    verdict: JSON.stringify(verdict.data),
    phases: told.join(", "),
    completion,
    took: final.at - verdict.at,
  };
}

/** Everybody has heard of the end, and nobody heard of two. */
function checkNeighbours(world: CrashWorld, log: readonly LoggedEvent[], scenario: Scenario): void {
  const { received, contradictions, childReports, batchOutcomes, poked } = world.neighbours;
  const finals = [...received.values()].filter(({ type }) => type === "agent_end_task");
  must(finals.length === 1, `one final notification, not ${finals.length}`);
  must(contradictions.length === 0, `an event never changes: ${contradictions.join(", ")}`);
  must(received.size === log.length, `every event arrives: ${received.size} of ${log.length}`);
  // In the order of first arrival.
  const seqs = [...received.values()].map(({ seq }) => seq);
  must(
    seqs.every((seq, index) => seq === index + 1),
    `none before an earlier one: ${seqs.join(" ")}`,
  );
  must(world.neighbours.hasHistoryTo(log.length), "history has the whole log");
  const isTold = (outcome: { is_ended: boolean; end_reason: string | null } | undefined) =>
    outcome?.is_ended === true && outcome.end_reason === scenario.reason;
  const [latest] = childReports.toSorted((one, other) => other.seq - one.seq);
  must(isTold(latest), "its parent knows how it ended");
  must(batchOutcomes.length > 0 && batchOutcomes.every(isTold), "its batch knows how it ended");
  must(poked.includes("waiter"), "the task that waits for its end was poked");
}

/** What an object still holds of what only a task needs that is not over: rows, in words. */
export function temporaryRows(object: MemoryObject): string[] {
  const tables = object.rows();
  const ids = (query: string) => object.sql.exec<{ id: string }>(query).toArray();
  // As text: an id may be larger than a number holds exactly.
  const early = "SELECT CAST(id AS TEXT) AS id FROM record WHERE id < 0";
  const waiting = "SELECT id FROM relation WHERE kind = 'waiter'";
  return [
    ...(tables["record"] === undefined ? [] : ids(early)).map(({ id }) => `record ${id}`),
    ...(tables["relation"] === undefined ? [] : ids(waiting)).map(({ id }) => `waiter ${id}`),
  ];
}

async function checkLeftovers(world: CrashWorld, scenario: Scenario): Promise<void> {
  const left = temporaryRows(world.object);
  must(left.length === 0, `nothing temporary is left: ${left.join(", ")}`);
  const { alarmAt } = world.object;
  const endedAt = world.endedAt() ?? Infinity;
  must(alarmAt === null || alarmAt >= endedAt + OF_RETENTION_MS, "no alarm but of retention");
  if (scenario.trouble !== undefined) return;
  must(!world.pool.tasks().includes(TASK_ID), "its pool knows it no more");
  must((await world.pool.slotsInUse()) === 0, "its slot is free");
}

/** What the end phases may take together, milliseconds. */
function limitsOf({ changes }: Scenario): number {
  const limits = request(changes).execution_options.end_phase_limits ?? {};
  const { cleanup = PHASE_S, reporting = PHASE_S, notification = PHASE_S } = limits;
  return (cleanup + reporting + notification) * 1_000;
}

/**
 * What holds at the end of every run, whatever happened to the machine.
 *
 * @param calm how the same scenario ends on a machine that nothing happens to
 */
export async function checkEnd(
  world: CrashWorld,
  scenario: Scenario,
  calm: Ending | null,
): Promise<Ending> {
  const log = world.log();
  const ending = endingOf(log, scenario);
  checkNeighbours(world, log, scenario);
  await checkLeftovers(world, scenario);
  must(world.ranAgain.length === 0, `no stage is done twice: ${world.ranAgain.join(", ")}`);
  if (calm !== null) {
    must(ending.verdict === calm.verdict, "the verdict is the same");
    must(ending.phases === calm.phases, `the phases go the same: ${ending.phases}`);
  }
  const { fate, grain } = world.manner;
  const grace = hasLastWord(world.object) ? 0 : END_GRACE_MS;
  const lost = fate.fallenAt.length * (FALL_MS + LEAST_PHASE_MS);
  const most = grace + limitsOf(scenario) + lost + PAUSES_MS;
  must(ending.took <= most || grain === "write", `the end comes in time: ${ending.took} ms`);
  const inVain = scenario.mayLoseLastWord === true ? END_GRACE_MS : 0;
  const isInTime = /^(\w+ done(, )?)+$/.test(ending.phases);
  // Between two commits of an end with stages that reach outside, it goes on after so long.
  const resume = scenario.install === undefined ? 0 : RESUME_MS;
  const forEach = FALL_MS + resume + (isInTime ? 0 : LEAST_PHASE_MS);
  const slack = inVain + fate.fallenAt.length * forEach + PAUSES_MS;
  const asCalm = (calm?.took ?? Infinity) + slack;
  must(ending.took <= asCalm || grain === "write", `the end is not late: ${ending.took} ms`);
  must(world.sweeps === 0 || grain === "write", "no end needs the sweeper");
  return ending;
}
