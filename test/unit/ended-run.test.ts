import { describe, expect, it } from "vitest";

import { endedRunSchema } from "../../src/protocol/ended-run.ts";
import type { JsonObject } from "../../src/protocol/primitives.ts";
import { endedRunOf } from "../../src/task/finish/ended-run.ts";
import type { SettledState } from "../../src/task/finish/stage.ts";
import { endStages } from "../../src/task/finish/stages.ts";
import { hasVerdict } from "../../src/task/machine/state.ts";
import {
  IN_PHASE,
  assign,
  end,
  later,
  live,
  notificationOf,
  notify,
  resolve,
  stateOf,
  step,
  tick,
} from "../task-life.ts";
import type { Life } from "../task-life.ts";

function settledOf(life: Life): SettledState {
  const state = stateOf(life);
  if (!hasVerdict(state)) throw new Error("no verdict yet");
  return state;
}

const runOf = (life: Life) => endedRunOf(settledOf(life), [life.log]);

/** A round that says which memories it was told, of whichever executor. */
const ROUND = {
  intermediate_results: {
    quality_round: 1,
    model_id: "large",
    findings: [],
    memory_ids: ["mem_a", "mem_b", "mem_a"],
  },
};

const begun = (attempt: number, data: JsonObject = {}, envelope: JsonObject = {}) =>
  notify(notificationOf("task_started", data, envelope), `token-${attempt}`);

const said = (attempt: number, ...content: Parameters<typeof notificationOf>) =>
  notify(notificationOf(...content), `token-${attempt}`);

/** A second attempt with another model, after the first one failed. */
function mended(): Life {
  const queued = step(
    later(
      live(
        IN_PHASE.queued({ tags: ["q3"] }),
        assign(),
        begun(1, {
          model_selected: "small",
          required_resources: { decision_id: "d1", memory_ids: ["mem_a", "mem_b"] },
        }),
        said(1, "task_failed", { recovery_suggestions: ["Give it text"] }),
      ),
      30,
    ),
    tick,
  ).life;
  const working = live(
    later(queued, 10),
    assign(2),
    begun(2, { model_selected: "large", required_resources: { memory_ids: ["mem_b"] } }),
    said(2, "task_progress", {
      intermediate_results: {
        quality_round: 1,
        model_id: "large",
        findings: [{ check: "semantic", code: "missing_term", detail: "the total is missing" }],
      },
    }),
    said(2, "task_progress", {}, { metadata: { model_used: "largest" } }),
  );
  return live(
    later(working, 5),
    said(2, "task_completed", { lessons_learned: ["Ask for totals"] }),
  );
}

describe("an ended task as memory is told of it", () => {
  it("has each attempt with its models, what it was told, what failed and what was mended", () => {
    const run = runOf(mended());

    expect(endedRunSchema.parse(run)).toEqual(run);
    expect(run).toMatchObject({
      task_id: "task-1",
      task_type: "general",
      tags: ["q3"],
      reason: "success",
      quality: 0.9,
      error: null,
      lessons_learned: ["Ask for totals"],
      attempts: [
        {
          executor: "ann",
          model_ids: ["small"],
          memory_ids: [],
          failure: {
            type: "bad_input",
            message: "The text is empty",
            cause: "Nothing to read",
            suggestions: ["Give it text"],
          },
          is_completed: false,
        },
        {
          model_ids: ["large", "largest"],
          memory_ids: [],
          failure: null,
          rounds: [{ model_id: "large", findings: ["the total is missing"] }],
          is_completed: true,
        },
      ],
    });
  });

  it.each([
    ["sam", []],
    ["ann", [{ executor: "ann", is_completed: true }]],
  ])("believes %s that it only gave a former result again: %j", (agent_id, attempts) => {
    const envelope = { agent_id, metadata: { cached_from: "t0" } };
    const life = live(
      IN_PHASE.queued(),
      assign(1, agent_id),
      begun(1, {}, { agent_id }),
      said(1, "task_completed", {}, envelope),
    );

    expect(runOf(life).attempts).toMatchObject(attempts);
  });

  it.each([
    ["sam", ["mem_a", "mem_b"]],
    ["ann", []],
  ])("has what the models of %s were told before they answered: %j", (agent_id, memory_ids) => {
    const life = live(
      IN_PHASE.queued(),
      assign(1, agent_id),
      begun(1, { required_resources: { memory_ids: ["mem_x"] } }, { agent_id }),
      said(1, "task_progress", ROUND, { agent_id }),
      said(1, "task_progress", ROUND, { agent_id }),
      said(1, "task_completed", {}, { agent_id }),
    );

    expect(runOf(life).attempts).toMatchObject([{ executor: agent_id, memory_ids }]);
  });

  it("has where its data may go", () => {
    const bounded = {
      execution_options: { model_preference: "local" },
      requires: { labels: { region: "eu" } },
    };
    const boundsOf = (changes: JsonObject) =>
      runOf(live(IN_PHASE.executing(changes), end("failure"))).bounds;

    expect(boundsOf({})).toEqual({ locality: null, region: null });
    expect(boundsOf(bounded)).toEqual({ locality: "local", region: "eu" });
  });

  it("has the error of a failure, and the last question with its answer", () => {
    const failure = runOf(live(IN_PHASE.executing(), end("failure")));
    const answered = live(
      IN_PHASE.executing(),
      said(1, "task_escalated"),
      resolve("cancel", { answer: "Leave it" }),
    );

    expect(failure).toMatchObject({ reason: "failure", error: { message: "It went wrong" } });
    expect(runOf(answered)).toMatchObject({
      reason: "cancelled",
      escalation: { question: "Which one?", answer: "Leave it" },
    });
  });

  it("says less of a log that says less, or says nonsense, and never throws", () => {
    const life = mended();
    const nonsense = life.log.map((event) => ({ ...event, data: { data: 7, metadata: [] } }));

    const run = endedRunOf(settledOf(life), [nonsense]);

    expect(endedRunSchema.safeParse(run).success).toBe(true);
    expect(run.attempts).toMatchObject([{ model_ids: [] }, { model_ids: [] }]);
    expect(run.lessons_learned).toEqual([]);
  });

  it("is bounded, however long the log is", () => {
    const life = mended();
    const long = life.log.map((event) => ({
      ...event,
      data: JSON.parse(JSON.stringify(event.data).replaceAll("is empty", "x".repeat(9_000))),
    }));

    const run = endedRunOf(
      settledOf(life),
      Array.from({ length: 100 }, () => long),
    );

    expect(run.attempts).toHaveLength(20);
    expect(JSON.stringify(run).length).toBeLessThan(60_000);
  });
});

describe("the end stage of long-term memory", () => {
  const concerns = (changes: JsonObject, agent_id: string) => {
    const life = live(IN_PHASE.queued(changes), assign(1, agent_id));
    const started = live(life, begun(1, {}, { agent_id }));
    return [life, started].map((at) =>
      endStages
        .of(stateOf(at), "reporting")
        .map(({ name }) => name)
        .includes("long_term_memory"),
    );
  };

  it("concerns what the built-in executor began, unless the task forbids it", () => {
    expect(concerns({}, "sam")).toEqual([false, true]);
    expect(concerns({}, "ann")).toEqual([false, false]);
    expect(concerns({ execution_options: { keep_memory: "never" } }, "sam")).toEqual([
      false,
      false,
    ]);
    expect(concerns({ execution_options: { keep_memory: "always" } }, "sam")).toEqual([
      false,
      true,
    ]);
  });
});
