import { describe, expect, it } from "vitest";

import { runSkill } from "../../src/executor/attempt/skill-arm.ts";
import { execute } from "../../src/executor/engine.ts";
import { Journal, MOST_JOURNALED_BYTES } from "../../src/executor/journal.ts";
import type { Skill, SkillTools } from "../../src/executor/skills/skill.ts";
import { ok, refuse } from "../../src/lib/result.ts";
import {
  answer,
  desk,
  fault,
  firstFit,
  found,
  LEASE,
  MESSAGE,
  model,
  scripted,
  taskText,
} from "../executor-desk.ts";
import { begin, QUALITY, secondTake, skillOf, written } from "../stepping.ts";

describe("the journal of an attempt", () => {
  it("crash mid-step: the next attempt resumes at the step, and repeats neither work nor report", async () => {
    const done: string[] = [];
    const first = desk({ task_type: "general" });
    const second = desk({ task_type: "general" });

    const crashed = await begin(first);
    await expect(runSkill(crashed, skillOf(done, "two"))).rejects.toThrow("the isolate is gone");
    const resumed = await begin(second, written(first.beats), 2);
    const ran = await runSkill(resumed, skillOf(done, null));

    expect(done).toEqual(["one", "two", "three"]);
    expect(ran).toMatchObject({ ok: true, value: { kind: "made" } });
    expect(second.said).toMatchObject([
      { data: { current_step: "two" } },
      { data: { current_step: "three" } },
    ]);
  });

  it("keeps a step before its value is given back, and tells keys that no attempt changes", async () => {
    const tools: SkillTools[] = [];
    const order: string[] = [];
    const ports = desk(
      { task_type: "general" },
      {
        heartbeat: async (_to, { checkpoint }) => {
          if (checkpoint !== undefined) order.push("written");
          return ok({ commands: [] });
        },
      },
    );
    const attempt = await begin(ports);

    await runSkill(attempt, skillOf(order, null, tools));
    const later = await begin(ports, null, 2);
    await runSkill(later, skillOf([], null, tools));

    expect(order.slice(0, 4)).toEqual(["one", "written", "two", "written"]);
    expect(tools[1]?.idempotencyKey("one")).toBe(tools[0]?.idempotencyKey("one"));
    expect(tools[1]?.idempotencyKey("one")).not.toBe(tools[1]?.idempotencyKey("two"));
  });

  it("asks no model again for what it has answered before a crash", async () => {
    const task = { task_type: "code_debugging", description: "Why does this stop?" };
    const router = firstFit();
    const models = scripted([model("small")], () => answer(0.5, { duration_ms: 60_000 }));
    let isGone = false;
    const first = desk(task, {
      models,
      router,
      notify: async (_to, notification) => {
        isGone ||= found({ said: [notification] } as never, "quality_round").length > 0;
        if (isGone) throw new Error("the isolate is gone");
        return ok(null);
      },
    });
    await expect(execute(MESSAGE, first)).rejects.toThrow("the isolate is gone");
    const next = scripted([model("small")], () => answer(0.9));
    const second = desk(task, {
      models: next,
      router,
      take: secondTake(task, first.beats),
    });

    await execute(MESSAGE, second);

    expect(models.asked).toHaveLength(1);
    expect(next.asked).toHaveLength(1);
    expect(router.questions).toHaveLength(1);
    expect(found(second, "quality_round")).toMatchObject([{ score: 0.5 }, { score: 0.9 }]);
    // The first answer took 150 tokens too, and its time: both are part of what the choice has come to.
    expect(router.learned).toMatchObject([
      { decision_id: "task-1-1-1", tokens: 300, cost_usd: 0.002 },
    ]);
    expect(router.learned[0]?.latency_s).toBeGreaterThan(60);
    expect(second.said.at(-1)).toMatchObject({
      notification_type: "task_completed",
      data: { metrics: { tokens_used: 150 } },
      metadata: { rounds: 2 },
    });
  });

  it("teaches the selection once what one piece of work has come to, whoever is told of it again", async () => {
    const task = { task_type: "code_debugging", description: "Why does this stop?" };
    const router = firstFit();
    const field = [model("small", { tier: 2 }), model("large", { tier: 4 })];
    const first = desk(task, {
      router,
      models: scripted(field, ({ model_id }) =>
        model_id === "small" ? answer(0.5) : fault("unavailable"),
      ),
    });
    await execute(MESSAGE, first);
    const learned = router.learned.splice(0);
    const next = scripted(field, () => answer(0.9));
    const second = desk(task, {
      models: next,
      router,
      take: secondTake(task, first.beats),
    });

    await execute(MESSAGE, second);

    expect(learned.map(({ decision_id }) => decision_id)).toEqual(["task-1-1-1", "task-1-1-2"]);
    expect(next.asked.map(({ model_id }) => model_id)).toEqual(["large"]);
    expect(router.learned.map(({ decision_id }) => decision_id)).toEqual(["task-1-2-2"]);
  });

  it("holds a choice for as long as what it went by is the same", async () => {
    const task = { task_type: "code_debugging", description: "Why does this stop?" };
    const lease = { ...LEASE, attempt: 2 };
    const first = desk(task, {
      models: scripted([model("small")], () => {
        throw new Error("a bug");
      }),
    });
    await execute(MESSAGE, first);
    const chosenWith = async (options: Record<string, unknown>) => {
      const router = firstFit();
      const text = taskText({ ...task, execution_options: options }, written(first.beats), 2);
      const models = scripted([model("small")], () => answer(0.9));
      const next = desk(task, { models, router, take: async () => ok({ task: text, lease }) });
      await execute(MESSAGE, next);
      return router.questions.length;
    };

    expect(await chosenWith({})).toBe(0);
    expect(await chosenWith({ objective: "fast" })).toBe(1);
    expect(await chosenWith({ model_preference: "api" })).toBe(1);
  });

  it("is bounded: what does not fit is not kept", () => {
    const journal = new Journal(null, "q");

    expect(journal.keep("small", "x")).toBe(true);
    expect(journal.keep("large", "x".repeat(MOST_JOURNALED_BYTES))).toBe(false);
    expect(journal.read("large")).toBeUndefined();
    // An entry takes the place of the former one of its name.
    const entry = "x".repeat(MOST_JOURNALED_BYTES / 2);
    expect([1, 2, 3].map(() => journal.keep("again", entry))).toEqual([true, true, true]);
    expect(journal.read("constructor")).toBeUndefined();
  });

  it("is of no use to another question, but for what was spent", () => {
    const journal = new Journal(null, "q");
    journal.keep("step", 1);
    const checkpoint = journal.snapshot({ cost_usd: 1, tokens: 5 });

    const same = new Journal(checkpoint, "q");
    const other = new Journal(checkpoint, "another");

    expect([same.read("step"), same.earlier.tokens]).toEqual([1, 5]);
    expect([other.read("step"), other.earlier.tokens]).toEqual([undefined, 5]);
    expect(new Journal({ page: 3 }, "q").earlier.tokens).toBe(0);
  });

  it("tells a step once more that only an attempt before has told, when nothing new comes", async () => {
    const ports = desk({ task_type: "general" });
    const attempt = await begin(ports);
    attempt.journal.tell(1);
    const skill: Skill = {
      ...skillOf([], null),
      async *run() {
        yield { progress_percentage: 1, current_step: "one", steps_completed: 0, total_steps: 1 };
        for (let turns = 0; turns < 5; turns += 1) await new Promise((next) => setTimeout(next, 1));
        const rest = { summary: "done", next_steps: [], lessons_learned: [] };
        return ok({ output: {}, quality: QUALITY, ...rest });
      },
    };

    await runSkill(attempt, skill);

    expect(ports.said).toMatchObject([{ data: { current_step: "one" } }]);
  });

  it("lets a skill undo what it has begun when the lease is lost within a step", async () => {
    const undone: string[] = [];
    const ports = desk(
      { task_type: "general" },
      { heartbeat: async () => refuse({ code: "lease_lost", detail: "gone" }) },
    );
    const attempt = await begin(ports);
    const skill: Skill = {
      ...skillOf([], null),
      async *run(_task, { signal }) {
        try {
          yield { progress_percentage: 1, current_step: "on", steps_completed: 0, total_steps: 1 };
          await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
          yield { progress_percentage: 2, current_step: "off", steps_completed: 0, total_steps: 1 };
          throw new Error("it went on");
        } finally {
          undone.push("undone");
        }
      },
    };

    const ran = await runSkill(attempt, skill);

    expect(ran.ok).toBe(false);
    expect(undone).toEqual(["undone"]);
  });

  it("stops a skill at its next step, lets it undo, and says so, when the task is cancelled", async () => {
    const undone: string[] = [];
    let clock = 0;
    const ports = desk(
      { task_type: "general" },
      {
        now: () => (clock += 3_000),
        heartbeat: async () =>
          ok({ commands: [{ command_id: "c", command: "cancel", reason: null }] }),
      },
    );
    const attempt = await begin(ports);
    const skill: Skill = {
      task_type: "general",
      prior_quality: 1,
      estimate: () => 1,
      async *run() {
        try {
          for (;;)
            yield {
              progress_percentage: 1,
              current_step: "on",
              steps_completed: 0,
              total_steps: 1,
            };
        } finally {
          undone.push("undone");
        }
      },
    };

    const ran = await runSkill(attempt, skill);

    expect(ran).toEqual(ok({ kind: "stopped" }));
    expect(undone).toEqual(["undone"]);
  });
});
