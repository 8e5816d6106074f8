import { describe, expect, it } from "vitest";

import { createUpgrader, numbersOf, UPGRADER } from "../../src/protocol/upgrader.ts";
import { VERSIONS, versionsSchema } from "../../src/protocol/versions.ts";
import type { VersionRegistry } from "../../src/protocol/versions.ts";

const TASK = { task_type: "general", description: "Summarise the text" };

/** The registry as it would be after the next minor: 2.1 calls `timeout` what 2.0 calls `max_seconds` here. */
const [now] = VERSIONS.versions;
const NEXT: VersionRegistry = {
  ...VERSIONS,
  versions: [
    ...(now === undefined
      ? []
      : [{ ...now, status: "deprecated", deprecated_since: "2027-03-01", sunset: "2028-03-01" }]),
    {
      version: "2.1",
      status: "current",
      released: "2027-03-01",
      deprecated_since: null,
      sunset: null,
      accepts: ["2.1"],
      notes: "Renames a field.",
    },
  ] as VersionRegistry["versions"],
  steps: [
    {
      from: "2.0",
      to: "2.1",
      upgrade: {
        TaskExecution: ({ max_seconds, ...task }) =>
          max_seconds === undefined ? task : { ...task, timeout: max_seconds },
      },
    },
  ],
};

describe("the registry", () => {
  it("is of the shape that is served, and its last version is the current one", () => {
    expect(versionsSchema.safeParse(UPGRADER.view).error).toBeUndefined();
    expect(VERSIONS.versions.filter(({ status }) => status === "current")).toEqual([
      VERSIONS.versions.at(-1),
    ]);
    expect(UPGRADER.supported.every((text) => UPGRADER.known(text) !== null)).toBe(true);
    expect(UPGRADER.supported).toEqual(["2", "2.0"]);
  });

  it("has a chain of steps from each version to the current one", () => {
    const pairs = VERSIONS.versions.slice(1).map(({ version: to }, index) => ({
      from: VERSIONS.versions[index]?.version,
      to,
    }));

    expect(VERSIONS.steps.map(({ from, to }) => ({ from, to }))).toEqual(pairs);
  });

  it("needs a version", () => {
    expect(() => createUpgrader({ ...VERSIONS, versions: [] })).toThrow(RangeError);
  });
});

describe("known", () => {
  it.each([
    ["2", "2.0"],
    ["2.0", "2.0"],
    ["2.7", "2.0"],
    ["1.0", null],
    ["1", null],
    ["3.0", null],
    ["two", null],
    ["", null],
    ["2.0.1", null],
    ["-2", null],
  ])("reads %j as %j", (text, version) => {
    expect(UPGRADER.known(text)).toBe(version);
  });

  it("reads each minor as itself once there are several", () => {
    const next = createUpgrader(NEXT);

    expect(["2", "2.0", "2.1", "2.9", "1.9", "3.0"].map((text) => next.known(text))).toEqual([
      "2.0",
      "2.0",
      "2.1",
      "2.1",
      null,
      null,
    ]);
  });

  it("reads numbers, not texts", () => {
    expect(numbersOf("2.10")).toEqual({ major: 2, minor: 10 });
    expect(numbersOf("2")).toEqual({ major: 2, minor: 0 });
    expect(numbersOf("2.")).toBeNull();
  });
});

describe("upgrade", () => {
  it.each([
    ["TaskExecution", { ...TASK, priority: "urgent" }, { ...TASK, priority: "critical" }],
    [
      "TaskBatch",
      { tasks: [TASK, { ...TASK, priority: "urgent" }] },
      { tasks: [TASK, { ...TASK, priority: "critical" }] },
    ],
    [
      "SubtaskOffer",
      { subtasks: [{ ...TASK, priority: "urgent" }] },
      { subtasks: [{ ...TASK, priority: "critical" }] },
    ],
    ["Request", { constraints: { priority: "urgent" } }, { constraints: { priority: "critical" } }],
    ["CommandRequest", { priority: "urgent" }, { priority: "critical" }],
    ["CommandRequest", { patch: { priority: "urgent" } }, { patch: { priority: "critical" } }],
    [
      "EscalationResolution",
      { patch: { priority: "urgent" } },
      { patch: { priority: "critical" } },
    ],
    ["Approval", { overrides: { priority: "urgent" } }, { overrides: { priority: "critical" } }],
    [
      "BulkCommand",
      { priority: "urgent", filter: { priority: "urgent" } },
      { priority: "critical", filter: { priority: "critical" } },
    ],
    ["StatusRequest", { priority: "urgent" }, { priority: "critical" }],
    [
      "WebhookRegistration",
      { filters: { priorities: ["low", "urgent"] } },
      { filters: { priorities: ["low", "critical"] } },
    ],
    [
      "WebhookPatch",
      { filters: { priorities: ["urgent"] } },
      { filters: { priorities: ["critical"] } },
    ],
    ["FilterTest", { sample: { priority: "urgent" } }, { sample: { priority: "critical" } }],
    [
      "ChannelFrame",
      { notification: { data: { suggested_modifications: { priority: "urgent" } } } },
      { notification: { data: { suggested_modifications: { priority: "critical" } } } },
    ],
  ])("reads urgent as critical in a %s, and tells it once", (kind, old, newest) => {
    const { message, notices } = UPGRADER.upgrade(kind, old);

    expect(message).toEqual(newest);
    expect(notices).toMatchObject([{ deprecated_since: "2026-11-26", sunset: null }]);
  });

  it.each(["2", "2.0", "2.9"])("writes version %s as the current one", (schema_version) => {
    expect(UPGRADER.upgrade("TaskExecution", { ...TASK, schema_version })).toEqual({
      message: { ...TASK, schema_version: "2.0" },
      notices: [],
    });
  });

  it.each([
    ["another major", { ...TASK, schema_version: "1.0", priority: "urgent" }],
    ["no version at all", { ...TASK, schema_version: "two" }],
    ["a version of another type", { ...TASK, schema_version: 2 }],
    ["nothing old", TASK],
    ["a text", "urgent"],
    ["a list", [TASK]],
    ["null", null],
  ])("leaves the very same message where it has %s", (_what, message) => {
    expect(UPGRADER.upgrade("TaskExecution", message).message).toBe(message);
  });

  it("does not touch free fields, nor the same word elsewhere", () => {
    const message = { ...TASK, metadata: { priority: "urgent" }, tags: ["urgent"] };

    expect(UPGRADER.upgrade("TaskExecution", message)).toEqual({ message, notices: [] });
    expect(UPGRADER.upgrade("Heartbeat", { priority: "urgent" }).notices).toEqual([]);
    expect(UPGRADER.upgrade(undefined, { priority: "urgent" }).notices).toEqual([]);
  });

  it("changes nothing of the message that it was given", () => {
    const message = Object.freeze({ ...TASK, priority: "urgent" });

    UPGRADER.upgrade("TaskExecution", message);

    expect(message.priority).toBe("urgent");
  });
});

describe("the next minor", () => {
  const next = createUpgrader(NEXT);

  it("lifts what 2.0 sends, says that it is deprecated and until when", () => {
    expect(
      next.upgrade("TaskExecution", { ...TASK, schema_version: "2.0", max_seconds: 5 }),
    ).toEqual({
      message: { ...TASK, schema_version: "2.1", timeout: 5 },
      notices: [
        {
          text: "version 2.0 is deprecated, send 2.1",
          deprecated_since: "2027-03-01",
          sunset: "2028-03-01",
        },
      ],
    });
  });

  it("takes a message without a version for what the header says, or else for the default", () => {
    const old = { ...TASK, max_seconds: 5 };

    expect(next.upgrade("TaskExecution", old).message).toEqual({ ...TASK, timeout: 5 });
    expect(next.upgrade("TaskExecution", old, "2.1")).toEqual({ message: old, notices: [] });
  });

  it("lifts a message inside another by its own version, or else by that of the other", () => {
    const inside = { ...TASK, max_seconds: 5 };
    const { message } = next.upgrade("TaskBatch", {
      schema_version: "2.1",
      tasks: [inside, { ...inside, schema_version: "2.0" }],
    });

    expect(message).toEqual({
      schema_version: "2.1",
      tasks: [inside, { ...TASK, schema_version: "2.1", timeout: 5 }],
    });
  });

  it("leaves what speaks 2.1 as it is, and still reads older forms in it", () => {
    const { message, notices } = next.upgrade("TaskExecution", {
      ...TASK,
      schema_version: "2.1",
      priority: "urgent",
    });

    expect(message).toEqual({ ...TASK, schema_version: "2.1", priority: "critical" });
    expect(notices).toHaveLength(1);
  });
});
