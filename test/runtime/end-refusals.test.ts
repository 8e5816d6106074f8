import { describe, expect, it } from "vitest";

import { Executor, call, ended, submit, view } from "./batuta.ts";
import { newTenant } from "./tenant.ts";

/* What is wrong with an end is refused by name, and nothing is written. */

interface Problem {
  code: string;
  detail: string;
  errors?: { pointer: string; detail: string }[];
}

type Fields = Record<string, unknown>;

/** An end that must be refused, and how. */
interface Breach {
  rule: string;
  end: Fields;
  when?: "assigned";
  headers?: Record<string, string>;
  /** Where it is sent in place of the task's own address. */
  address?: string;
  status: number;
  code: string;
  pointers: string[];
}

const error_information = { error_code: "E1", error_message: "it broke" };
const ahead = (seconds: number) => new Date(Date.now() + seconds * 1_000).toISOString();
const FAILURE = { reason: "failure", error_information };
const metrics = (start_time: string, end_time: string, duration_seconds: number) => ({
  execution_metrics: { start_time, end_time, duration_seconds },
});
const [TEN, FIVE_PAST] = ["2026-11-22T10:00:00Z", "2026-11-22T10:05:00Z"];

const INVALID = { status: 400, code: "validation_failed" };

const BREACHES: Breach[] = [
  {
    rule: "the lease token is the one in force",
    end: {},
    headers: { "lease-token": "stale" },
    status: 409,
    code: "lease_lost",
    pointers: [],
  },
  {
    rule: "the lease token may be one",
    end: {},
    headers: { "lease-token": "" },
    status: 400,
    code: "validation_failed",
    pointers: ["/headers/Lease-Token"],
  },
  {
    rule: "the task is the agent's",
    end: { agent_id: "somebody-else" },
    status: 403,
    code: "wrong_agent",
    pointers: ["/agent_id"],
  },
  {
    rule: "the task exists",
    end: { task_id: "no-such-task" },
    address: "no-such-task",
    status: 404,
    code: "task_not_found",
    pointers: [],
  },
  {
    rule: "the body speaks of the task of its address",
    end: { task_id: "another-task" },
    status: 422,
    code: "task_mismatch",
    pointers: ["/task_id"],
  },
  {
    rule: "a success has no error",
    end: { error_information },
    ...INVALID,
    pointers: ["/error_information"],
  },
  {
    rule: "a success is assessed",
    end: { quality_assessment: undefined },
    ...INVALID,
    pointers: ["/quality_assessment"],
  },
  {
    rule: "a failure says of what",
    end: { reason: "failure" },
    ...INVALID,
    pointers: ["/error_information"],
  },
  {
    rule: "it does not end before it starts",
    end: metrics(FIVE_PAST, TEN, 300),
    ...INVALID,
    pointers: ["/execution_metrics/end_time"],
  },
  {
    rule: "the duration is the difference",
    end: metrics(TEN, FIVE_PAST, 30),
    ...INVALID,
    pointers: ["/execution_metrics/duration_seconds"],
  },
  {
    rule: "no field is unknown",
    end: { mood: "good" },
    ...INVALID,
    pointers: ["/mood"],
  },
  {
    rule: "every fault is named at once",
    end: { mood: "good", error_information, ...metrics(FIVE_PAST, TEN, 300) },
    ...INVALID,
    pointers: ["/error_information", "/execution_metrics/end_time", "/mood"],
  },
  {
    rule: "a success has started",
    when: "assigned",
    end: {},
    status: 409,
    code: "transition_refused",
    pointers: ["/reason"],
  },
  {
    rule: "a success is as good as the task asks for",
    end: { quality_assessment: { overall_score: 0.1 } },
    status: 422,
    code: "result_rejected",
    pointers: ["/quality_assessment/overall_score"],
  },
  {
    rule: "it was not written in the future",
    end: { timestamp: ahead(3_600) },
    status: 422,
    code: "timestamp_in_future",
    pointers: ["/timestamp"],
  },
  {
    rule: "it is not too large",
    end: { result_data: { output: "x".repeat(1_048_577) } },
    status: 413,
    code: "body_too_large",
    pointers: [],
  },
];

let made = 0;

async function holder(when?: Breach["when"]): Promise<Executor> {
  made += 1;
  const name = `ending-${made}`;
  const executor = await new Executor(name).register();
  await submit({ requires: { capabilities: [name] } });
  await executor.claim();
  if (when !== "assigned") await executor.start();
  return executor;
}

function endOf({ task_id, agent_id }: Executor, fields: Fields): Fields {
  return {
    task_id,
    agent_id,
    reason: "success",
    timestamp: ahead(0),
    quality_assessment: { overall_score: 0.9 },
    ...fields,
  };
}

describe("an end", () => {
  it.each(BREACHES)("is refused unless $rule: $status $code", async (breach) => {
    const executor = await holder(breach.when);
    const { task_id } = executor;
    const before = await view(task_id);

    const answer = await call<Problem>(
      "POST",
      `/v1/tasks/${breach.address ?? task_id}/end`,
      endOf(executor, breach.end),
      { ...executor.lease, ...breach.headers },
    );

    const { code, detail, errors = [] } = answer.body;
    expect([answer.status, code]).toEqual([breach.status, breach.code]);
    expect(errors.map(({ pointer }) => pointer).toSorted()).toEqual(breach.pointers);
    expect([detail, ...errors.map((fault) => fault.detail)].filter((text) => text === "")).toEqual(
      [],
    );
    expect(await view(task_id)).toEqual(before);
  });

  it("is refused without any token", async () => {
    const executor = await holder();
    const before = await view(executor.task_id);

    const answer = await call<Problem>(
      "POST",
      `/v1/tasks/${executor.task_id}/end`,
      endOf(executor, FAILURE),
    );

    expect([answer.status, answer.body.code]).toEqual([409, "lease_lost"]);
    expect(answer.body.detail).toContain("Lease-Token");
    expect(await view(executor.task_id)).toEqual(before);
  });

  it("of another tenant's task finds no such task", async () => {
    const executor = await holder();
    const before = await view(executor.task_id);
    const foreigner = await newTenant("ending-foreigner");

    const answer = await foreigner<Problem>(
      "POST",
      `/v1/tasks/${executor.task_id}/end`,
      endOf(executor, FAILURE),
      executor.lease,
    );

    expect([answer.status, answer.body.code]).toEqual([404, "task_not_found"]);
    expect(await view(executor.task_id)).toEqual(before);
  });

  it("that comes again with another reason gets the first answer, and is told so", async () => {
    const executor = await holder();
    const send = (fields: Fields) =>
      call("POST", `/v1/tasks/${executor.task_id}/end`, endOf(executor, fields), executor.lease);

    const first = await send(FAILURE);
    const contrary = await send({});
    const over = await ended(executor.task_id);
    const late = await send({ reason: "cancelled" });
    const same = await send(FAILURE);

    expect([first, contrary, late, same].map(({ status }) => status)).toEqual([202, 200, 200, 200]);
    const verdict = { end_reason: "failure", completion_status: "failure" };
    expect(first.body).toMatchObject(verdict);
    expect(contrary.body).toMatchObject({ ...verdict, reason_ignored: true });
    expect(late.body).toMatchObject({ ...verdict, reason_ignored: true });
    expect(same.body).toEqual(first.body);
    expect(await view(executor.task_id)).toEqual(over);
  });
});
