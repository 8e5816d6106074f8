import { describe, expect, it } from "vitest";

import { misfit, wishesMet } from "../../src/dispatch/choice/fit.ts";
import type { PoolItem } from "../../src/dispatch/pool/pool.ts";
import { requiresSchema } from "../../src/protocol/requires.ts";
import type { LabelCondition } from "../../src/protocol/requires.ts";
import { agentOf, itemOf } from "./pool-fixture.ts";

const agent = agentOf("ann", { labels: { cores: 8, region: "eu", version: "10" } });

const wanting = (labels: Record<string, LabelCondition>) => itemOf("t", { requires: { labels } });

describe("fitting", () => {
  const ann = agentOf("ann", {
    capabilities: ["human", "dutch"],
    task_types: ["general", "research"],
    labels: { region: "eu", cores: 8 },
  });
  const fits: [why: string | null, requires: PoolItem["requires"]][] = [
    [null, null],
    [null, {}],
    [
      null,
      { capabilities: ["human", "dutch"], labels: { region: "eu", cores: 8 }, agent_id: "ann" },
    ],
    ["lacks capability gpu", { capabilities: ["human", "gpu"] }],
    ["label region is not us", { labels: { region: "us" } }],
    ["label cores is not 8", { labels: { cores: "8" } }],
    ["label toString is not x", { labels: { toString: "x" } }],
    ["the task asks for bob", { agent_id: "bob" }],
  ];

  it.each(fits)("answers %s to %j", (why, requires) => {
    expect(misfit(ann, itemOf("t", { requires }))).toBe(why);
  });

  it("wants the task type among those that the executor runs", () => {
    expect(misfit(ann, itemOf("t", { task_type: "testing" }))).toBe("does not run testing");
  });
});

describe("conditions on labels", () => {
  it.each<[name: string, condition: LabelCondition, isMet: boolean]>([
    ["cores", { op: "eq", value: 8 }, true],
    ["cores", { op: "eq", value: "8" }, false],
    ["cores", { op: "ne", value: 9 }, true],
    ["cores", { op: "ne", value: 8 }, false],
    ["cores", { op: "ne", value: "8" }, true],
    ["cores", { op: "gt", value: 7 }, true],
    ["cores", { op: "gt", value: 8 }, false],
    ["cores", { op: "gte", value: 8 }, true],
    ["cores", { op: "lt", value: 8 }, false],
    ["cores", { op: "lt", value: 10 }, true],
    ["cores", { op: "lte", value: 8 }, true],
    ["cores", { op: "gte", value: "1" }, false],
    ["version", { op: "lt", value: "9" }, true],
    ["version", { op: "gt", value: 9 }, false],
    ["region", { op: "in", value: ["us", "eu"] }, true],
    ["region", { op: "in", value: ["us"] }, false],
    ["cores", { op: "in", value: ["8"] }, false],
    ["region", { op: "exists" }, true],
    ["gpu", { op: "exists" }, false],
    ["gpu", { op: "ne", value: "a100" }, true],
    ["gpu", { op: "lt", value: 1 }, false],
    ["gpu", { op: "in", value: ["a100"] }, false],
    ["constructor", { op: "exists" }, false],
  ])("%s %j: %s", (name, condition, isMet) => {
    expect(misfit(agent, wanting({ [name]: condition })) === null).toBe(isMet);
  });

  it("say which one is not met", () => {
    const faults = [
      { cores: { op: "gte", value: 16 } },
      { region: { op: "in", value: ["us", "ap"] } },
      { gpu: { op: "exists" } },
    ].map((labels) => misfit(agent, wanting(requiresSchema.parse({ labels }).labels as never)));

    expect(faults).toEqual([
      "label cores is not gte 16",
      "label region is not in us | ap",
      "has no label gpu",
    ]);
  });

  it("with a weight exclude nobody, and add up where they are met", () => {
    const item = wanting({
      cores: { op: "gte", value: 4, weight: 2 },
      region: { op: "eq", value: "us", weight: 5 },
      version: { op: "exists", weight: -0.5 },
    });

    expect(misfit(agent, item)).toBeNull();
    expect(wishesMet(agent, item)).toBe(1.5);
    expect(wishesMet(agentOf("bob"), item)).toBe(0);
  });
});

describe("conditions as they are sent", () => {
  it.each([
    [{ op: "gt" }, "is required by gt"],
    [{ op: "in", value: 3 }, "must be a list for in"],
    [{ op: "lt", value: [3] }, "may be a list for in only"],
    [{ op: "exists", value: 3 }, "does not go with exists"],
  ])("are refused as %j", (condition, message) => {
    const { error } = requiresSchema.safeParse({ labels: { cores: condition } });

    expect(JSON.stringify(error?.issues)).toContain(message);
  });
});
