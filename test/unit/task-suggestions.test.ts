import { describe, expect, it } from "vitest";

import { PERMANENT_CLASSES } from "../../src/protocol/notification.ts";
import type { JsonObject } from "../../src/protocol/primitives.ts";
import { judgeSuggestion } from "../../src/task/machine/suggestions.ts";
import {
  IN_PHASE,
  assign,
  failed,
  later,
  live,
  request,
  resolve,
  started,
  stateOf,
  step,
  tick,
} from "../task-life.ts";

const judge = (suggestion: JsonObject, task: JsonObject = {}) => {
  const { patch, ignored } = judgeSuggestion(request(task), suggestion);
  return { patch, ignored: ignored.map(({ pointer }) => pointer) };
};

describe("a suggested modification", () => {
  it.each([
    [{ timeout: 600, heartbeat_timeout: 90, stall_timeout: 400, progress_interval: 10 }],
    [{ parameters: { configuration: { mode: "slow" } } }],
    [{ execution_options: { model_preference: "api" } }],
    [{ timeout: null }],
  ])("of how the task is worked on is taken as it is: %o", (suggestion) => {
    expect(judge(suggestion)).toEqual({ patch: suggestion, ignored: [] });
  });

  it.each([
    [{ priority: "critical" }, "/priority"],
    [{ description: "Something else altogether" }, "/description"],
    [{ contract: { budget: { max_tokens: 9 } } }, "/contract"],
    [{ requires: { agent_id: "me" } }, "/requires"],
    [{ parameters: { dependencies: ["x"] } }, "/parameters/dependencies"],
    [{ parameters: null }, "/parameters"],
    [{ execution_options: { autonomy_level: "autonomous" } }, "/execution_options/autonomy_level"],
    [
      { execution_options: { retry_policy: { max_retries: 5 } } },
      "/execution_options/retry_policy",
    ],
    [{ no_such_field: 1 }, "/no_such_field"],
    [{ timeout: -1 }, "/timeout"],
    [{ timeout: { much: true } }, "/timeout"],
    [{ execution_options: { model_preference: "best" } }, "/execution_options/model_preference"],
    [{ parameters: { configuration: "fast" } }, "/parameters/configuration"],
  ])("that is not the executor's, or not valid, is ignored by name: %o", (suggestion, pointer) => {
    expect(judge(suggestion)).toEqual({ patch: null, ignored: [pointer] });
    expect(judge({ ...suggestion, stall_timeout: 200 })).toEqual({
      patch: { stall_timeout: 200 },
      ignored: [pointer],
    });
  });

  it("is judged by the request that comes of it", () => {
    expect(judge({ estimated_duration: 900 }, { timeout: 300 })).toEqual({
      patch: null,
      ignored: ["/estimated_duration"],
    });
    expect(judge({ estimated_duration: 900, timeout: 1_000 }, { timeout: 300 }).patch).toEqual({
      estimated_duration: 900,
      timeout: 1_000,
    });
  });

  it("that shortens the timeout below the estimate is left out", () => {
    const { patch, ignored } = judge({ timeout: 10 }, { timeout: 300, estimated_duration: 200 });

    expect(patch).toBeNull();
    expect(ignored).toEqual(["/timeout"]);
  });
});

describe("a failed attempt with a suggestion", () => {
  const suggested_modifications = { timeout: 600, priority: "critical" };

  it("is retried with it, and the log says what was ignored", () => {
    const life = live(IN_PHASE.executing(), failed({ suggested_modifications }));

    expect(life.log.at(-1)).toMatchObject({
      type: "retry_scheduled",
      data: {
        patch: { timeout: 600 },
        ignored_suggestions: [{ pointer: "/priority" }],
      },
    });
    expect(stateOf(life)).toMatchObject({ task: { timeout: 600 }, priority: "normal" });
  });

  it("is retried as it was when nothing of the suggestion can be taken", () => {
    const life = live(
      IN_PHASE.executing(),
      failed({ suggested_modifications: { priority: "high" } }),
    );

    expect(life.log.at(-1)?.data).not.toHaveProperty("patch");
    expect(stateOf(life).phase).toBe("retry_wait");
  });

  describe("under autonomy manual", () => {
    const asked = () => {
      const approved = live(IN_PHASE.awaiting_approval(), resolve("resume"));
      return live(approved, assign(), started(), failed({ suggested_modifications }));
    };

    it("becomes a question with the suggestion as evidence", () => {
      expect(stateOf(asked())).toMatchObject({
        phase: "awaiting_input",
        task: { timeout: 300 },
        escalation: {
          kind: "handover",
          options: ["resume", "change", "cancel"],
          evidence: {
            context: {
              suggested_modifications: { timeout: 600 },
              ignored_suggestions: [{ pointer: "/priority" }],
            },
          },
        },
      });
    });

    it.each([
      ["change", {}, 600],
      ["change", { patch: { timeout: 450 } }, 450],
      ["resume", {}, 300],
    ] as const)("is answered by %s %o: a timeout of %i s", (decision, more, timeout) => {
      const life = live(asked(), resolve(decision, more, "esc_2_task-1"));

      expect(stateOf(life)).toMatchObject({ phase: "queued", task: { timeout } });
    });

    it("ends with the failure itself when nobody answers for a day", () => {
      const life = step(later(asked(), 86_400), tick).life;

      expect(stateOf(life)).toMatchObject({
        escalation: { state: "expired" },
        verdict: { reason: "failure", error: { type: "bad_input" } },
      });
    });
  });
});

describe("a failure's class", () => {
  it.each(PERMANENT_CLASSES)("%s is never retried", (name) => {
    const root_cause = { class: name, detail: "d", evidence: "" };

    const life = live(IN_PHASE.executing(), failed({ root_cause }));

    expect(stateOf(life).verdict).toMatchObject({ reason: "failure" });
  });

  it.each(["transient", "tool", "network", "anything"])("%s is retried", (name) => {
    const root_cause = { class: name, detail: "d", evidence: "" };

    const life = live(IN_PHASE.executing(), failed({ root_cause }));

    expect(stateOf(life).phase).toBe("retry_wait");
  });
});
