import { describe, expect, it } from "vitest";

import { beginAttempt } from "../../src/executor/attempt/attempt.ts";
import {
  bytesOf,
  isKeepable,
  MOST_RESULT_BYTES,
  textOf,
  textsOf,
  wordOf,
} from "../../src/executor/attempt/say/bounds.ts";
import { fail } from "../../src/executor/attempt/say/tell.ts";
import { execute } from "../../src/executor/engine.ts";
import { ok } from "../../src/lib/result.ts";
import {
  answer,
  ASKED,
  desk,
  fault,
  LEASE,
  MESSAGE,
  model,
  scripted,
  SMALL,
  TABLE,
  taskText,
  typesOf,
  withModels,
} from "../executor-desk.ts";

/** Room enough for what it has to mend. */
const WIDE = model("wide", { context_tokens: 2_000_000 });
const TOO_LARGE = { score: 0.95, text: "x".repeat(MOST_RESULT_BYTES) };

describe("a result that the task could not keep", () => {
  it("is a finding that a model can mend", async () => {
    const ports = withModels(
      (_request, calls) => (calls === 1 ? answer(0.95, { value: TOO_LARGE }) : answer(0.9)),
      ASKED,
      [WIDE],
    );

    await execute(MESSAGE, ports);

    expect(ports.models.asked[1]?.turns[0]?.text).toContain("result_too_large");
    expect(ports.said.at(-1)).toMatchObject({
      notification_type: "task_completed",
      data: { result: { score: 0.9 } },
    });
  });

  it("is never sent, neither as the result nor as a part of the failure", async () => {
    const ports = withModels(() => answer(0.95, { value: TOO_LARGE }), ASKED, [SMALL]);

    await execute(MESSAGE, ports);

    expect(ports.said.at(-1)).toMatchObject({
      notification_type: "task_failed",
      data: { error_type: "result_too_large", retry_recommended: false },
    });
    expect(bytesOf([ports.said, ports.ends])).toBeLessThan(100_000);
  });

  it("is left out of the last word when the attempt is cut short", async () => {
    const task = { ...ASKED, contract: { budget: { max_tokens: 450 } } };
    const ports = withModels(() => answer(0.95, { value: TOO_LARGE }), task, [WIDE]);

    await execute(MESSAGE, ports);

    expect(ports.ends).toMatchObject([{ reason: "resource_exhausted" }]);
    expect(bytesOf(ports.ends)).toBeLessThan(2_000);
  });
});

describe("a failure", () => {
  it("stays within the bounds of its message, whatever was brought into it", async () => {
    const ports = desk(TABLE);
    const to = { tenant: "t", task_id: "task-1", lease: LEASE };
    const attempt = await beginAttempt(taskText(TABLE), to, ports);
    const long = "q".repeat(20_000);

    await fail(attempt, {
      error_type: long,
      error_message: long,
      root_cause: { class: "", detail: long, evidence: long },
      recovery_suggestions: ["", long],
      retry_recommended: false,
    });

    expect(ports.said).toMatchObject([{ notification_type: "task_failed" }]);
    expect(ports.ends).toMatchObject([{ reason: "failure" }]);
  });

  it("of an unknown kind under the work ends the attempt at once, to be tried again, without its inner message", async () => {
    const logged: unknown[] = [];
    const ports = withModels(() => {
      throw new Error("secret inner message");
    });
    const take = async () => ok({ task: taskText(ASKED), lease: LEASE, trace_id: "4bf9" });

    await execute(MESSAGE, { ...ports, take, log: (...line) => void logged.push(line) });

    expect(ports.said.at(-1)).toMatchObject({
      notification_type: "task_failed",
      data: { error_type: "executor_fault", retry_recommended: true },
    });
    expect(JSON.stringify(ports.said)).not.toContain("secret inner message");
    expect(JSON.stringify(logged)).toContain("secret inner message");
    const { tenant, task_id } = MESSAGE;
    expect(logged.at(-1)).toMatchObject([
      "error",
      "execution_broken",
      { tenant, task_id, correlation_id: "4bf9" },
    ]);
  });

  it("to read the models before anything was said is told all the same", async () => {
    const models = {
      ...scripted([], () => fault("network")),
      catalogue: () => Promise.reject(new Error("D1")),
    };
    const ports = desk(ASKED, { models });

    await execute(MESSAGE, ports);

    expect(typesOf(ports)).toEqual(["task_started", "task_failed"]);
    expect(ports.said.at(-1)).toMatchObject({ data: { error_type: "executor_fault" } });
  });

  it("to read the models is none for what the executor does without one", async () => {
    const models = {
      ...scripted([], () => fault("network")),
      catalogue: () => Promise.reject(new Error("D1")),
    };
    const ports = desk(TABLE, { models });

    await execute(MESSAGE, ports);

    expect(typesOf(ports).at(-1)).toBe("task_completed");
  });

  it("to read the models makes a poor result one to be tried again", async () => {
    const poor = { ...TABLE, execution_options: { quality_threshold: 1 } };
    const models = {
      ...scripted([], () => fault("network")),
      catalogue: () => Promise.reject(new Error("D1")),
    };
    const [without, unread] = [desk(poor), desk(poor, { models })];

    await execute(MESSAGE, without);
    await execute(MESSAGE, unread);

    expect(without.said.at(-1)).toMatchObject({ data: { retry_recommended: false } });
    expect(unread.said.at(-1)).toMatchObject({ data: { retry_recommended: true } });
  });

  it("to look for commands stops what is under way", async () => {
    let isAborted = false;
    const ports = withModels(
      ({ signal }) =>
        new Promise(() => {
          signal.addEventListener("abort", () => (isAborted = true));
        }),
    );

    await execute(MESSAGE, { ...ports, heartbeat: () => Promise.reject(new Error("unreachable")) });

    expect(isAborted).toBe(true);
    expect(ports.said.at(-1)).toMatchObject({ data: { error_type: "executor_fault" } });
  });
});

describe("the bounds of a message", () => {
  it("cut no character in half, and leave nothing empty", () => {
    expect(textOf(`${"x".repeat(9_999)}😀`).isWellFormed()).toBe(true);
    expect(textOf("", "Done")).toBe("Done");
    expect(wordOf("w".repeat(200))).toHaveLength(100);
    expect(textsOf(["", "a"])).toEqual(["a"]);
    expect(textsOf(Array.from({ length: 200 }, () => "a"))).toHaveLength(100);
    expect(isKeepable("é".repeat(MOST_RESULT_BYTES / 2))).toBe(false);
    expect(isKeepable("x".repeat(MOST_RESULT_BYTES - 2))).toBe(true);
  });
});
