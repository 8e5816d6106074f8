import { describe, expect, it } from "vitest";

import { isSound } from "../../src/observe/active.ts";
import { agentsOf, poolsOf } from "../../src/observe/census.ts";

const agent = (state: "online" | "stale", slots: number, slots_in_use: number, pools = ["a"]) => ({
  state,
  slots,
  slots_in_use,
  pools,
});

describe("the executors in the state", () => {
  const agents = [agent("stale", 5, 0), agent("online", 4, 1), agent("online", 1, 2, ["a", "b"])];

  it("are counted by how they are doing; free are the slots of those online, never fewer than none", () => {
    expect(agentsOf(agents, true)).toEqual({
      groups: [
        { state: "online", agents: 2, slots: 5, slots_in_use: 3 },
        { state: "stale", agents: 1, slots: 5, slots_in_use: 0 },
      ],
      is_complete: true,
      slots_free: 3,
    });
  });

  it("are counted by pool, and the pool default is always there", () => {
    expect(poolsOf(agents)).toEqual([
      { pool: "a", agents: 3, online: 2, slots: 10 },
      { pool: "b", agents: 1, online: 1, slots: 1 },
      { pool: "default", agents: 0, online: 0, slots: 0 },
    ]);
  });
});

describe("a row of the index", () => {
  const row = {
    task_id: "t",
    created_at: "",
    seq: 3,
    status: "running",
    phase: "executing",
    deadline_at: null,
    updated_at: "",
    inside: "3/running/executing",
  };
  const truth = { seq: 3, status: "running", phase: "executing" };

  it.each([
    [{}, {}, true],
    [{ seq: 2 }, {}, false],
    [{ status: "pending" }, {}, false],
    [{ phase: "queued" }, {}, false],
    [{ inside: "3/running/queued" }, {}, false],
    [{}, { seq: 4 }, false],
  ])("with %j is sound against %j: %s", (damage, news, expected) => {
    expect(isSound({ ...row, ...damage }, { ...truth, ...news })).toBe(expected);
  });
});
