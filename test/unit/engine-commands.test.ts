import { describe, expect, it } from "vitest";

import { execute } from "../../src/executor/engine.ts";
import { ok } from "../../src/lib/result.ts";
import type { OpenCommand } from "../../src/protocol/agent.ts";
import {
  answer,
  ASKED,
  desk,
  fault,
  MESSAGE,
  TABLE,
  taskText,
  typesOf,
  withModels,
} from "../executor-desk.ts";
import type { Desk } from "../executor-desk.ts";

const commandOf = (command: OpenCommand["command"]): OpenCommand => ({
  command_id: `cmd_${command}`,
  command,
  reason: null,
});

/** A task whose commands are open from when `isOpen` says so until they are acknowledged; all that comes is in `order`. */
function commanded<Of extends Desk>(
  ports: Of,
  isOpen: (command: OpenCommand["command"], order: readonly string[]) => boolean,
  commands: OpenCommand["command"][],
) {
  const order: string[] = [];
  const changed: Of = {
    ...ports,
    notify: async (to, notification) => {
      order.push(notification.notification_type);
      return ports.notify(to, notification);
    },
    heartbeat: async (to, beat) => {
      await ports.heartbeat(to, beat);
      order.push(...(beat.acknowledged ?? []));
      const open = commands.map(commandOf).filter(({ command_id, command }) => {
        return !order.includes(command_id) && isOpen(command, order);
      });
      return ok({ commands: open });
    },
  };
  return { ports: changed, order };
}

describe("commands to an attempt whose calls are shorter than its looks", () => {
  it("cancel it with the answer to what a call has used: no further call is paid", async () => {
    const plain = withModels(() => answer(0.5));
    const { ports, order } = commanded(plain, () => plain.models.asked.length > 0, ["cancel"]);

    await execute(MESSAGE, ports);

    expect(order).toContain("cmd_cancel");
    expect(plain.models.asked).toHaveLength(1);
    expect(plain.ends).toMatchObject([{ reason: "cancelled" }]);
    expect(typesOf(plain)).not.toContain("task_failed");
  });

  it("cancel it before a call is repeated", async () => {
    const plain = withModels(() => fault("unavailable"));
    const { ports } = commanded(plain, () => plain.models.asked.length > 0, ["cancel"]);

    await execute(MESSAGE, ports);

    expect(plain.models.asked).toHaveLength(1);
    expect(plain.ends).toMatchObject([{ reason: "cancelled" }]);
  });
});

describe("a pause", () => {
  it("is acknowledged where the work can rest, and lasts until it is resumed", async () => {
    let waits = 0;
    let clock = 0;
    const task = { ...ASKED, progress_interval: 5 };
    const plain = withModels((_request, calls) => answer(calls === 1 ? 0.5 : 0.9), task);
    const resting = {
      ...plain,
      now: () => clock,
      sleep: async (ms: number) => {
        waits += 1;
        clock += ms;
      },
    };
    const { ports, order } = commanded(
      resting,
      (command) => (command === "pause" ? plain.models.asked.length > 0 : waits > 5),
      ["pause", "resume"],
    );

    await execute(MESSAGE, ports);

    const rest = order.slice(order.indexOf("cmd_pause"), order.indexOf("cmd_resume") + 1);
    expect(rest).toEqual(["cmd_pause", "cmd_resume"]);
    expect(order[order.indexOf("cmd_pause") - 1]).toBe("task_progress");
    expect(order.at(-1)).toBe("task_completed");
    expect(plain.models.asked).toHaveLength(2);
    // A wait beside each call, and at least four while it rested, which is no model's time.
    expect(clock).toBeGreaterThanOrEqual(30_000);
    expect(plain.router.learned.map(({ latency_s }) => latency_s)).toEqual([10]);
  });

  it("holds a skill before its next step", async () => {
    let clock = 0;
    const plain = desk(TABLE, { now: () => (clock += 3_000) });
    const { ports, order } = commanded(
      plain,
      (command, so_far) => command === "pause" || so_far.includes("cmd_pause"),
      ["pause", "resume"],
    );

    await execute(MESSAGE, ports);

    expect(order.slice(order.indexOf("cmd_pause")).slice(0, 2)).toEqual([
      "cmd_pause",
      "cmd_resume",
    ]);
    expect(order.at(-1)).toBe("task_completed");
  });

  it.each([
    ["the attempt", 60],
    ["a run of the executor", 3_600],
  ])("that lasts as long as %s becomes a question, and spends no retry", async (_what, timeout) => {
    const plain = withModels(() => answer(0.5), { ...ASKED, timeout, stall_timeout: 60 });
    const { ports } = commanded(plain, () => plain.models.asked.length > 0, ["pause"]);

    await execute(MESSAGE, ports);

    expect(plain.said.at(-1)).toMatchObject({
      notification_type: "task_escalated",
      data: { context: { cause: "paused" }, options: ["resume", "change", "cancel"] },
    });
    expect(plain.models.asked).toHaveLength(1);
    expect(plain.ends).toEqual([]);
  });

  it("that is taken back before the work could rest changes nothing", async () => {
    const plain = withModels((_request, calls) => answer(calls === 1 ? 0.5 : 0.9));
    const { ports, order } = commanded(plain, () => plain.models.asked.length > 0, [
      "pause",
      "resume",
    ]);

    await execute(MESSAGE, ports);

    expect(order).toContain("cmd_pause");
    expect(order.at(-1)).toBe("task_completed");
  });
});

describe("an attempt that goes on with another's work", () => {
  it("tells where it stands while a model answers, although it was told before", async () => {
    const first = withModels((_request, calls) => {
      if (calls === 2) throw new Error("the isolate is gone");
      return answer(0.5);
    });
    await execute(MESSAGE, first);
    const checkpoint: unknown = first.beats.flatMap(({ checkpoint: one }) => one ?? []).at(-1);
    const marked = JSON.parse(JSON.stringify(checkpoint));
    marked.entries["told:round:1"] = true;
    const lease = { token: "token-2", attempt: 2, expires_at: "2026-11-22T10:10:00.000Z" };
    const next = withModels(async () => {
      for (let turns = 0; turns < 5; turns += 1) await new Promise((ready) => setTimeout(ready, 1));
      return answer(0.9);
    });

    await execute(MESSAGE, {
      ...next,
      take: async () => ok({ task: taskText(ASKED, marked, 2), lease }),
    });

    expect(next.models.asked).toHaveLength(1);
    expect(next.said[1]).toMatchObject({
      notification_type: "task_progress",
      data: { current_step: "Round 1: small scored 0.5" },
    });
    expect(typesOf(next).at(-1)).toBe("task_completed");
  });
});
