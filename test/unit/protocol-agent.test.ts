import { describe, expect, it } from "vitest";

import {
  agentRegistrationSchema,
  assignedTaskSchema,
  claimRequestSchema,
  commandRequestSchema,
  heartbeatSchema,
} from "../../src/protocol/agent.ts";
import { commandNameSchema, taskTypeSchema } from "../../src/protocol/enums.ts";
import { faultsOf } from "../../src/protocol/faults.ts";
import { taskExecutionSchema } from "../../src/protocol/task-execution.ts";

describe("agent_registration", () => {
  it("fills in everything", () => {
    expect(agentRegistrationSchema.parse({})).toEqual({
      schema_version: "2.0",
      capabilities: [],
      task_types: taskTypeSchema.options,
      labels: {},
      slots: 1,
      pools: ["default"],
      weight: 1,
    });
  });

  it.each([{ slots: 0 }, { slots: 1.5 }, { pools: [] }, { weight: 0 }, { labels: { gpu: true } }])(
    "refuses %j",
    (fields) => {
      expect(agentRegistrationSchema.safeParse(fields).success).toBe(false);
    },
  );
});

describe("a heartbeat", () => {
  it.each([
    [200, true],
    [201, false],
  ])("acknowledges %i commands: %s", (many, isValid) => {
    const acknowledged = Array.from({ length: many }, (_, index) => `cmd_${index}`);

    expect(heartbeatSchema.safeParse({ acknowledged }).success).toBe(isValid);
  });
});

describe("the lists of a registration", () => {
  it("names a pool once only; what else is said twice is said once", () => {
    const twice = agentRegistrationSchema.safeParse({ pools: ["a", "b", "a"] });
    const harmless = { capabilities: ["gpu", "gpu"], task_types: ["general", "general"] };

    expect(twice.error && faultsOf(twice.error, {})).toMatchObject([{ pointer: "/pools/2" }]);
    expect(agentRegistrationSchema.safeParse(harmless).success).toBe(true);
  });
});

describe("a claim", () => {
  it.each([
    [{ max_tasks: 1, wait_seconds: 0 }, true],
    [{ max_tasks: 10, wait_seconds: 25 }, true],
    [{ max_tasks: 0 }, false],
    [{ max_tasks: 11 }, false],
    [{ wait_seconds: -1 }, false],
    [{ wait_seconds: 26 }, false],
  ])("%j is judged %s", (request, isValid) => {
    expect(claimRequestSchema.safeParse(request).success).toBe(isValid);
  });

  it("brings what was submitted, with all defaults, the checkpoint and the attempt", () => {
    const task = taskExecutionSchema.parse({ task_type: "general", description: "Summarise it" });

    const assigned = { ...task, stall_timeout: 300, checkpoint: { row: 7 }, attempt: 2 };

    expect(assignedTaskSchema.parse(assigned)).toEqual(assigned);
  });
});

describe("what is added up has a bound", () => {
  const MORE = [{ cost_usd: 1e9 + 1 }, { tokens: 1e12 + 1 }];

  it.each(MORE)("in a use and in a grant: %j", (more) => {
    const command = "grant_resources";

    expect(heartbeatSchema.safeParse({ usage: more }).success).toBe(false);
    expect(commandRequestSchema.safeParse({ command, grant: more }).success).toBe(false);
  });
});

describe("a command", () => {
  const own = { set_priority: { priority: "urgent" }, grant_resources: { grant: { tokens: 1 } } };

  it.each(commandNameSchema.options)("%s is accepted with what it needs", (command) => {
    const fields = command in own ? own[command as keyof typeof own] : {};

    expect(commandRequestSchema.safeParse({ command, ...fields }).success).toBe(true);
  });

  it.each([
    [{ command: "set_priority" }, "priority"],
    [{ command: "grant_resources" }, "grant"],
    [{ command: "cancel", priority: "low" }, "priority"],
    [{ command: "cancel", grant: { tokens: 1 } }, "grant"],
    [{ command: "cancel", patch: {} }, "patch"],
    [{ command: "set_priority", reason: "late", schema_version: "2" }, "priority"],
  ])("%j is refused for its %s", (request, field) => {
    const { error } = commandRequestSchema.safeParse(request);

    expect(error?.issues.map(({ path }) => path)).toEqual([[field]]);
  });

  it("is told every fault at once", () => {
    const request = { command: "set_priority", mood: "bad", reason: "" };

    const { error } = commandRequestSchema.safeParse(request);

    const pointers =
      error === undefined ? [] : faultsOf(error, request).map((fault) => fault.pointer);
    expect(pointers.toSorted()).toEqual(["/mood", "/priority", "/reason"]);
  });
});
