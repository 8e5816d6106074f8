import { describe, expect, it } from "vitest";

import { createFollowUps } from "../../src/dispatch/next-steps.ts";
import { ok, refuse } from "../../src/lib/result.ts";
import type { Principal } from "../../src/protocol/access.ts";
import type { TaskExecution } from "../../src/protocol/task-execution.ts";
import type { TaskEvent, TaskView } from "../../src/protocol/task-view.ts";
import { eventOf, viewOf } from "../task-news.ts";

const BY: Principal = { key_id: "k", tenant: "acme", scopes: ["orchestrate"], isBootstrap: false };
const ARRIVAL = { traceId: "trace", origin: "https://batuta.test" };
const STEPS = ["Compare the forecast with last year's sales", "Tell us"];

const completed = (seq: number, next_steps: string[]) =>
  eventOf(seq, { type: "task_completed", data: { data: { next_steps } } });

function world(log: TaskEvent[], changes: Partial<TaskView> = {}) {
  const submitted: TaskExecution[] = [];
  const asked: number[] = [];
  const view = viewOf({
    task_id: "first",
    seq: log.length,
    status: "completed",
    phase: "ended",
    task_type: "research",
    priority: "high",
    pool: "night",
    tags: ["red"],
    ...changes,
  });
  const followUps = createFollowUps({
    view: async (_by, task_id) =>
      task_id === "first" ? ok(view) : refuse({ code: "task_not_found", detail: "" }),
    events: async (_by, _task_id, { after, limit }) => {
      asked.push(after);
      const items = log.filter(({ seq }) => seq > after).slice(0, limit);
      const last = items.at(-1)?.seq ?? after;
      return ok({ items, next_cursor: last < log.length ? String(last) : null });
    },
    submit: async (_by, task) => {
      submitted.push(task);
      return ok({ view: viewOf({ task_id: task.task_id ?? "" }), isNew: true });
    },
  });
  return { followUps, submitted, asked };
}

const LOG = [eventOf(1), eventOf(2), completed(3, STEPS), eventOf(4)];

describe("the next steps of a task", () => {
  it("are drafts of tasks of its kind that name it", async () => {
    const { followUps } = world(LOG);

    const steps = await followUps.nextSteps(BY, "first");

    expect(steps).toMatchObject({
      ok: true,
      value: {
        task_id: "first",
        items: [
          {
            index: 0,
            text: STEPS[0],
            draft: {
              task_type: "research",
              description: STEPS[0],
              priority: "high",
              pool: "night",
              tags: ["red"],
              context: { previous_tasks: ["first"] },
              metadata: { next_step_of: "first", next_step: 0 },
            },
          },
          // A description has ten characters at least.
          { index: 1, text: "Tell us", draft: { description: "Next step of first: Tell us" } },
        ],
      },
    });
  });

  it.each(["Go", "📊📈📉🗂️🧾", "a".repeat(10_000)])(
    "are drafts whatever their text: %s",
    async (text) => {
      const { followUps } = world([completed(1, [text])]);

      const steps = await followUps.nextSteps(BY, "first");

      const [item] = steps.ok ? steps.value.items : [];
      expect(item?.text).toBe(text);
      expect(item?.draft.description.endsWith(text)).toBe(true);
    },
  );

  it("are found wherever in a long log the result stands", async () => {
    const early = [completed(1, STEPS), ...Array.from({ length: 699 }, (_, i) => eventOf(i + 2))];
    const { followUps, asked } = world(early);

    const steps = await followUps.nextSteps(BY, "first");

    expect(steps).toMatchObject({ ok: true, value: { items: { length: 2 } } });
    expect(asked).toEqual([500, 0]);
  });

  it("are none without a result, or without a recommendation in it", async () => {
    const empty = ok({ task_id: "first", items: [] });
    const running = world(LOG, { status: "running" });
    const silent = world([eventOf(1), completed(2, [])]);

    expect(await running.followUps.nextSteps(BY, "first")).toEqual(empty);
    expect(running.asked).toEqual([]);
    expect(await silent.followUps.nextSteps(BY, "first")).toEqual(empty);
  });

  it("are not told of a task that the key does not see", async () => {
    const { followUps } = world(LOG);

    expect(await followUps.nextSteps(BY, "other")).toMatchObject({
      refusal: { code: "task_not_found" },
    });
  });
});

describe("approving a next step", () => {
  it("submits its draft with the overrides, under an id that is the same each time", async () => {
    const { followUps, submitted } = world(LOG);
    const overrides = { priority: "critical", context: { previous_tasks: ["other"] }, tags: null };

    const step = { task_id: "first", index: 0 };
    await followUps.approve(BY, step, { schema_version: "2.0", overrides }, ARRIVAL);
    await followUps.approve(BY, step, { schema_version: "2.0" }, ARRIVAL);
    await followUps.approve(BY, { ...step, index: 1 }, { schema_version: "2.0" }, ARRIVAL);

    const [changed, plain, other] = submitted;
    expect(changed).toMatchObject({
      description: STEPS[0],
      priority: "critical",
      context: { previous_tasks: ["first", "other"] },
    });
    expect(changed?.tags).toBeUndefined();
    expect(changed?.task_id).toMatch(/^next_[0-9A-Za-z]{22}$/);
    expect(plain?.task_id).toBe(changed?.task_id);
    expect(other?.task_id).not.toBe(changed?.task_id);
  });

  it.each([
    [{ priority: "whenever" }, "/overrides/priority"],
    [{ colour: "red" }, "/overrides/colour"],
    [{ task_id: "mine" }, "/overrides/task_id"],
    [{ description: null }, "/overrides/description"],
  ])("refuses the overrides %j and submits nothing", async (overrides, pointer) => {
    const { followUps, submitted } = world(LOG);

    const approved = await followUps.approve(
      BY,
      { task_id: "first", index: 0 },
      { schema_version: "2.0", overrides },
      ARRIVAL,
    );

    expect(approved).toMatchObject({ refusal: { code: "patch_rejected", errors: [{ pointer }] } });
    expect(submitted).toEqual([]);
  });

  it("refuses a step that was not recommended", async () => {
    const { followUps, submitted } = world(LOG);

    const approved = await followUps.approve(
      BY,
      { task_id: "first", index: 2 },
      { schema_version: "2.0" },
      ARRIVAL,
    );

    expect(approved).toMatchObject({
      refusal: { code: "validation_failed", errors: [{ pointer: "/path/index" }] },
    });
    expect(submitted).toEqual([]);
  });
});
