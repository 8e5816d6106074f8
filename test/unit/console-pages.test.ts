import { describe, expect, it } from "vitest";

import { gridOf } from "../../src/console/lib/chart-data.ts";
import { COMMANDS, commandBody, commandsFor } from "../../src/console/lib/commands.ts";
import { summaryOf } from "../../src/console/lib/event-summary.ts";
import { sentencesOf } from "../../src/console/lib/readable.ts";
import { waterfall } from "../../src/console/lib/waterfall.ts";
import { EMPTY_DRAFT, requestOf } from "../../src/console/pages/tasks/task-draft.ts";
import { eventWords } from "../../src/console/words/events.ts";
import { taskWords } from "../../src/console/words/task.ts";
import { commandRequestSchema } from "../../src/protocol/agent.ts";
import { eventTypeSchema, taskPhaseSchema } from "../../src/protocol/enums.ts";
import { taskExecutionSchema } from "../../src/protocol/task-execution.ts";

const DRAFT = { reason: "", priority: "high", patch: "", cost_usd: "", tokens: "", duration_s: "" };

describe("counts on a grid", () => {
  it("are the last hour by minute, 0 where nothing is said, and added where lines meet", () => {
    const at = 3_600 * 10;
    const { times, lines } = gridOf(
      [
        {
          labels: { status: "failed" },
          points: [
            [at, 2],
            [at - 60, null],
            [at - 7_200, 9],
          ],
        },
        {
          labels: { status: "escalated" },
          points: [
            [at + 30, 1],
            [at + 60, 5],
          ],
        },
        { labels: { status: "cancelled" }, points: [[at, 7]] },
      ],
      {
        lineIds: ["failed", "completed"],
        lineOf: ({ labels }) => (labels["status"] === "cancelled" ? null : "failed"),
        at: at + 59,
      },
    );

    expect([times.length, times[0], times.at(-1)]).toEqual([60, at - 59 * 60, at]);
    expect(lines.map(({ id, total }) => [id, total])).toEqual([
      ["failed", 3],
      ["completed", 0],
    ]);
    expect(lines[0]?.values.slice(-2)).toEqual([0, 3]);
  });
});

describe("the summary of an event", () => {
  it("says how far and with what, from a notification's own data", () => {
    const data = { agent_id: "a", data: { progress_percentage: 62.4, current_step: "Writing" } };

    expect(summaryOf(data)).toBe("62 % · Writing");
  });

  it("never says that all is done before it is", () => {
    expect(summaryOf({ data: { progress_percentage: 99.9 } })).toBe("99 %");
  });

  it.each([
    [{ name: "cleanup", outcome: "done" }, "cleanup · done"],
    [{ command: "cancel", reason: "no need" }, "cancel · no need"],
    [{ agent_id: "sam", attempt: 1 }, "sam"],
    [null, ""],
    ["odd", ""],
  ])("of %j is %j", (data, said) => {
    expect(summaryOf(data)).toBe(said);
  });

  it("is short, however much an executor writes", () => {
    expect(summaryOf({ data: { error_message: "x".repeat(100_000) } }).length).toBeLessThan(310);
  });

  it("has a name for every event of the contract", () => {
    expect(Object.keys(eventWords.en).toSorted()).toEqual([...eventTypeSchema.options].toSorted());
  });
});

describe("commands of a task", () => {
  it.each([
    ["queued", ["set_priority", "grant_resources", "escalate", "cancel"]],
    ["retry_wait", ["retry", "set_priority", "grant_resources", "escalate", "cancel"]],
    ["awaiting_input", ["resume", "retry", "set_priority", "grant_resources", "cancel"]],
    ["finalizing", []],
    ["ended", []],
  ])("in phase %s are those that it can take", (phase, commands) => {
    expect(commandsFor({ phase, end_reason: null })).toEqual(commands);
  });

  it("end with the verdict, and have a word in the page", () => {
    for (const phase of taskPhaseSchema.options) {
      expect(commandsFor({ phase, end_reason: "cancelled" })).toEqual([]);
    }
    expect(COMMANDS.filter((command) => !Object.hasOwn(taskWords.en, command))).toEqual([]);
  });

  it.each(COMMANDS)("are what the server reads: %s", (command) => {
    const body = commandBody(command, { ...DRAFT, cost_usd: "1.5", reason: " why " });

    expect(commandRequestSchema.parse(body)).toMatchObject({ command, reason: "why" });
  });

  it("take a patch with a retry, when it is an object", () => {
    expect(commandBody("retry", { ...DRAFT, patch: '{"timeout": 60}' })).toEqual({
      command: "retry",
      patch: { timeout: 60 },
    });
    for (const patch of ["[1]", "null", "{", "7"]) {
      expect(commandBody("retry", { ...DRAFT, patch })).toBeNull();
    }
  });
});

describe("a trace as a waterfall", () => {
  const at = (second: number): string => new Date(1_000_000 + second * 1_000).toISOString();
  const span = (span_id: string, parent_id: string | null, from: number, to: number | null) => ({
    span_id,
    parent_id,
    started_at: at(from),
    ended_at: to === null ? null : at(to),
  });

  it("puts children under their parents by their start, in per cent of the whole", () => {
    const bars = waterfall(
      [span("root", null, 0, 10), span("late", "root", 5, 10), span("early", "root", 0, 5)],
      0,
    );

    expect(
      bars.map(({ span: { span_id }, depth, left, width }) => [span_id, depth, left, width]),
    ).toEqual([
      ["root", 0, 0, 100],
      ["early", 1, 0, 50],
      ["late", 1, 50, 50],
    ]);
  });

  it("shows what goes on until now, strangers at the top and circles once", () => {
    const bars = waterfall(
      [span("a", "b", 0, null), span("b", "a", 1, 2), span("stranger", "gone", 0, 4)],
      1_008_000,
    );

    expect(bars.map(({ span: { span_id } }) => span_id).toSorted()).toEqual(["a", "b", "stranger"]);
    expect(bars.find(({ span: { span_id } }) => span_id === "a")?.width).toBe(100);
    expect(bars.every(({ left, width }) => left >= 0 && width > 0 && left + width <= 100)).toBe(
      true,
    );
  });

  it("stays inside the picture when clocks disagree or say nothing", () => {
    const odd = { span_id: "x", parent_id: null, started_at: "never", ended_at: null };
    const bars = waterfall([span("r", null, 5, 1), odd], 1_000_000);

    expect(bars.every(({ left, width }) => left >= 0 && width > 0 && left + width <= 100.001)).toBe(
      true,
    );
    expect(waterfall([], 0)).toEqual([]);
  });
});

describe("sentences of a result", () => {
  it("are picked where they plainly are", () => {
    const result = { summary: "Well.", findings: [{ text: "One" }, "Two", { other: 1 }, 3] };

    expect(sentencesOf(result)).toEqual(["Well.", "One", "Two"]);
    expect(sentencesOf("just text")).toEqual(["just text"]);
    expect(sentencesOf([1])).toEqual([]);
  });
});

describe("the form of a task", () => {
  const full = {
    ...EMPTY_DRAFT,
    description: "Say what is worth knowing.",
    task_type: "data_analysis",
    timeout: "60",
    task_id: "t1",
    tags: " a, ,b ",
  };

  it.each([
    ["none", "", undefined],
    ["csv", "a,b\n1,2", { csv: "a,b\n1,2" }],
    ["text", "Words", { text: "Words" }],
    ["json", '{"rows": []}', { rows: [] }],
  ] as const)("is a request that the server takes, with input %s", (inputKind, input, sent) => {
    const parsed = taskExecutionSchema.parse(requestOf({ ...full, inputKind, input }));

    expect(parsed).toMatchObject({ task_id: "t1", timeout: 60, tags: ["a", "b"] });
    expect(parsed.parameters?.input_data).toEqual(sent);
  });

  it("is none when its input should be a JSON object and is not", () => {
    expect(requestOf({ ...full, inputKind: "json", input: "[1]" })).toBeNull();
    expect(requestOf({ ...full, inputKind: "json", input: "{" })).toBeNull();
  });
});
