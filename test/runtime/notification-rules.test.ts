import { describe, expect, it } from "vitest";

import { Executor, call, submit, view } from "./batuta.ts";

/* What an executor says is judged by its meaning: each rule has its own refusal, and nothing is written. */

type Phase = "assigned" | "executing" | "completed";

interface Problem {
  code: string;
  errors?: { pointer: string }[];
}

const STARTED = { task_type: "research", estimated_duration: 10, complexity: "low" };
const PROGRESS = { progress_percentage: 50, current_step: "half" };
const COMPLETED = {
  result: { answer: 42 },
  execution_summary: "done",
  metrics: { execution_time: 1, tokens_used: 10, cost: 0.01, quality_score: 0.9 },
  quality_assessment: { overall_score: 0.9 },
};
const { quality_assessment: _, ...UNASSESSED } = COMPLETED;

/** A rule that is broken: by what, when, and how that is answered. */
interface Breach {
  rule: string;
  when: Phase;
  type: string;
  data: Record<string, unknown>;
  envelope?: Record<string, unknown>;
  headers?: Record<string, string>;
  status: number;
  code: string;
  pointer?: string;
}

const ahead = (seconds: number) => new Date(Date.now() + seconds * 1_000).toISOString();

/** Task, agent, transition, count: 404, 403, 409, 422. */
const SEMANTIC: Breach[] = [
  {
    rule: "the task exists",
    when: "executing",
    type: "task_progress",
    data: PROGRESS,
    envelope: { task_id: "no-such-task" },
    status: 404,
    code: "task_not_found",
  },
  {
    rule: "the agent is one that held the task",
    when: "executing",
    type: "task_progress",
    data: PROGRESS,
    envelope: { agent_id: "somebody-else" },
    status: 403,
    code: "wrong_agent",
  },
  {
    rule: "the lease is the agent's",
    when: "executing",
    type: "task_progress",
    data: PROGRESS,
    headers: { "lease-token": "stale" },
    status: 409,
    code: "lease_lost",
  },
  {
    rule: "task_started comes first",
    when: "assigned",
    type: "task_progress",
    data: PROGRESS,
    status: 409,
    code: "transition_refused",
  },
  {
    rule: "task_started comes once",
    when: "executing",
    type: "task_started",
    data: STARTED,
    envelope: { sequence: 3 },
    status: 409,
    code: "transition_refused",
  },
  {
    rule: "nothing comes after the verdict",
    when: "completed",
    type: "task_progress",
    data: PROGRESS,
    status: 409,
    code: "task_ended",
  },
  {
    rule: "the result meets the contract",
    when: "executing",
    type: "task_completed",
    data: { ...COMPLETED, quality_assessment: { overall_score: 0.1 } },
    status: 422,
    code: "result_rejected",
    pointer: "/data/quality_assessment/overall_score",
  },
];

/** Fields among themselves, and messages among each other. */
const CONSISTENCY: Breach[] = [
  {
    rule: "steps_completed is at most total_steps",
    when: "executing",
    type: "task_progress",
    data: { ...PROGRESS, steps_completed: 4, total_steps: 3 },
    status: 400,
    code: "validation_failed",
    pointer: "/data/steps_completed",
  },
  {
    rule: "progress_percentage is at most 100",
    when: "executing",
    type: "task_progress",
    data: { ...PROGRESS, progress_percentage: 101 },
    status: 400,
    code: "validation_failed",
    pointer: "/data/progress_percentage",
  },
  {
    rule: "progress_percentage never falls",
    when: "executing",
    type: "task_progress",
    data: { ...PROGRESS, progress_percentage: 19 },
    status: 422,
    code: "progress_regressed",
    pointer: "/data/progress_percentage",
  },
  {
    rule: "the timestamp is not in the future",
    when: "executing",
    type: "task_progress",
    data: PROGRESS,
    envelope: { timestamp: ahead(3_600) },
    status: 422,
    code: "timestamp_in_future",
    pointer: "/timestamp",
  },
  {
    rule: "the status is that of the type",
    when: "executing",
    type: "task_progress",
    data: PROGRESS,
    envelope: { status: "completed" },
    status: 400,
    code: "validation_failed",
    pointer: "/status",
  },
  {
    rule: "task_started names the type of the task",
    when: "assigned",
    type: "task_started",
    data: { ...STARTED, task_type: "testing" },
    status: 422,
    code: "task_mismatch",
  },
  {
    rule: "a completion is assessed",
    when: "executing",
    type: "task_completed",
    data: UNASSESSED,
    status: 400,
    code: "validation_failed",
    pointer: "/data/quality_assessment",
  },
  {
    rule: "a failure has a root cause",
    when: "executing",
    type: "task_failed",
    data: { error_type: "broken", error_message: "it broke" },
    status: 400,
    code: "validation_failed",
    pointer: "/data/root_cause",
  },
  {
    rule: "a start has an estimate",
    when: "assigned",
    type: "task_started",
    data: { task_type: "research", complexity: "low" },
    status: 400,
    code: "validation_failed",
    pointer: "/data/estimated_duration",
  },
];

let made = 0;

async function inPhase(phase: Phase): Promise<Executor> {
  made += 1;
  const name = `strict-${made}`;
  const executor = await new Executor(name).register();
  await submit({ requires: { capabilities: [name] } });
  await executor.claim();
  if (phase === "assigned") return executor;
  await executor.start();
  await executor.progress(20);
  if (phase === "completed") await executor.complete();
  return executor;
}

async function commit(breach: Breach) {
  const executor = await inPhase(breach.when);
  const before = await view(executor.task_id);
  const notification = {
    notification_id: `breach-${executor.task_id}`,
    notification_type: breach.type,
    task_id: executor.task_id,
    agent_id: executor.agent_id,
    timestamp: ahead(0),
    data: breach.data,
    ...breach.envelope,
  };
  const answer = await call<Problem>("POST", "/v1/notifications", notification, {
    ...executor.lease,
    ...breach.headers,
  });
  return { before, answer, after: await view(executor.task_id) };
}

const pointersOf = ({ errors = [] }: Problem) => errors.map(({ pointer }) => pointer);

describe("the meaning of a notification", () => {
  it.each(SEMANTIC)("$rule: $status $code", async (breach) => {
    const { before, answer, after } = await commit(breach);

    expect([answer.status, answer.body.code]).toEqual([breach.status, breach.code]);
    expect(pointersOf(answer.body)).toEqual(breach.pointer === undefined ? [] : [breach.pointer]);
    expect(after.seq).toBe(before.seq);
  });
});

describe("the content of a notification", () => {
  it.each(CONSISTENCY)("$rule: $status $code", async (breach) => {
    const { before, answer, after } = await commit(breach);

    expect([answer.status, answer.body.code]).toEqual([breach.status, breach.code]);
    expect(pointersOf(answer.body)).toEqual(breach.pointer === undefined ? [] : [breach.pointer]);
    expect(after.seq).toBe(before.seq);
  });

  it("shows a completed task at 100 %, whatever its last progress said", async () => {
    const executor = await inPhase("completed");

    expect(await view(executor.task_id)).toMatchObject({
      status: "completed",
      progress_percentage: 100,
    });
  });
});
