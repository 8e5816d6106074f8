import { describe, expect, it } from "vitest";

import { taskBatchSchema } from "../../src/protocol/batch.ts";
import { taskTypeSchema } from "../../src/protocol/enums.ts";
import { faultsOf } from "../../src/protocol/faults.ts";
import { taskExecutionSchema } from "../../src/protocol/task-execution.ts";

const MINIMAL = { task_type: "general", description: "Summarise the text" };

/** A minimal task with one field, however deep, set to a value. */
function withField(path: string, value: unknown): Record<string, unknown> {
  const nested = path
    .split(".")
    .toReversed()
    .reduce<unknown>((inner, name) => ({ [name]: inner }), value);
  return { ...MINIMAL, ...(nested as Record<string, unknown>) };
}

const pointersOf = (task: unknown): string[] => {
  const { error } = taskExecutionSchema.safeParse(task);
  return error === undefined ? [] : faultsOf(error, task).map(({ pointer }) => pointer);
};

const policy = "execution_options.retry_policy";
const constraints = "parameters.constraints";
const budget = "contract.budget";

/** Of each range: least, most, one below, one above; null where there is no such end. */
const RANGES: [
  path: string,
  least: number,
  most: number | null,
  below: number,
  above: number | null,
][] = [
  ["timeout", 1, 86_400, 0, 86_401],
  ["queue_timeout", 1, 604_800, 0, 604_801],
  ["total_timeout", 1, 604_800, 0, 604_801],
  ["heartbeat_timeout", 1, 86_400, 0, 86_401],
  ["stall_timeout", 1, 86_400, 0, 86_401],
  ["progress_interval", 1, 86_400, 0, 86_401],
  [`${constraints}.memory_limit`, 128, null, 127.9, null],
  [`${constraints}.cpu_limit`, 0.1, 8, 0.09, 8.01],
  [`${constraints}.disk_limit`, 100, null, 99.9, null],
  ["execution_options.quality_threshold", 0, 1, -0.01, 1.01],
  [`${policy}.max_retries`, 0, 5, -1, 6],
  [`${policy}.retry_delay`, 1, 300, 0, 301],
  [`${policy}.backoff_multiplier`, 1, 5, 0.9, 5.1],
  [`${budget}.max_cost_usd`, 0, 1e9, -0.01, 1e9 + 0.01],
  [`${budget}.max_tokens`, 0, 1e12, -1, 1e12 + 1],
  [`${budget}.max_duration_s`, 1, 604_800, 0, 604_801],
];

describe("ranges of task_execution", () => {
  const inside = RANGES.flatMap(([path, least, most]) =>
    [least, most].filter((value) => value !== null).map((value) => [path, value] as const),
  );
  const outside = RANGES.flatMap(([path, , , below, above]) =>
    [below, above].filter((value) => value !== null).map((value) => [path, value] as const),
  );

  it.each(inside)("%s may be %d", (path, value) => {
    expect(pointersOf(withField(path, value))).toEqual([]);
  });

  it.each(outside)("%s may not be %d", (path, value) => {
    expect(pointersOf(withField(path, value))).toEqual([`/${path.replaceAll(".", "/")}`]);
  });

  it.each([
    [10, 0],
    [9, 1],
    [10_000, 0],
    [10_001, 1],
  ])("a description of %i characters has %i faults", (length, faults) => {
    expect(pointersOf({ ...MINIMAL, description: "x".repeat(length) })).toHaveLength(faults);
  });

  it.each([
    ["a", 0],
    ["x".repeat(100), 0],
    ["", 1],
    ["x".repeat(101), 1],
    ["a b", 1],
    ["a/b", 1],
    ["ä", 1],
  ])("a task_id %s has %i faults", (task_id, faults) => {
    expect(pointersOf({ ...MINIMAL, task_id })).toHaveLength(faults);
  });

  it.each([
    [10, 0],
    [11, 1],
  ])("%i stakeholders have %i faults", (count, faults) => {
    const stakeholders = Array.from({ length: count }, () => "wh_0123456789abcdefABCDEF");

    expect(pointersOf({ ...MINIMAL, stakeholders })).toHaveLength(faults);
  });

  it.each([
    [1, 0],
    [100, 0],
    [0, 1],
    [101, 1],
  ])("a batch of %i tasks has %i faults", (count, faults) => {
    const batch = { tasks: Array.from({ length: count }, () => MINIMAL) };

    expect(taskBatchSchema.safeParse(batch).error?.issues ?? []).toHaveLength(faults);
  });

  it.each<[option: string, inside: number[], outside: number[]]>([
    ["max_concurrent", [1, 10], [0, 11]],
    ["timeout", [60, 7_200], [59, 7_201]],
  ])("the option %s of a batch keeps its range", (option, allowed, refused) => {
    const isValid = (value: number): boolean =>
      taskBatchSchema.safeParse({ tasks: [MINIMAL], batch_options: { [option]: value } }).success;

    expect(allowed.map(isValid)).toEqual([true, true]);
    expect(refused.map(isValid)).toEqual([false, false]);
  });
});

describe("relations of task_execution", () => {
  it.each<[what: string, task: object, pointer: string]>([
    [
      "estimated_duration beyond timeout",
      { timeout: 60, estimated_duration: 61 },
      "/estimated_duration",
    ],
    [
      "estimated_duration beyond the default timeout",
      { estimated_duration: 301 },
      "/estimated_duration",
    ],
    [
      "a task that depends on itself",
      { task_id: "t1", parameters: { dependencies: ["t0", "t1"] } },
      "/parameters/dependencies",
    ],
    ["a task that is its own parent", { task_id: "t1", parent_task_id: "t1" }, "/parent_task_id"],
  ])("refuse %s", (_what, fields, pointer) => {
    expect(pointersOf({ ...MINIMAL, ...fields })).toEqual([pointer]);
  });

  it("accept an estimate as long as the timeout", () => {
    expect(pointersOf({ ...MINIMAL, timeout: 60, estimated_duration: 60 })).toEqual([]);
  });

  it("are judged beside every other fault", () => {
    const task = { task_type: "cooking", timeout: 60, estimated_duration: 61, colour: "red" };

    expect(pointersOf(task).toSorted()).toEqual([
      "/colour",
      "/description",
      "/estimated_duration",
      "/task_type",
    ]);
  });
});

describe("task_type", () => {
  it.each(taskTypeSchema.options)("may be %s", (task_type) => {
    expect(pointersOf({ ...MINIMAL, task_type })).toEqual([]);
  });

  it.each(["cooking", "", "General", null, 1])(
    "may not be %j, and the refusal lists what may be",
    (task_type) => {
      const task = { ...MINIMAL, task_type };

      const { error } = taskExecutionSchema.safeParse(task);

      const [fault] = error === undefined ? [] : faultsOf(error, task);
      expect(fault).toMatchObject({ pointer: "/task_type", code: "invalid_value" });
      for (const option of taskTypeSchema.options) expect(fault?.expected).toContain(`"${option}"`);
    },
  );
});

describe("defaults of task_execution", () => {
  it("fill in the least that can be sent", () => {
    expect(taskExecutionSchema.parse(MINIMAL)).toEqual({
      ...MINIMAL,
      schema_version: "2.0",
      priority: "normal",
      timeout: 300,
      heartbeat_timeout: 60,
      execution_options: {
        autonomy_level: "semi_autonomous",
        model_preference: "hybrid",
        quality_threshold: 0.8,
        objective: "balanced",
        retry_policy: { max_retries: 2, retry_delay: 30, backoff_multiplier: 2 },
      },
      pool: "default",
    });
  });

  it("fill in what is left out of an option", () => {
    const task = taskExecutionSchema.parse({
      ...MINIMAL,
      execution_options: { retry_policy: { max_retries: 0 } },
    });

    expect(task.execution_options.retry_policy).toEqual({
      max_retries: 0,
      retry_delay: 30,
      backoff_multiplier: 2,
    });
  });

  it("fill in a batch", () => {
    expect(taskBatchSchema.parse({ tasks: [MINIMAL] }).batch_options).toEqual({
      execution_mode: "sequential",
      max_concurrent: 3,
      fail_fast: false,
      timeout: 1_800,
    });
  });

  it("read urgent as critical", () => {
    expect(taskExecutionSchema.parse({ ...MINIMAL, priority: "urgent" }).priority).toBe("critical");
  });

  it("have paths into results that are as acceptance checks have them", () => {
    const reduced = (json_path: string) =>
      pointersOf(
        withField("subtasks", {
          expected: 2,
          aggregation: "reduce",
          reduce: { op: "sum", json_path },
        }),
      );

    expect(reduced("findings[0].n")).toEqual([]);
    expect(reduced("$")).toEqual([]);
    expect(reduced("a b..c)")).toEqual(["/subtasks/reduce/json_path"]);
  });

  it("change nothing when parsed again", () => {
    const once = taskExecutionSchema.parse({ ...MINIMAL, priority: "urgent" });

    expect(taskExecutionSchema.parse(once)).toEqual(once);
  });
});

describe("unknown fields", () => {
  it.each([
    "colour",
    "parameters.colour",
    `${constraints}.gpu`,
    "context.mood",
    `${policy}.jitter`,
  ])("are refused at %s", (path) => {
    expect(pointersOf(withField(path, 1))).toEqual([`/${path.replaceAll(".", "/")}`]);
  });

  it.each([
    "metadata.any",
    "parameters.input_data.any",
    "parameters.configuration.any",
    "parameters.environment.any",
    "context.user_preferences.any",
  ])("are welcome at %s", (path) => {
    expect(pointersOf(withField(path, { deep: [1] }))).toEqual([]);
  });
});
