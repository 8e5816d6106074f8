import { describe, expect, it } from "vitest";

import { execute } from "../../src/executor/engine.ts";
import { ok, refuse } from "../../src/lib/result.ts";
import type { Heartbeat, OpenCommand } from "../../src/protocol/agent.ts";
import type { Notification } from "../../src/protocol/notification.ts";
import type { RefusalCode } from "../../src/protocol/refusal.ts";
import { desk, MESSAGE, TABLE, typesOf } from "../executor-desk.ts";

describe("the built-in executor's engine", () => {
  it("starts, reports each step, completes and ends", async () => {
    const ports = desk(TABLE);

    await execute(MESSAGE, ports);

    const types = typesOf(ports);
    expect(types[0]).toBe("task_started");
    expect(types.at(-1)).toBe("task_completed");
    expect(types.filter((type) => type === "task_progress").length).toBeGreaterThan(2);
    expect(ports.said.map(({ sequence }) => sequence)).toEqual(types.map((_, index) => index + 1));
    expect(ports.ends).toMatchObject([{ reason: "success" }]);
  });

  it("gives equal notifications equal ids when an attempt is repeated", async () => {
    const first = desk(TABLE);
    const second = desk(TABLE);

    await execute(MESSAGE, first);
    await execute(MESSAGE, second);

    expect(second.said.map(({ notification_id }) => notification_id)).toEqual(
      first.said.map(({ notification_id }) => notification_id),
    );
  });

  it("asks what to do, with what would unblock it, when neither a skill nor a model is there", async () => {
    const ports = desk({ task_type: "code_debugging" });

    await execute(MESSAGE, ports);

    expect(typesOf(ports)).toEqual(["task_started", "task_escalated"]);
    expect(ports.said.at(-1)).toMatchObject({
      data: {
        escalation_level: "orchestrator",
        context: { cause: "missing_capability" },
        options: ["resume", "change", "cancel"],
      },
    });
    expect(ports.ends).toEqual([]);
  });

  it("fetches the table that a url names", async () => {
    const asked: string[] = [];
    const ports = desk(
      {
        task_type: "data_analysis",
        parameters: { input_data: { url: "https://data.example/x.csv" } },
      },
      {
        fetchInput: async (url) => {
          asked.push(url);
          return ok({ csv: "a,b\n1,2\n2,4\n3,6\n" });
        },
      },
    );

    await execute(MESSAGE, ports);

    expect(asked).toEqual(["https://data.example/x.csv"]);
    expect(typesOf(ports).at(-1)).toBe("task_completed");
  });

  it("fails with the reason when the input can't be fetched, and lets the task retry", async () => {
    const failure = {
      error_type: "input_unreadable",
      error_message: "no",
      root_cause: { class: "input", detail: "no", evidence: "status 503" },
      recovery_suggestions: [],
      retry_recommended: true,
    };
    const ports = desk(
      {
        task_type: "data_analysis",
        parameters: { input_data: { url: "https://data.example/x.csv" } },
      },
      { fetchInput: async () => refuse(failure) },
    );

    await execute(MESSAGE, ports);

    expect(typesOf(ports)).toEqual(["task_started", "task_failed"]);
    expect(ports.ends).toEqual([]);
  });

  it("stops at the next step when a cancellation waits, and says that it was cancelled", async () => {
    const command: OpenCommand = { command_id: "cmd_1", command: "cancel", reason: null };
    const beats: Heartbeat[] = [];
    let clock = 0;
    const ports = desk(TABLE, {
      now: () => (clock += 3_000),
      heartbeat: async (_to, beat) => {
        beats.push(beat);
        return ok({ commands: (beat.acknowledged ?? []).length > 0 ? [] : [command] });
      },
    });

    await execute(MESSAGE, ports);

    expect(beats.at(-1)?.acknowledged).toEqual(["cmd_1"]);
    expect(ports.ends).toMatchObject([{ reason: "cancelled" }]);
    expect(typesOf(ports)).not.toContain("task_completed");
  });

  it("answers a request for an update with a progress", async () => {
    const commands: OpenCommand[] = [
      { command_id: "cmd_news", command: "request_update", reason: "rule stalled" },
    ];
    const order: string[] = [];
    let clock = 0;
    const ports = desk(TABLE, {
      now: () => (clock += 3_000),
      heartbeat: async (_to, { acknowledged = [] }) => {
        order.push(...acknowledged);
        return ok({ commands: commands.filter((known) => !order.includes(known.command_id)) });
      },
      notify: async (_to, notification) => ok(order.push(notification.notification_type)),
    });

    await execute(MESSAGE, ports);

    expect(order[order.indexOf("cmd_news") + 1]).toBe("task_progress");
  });

  it("says nothing more once its lease is lost", async () => {
    const said: string[] = [];
    const ports = desk(TABLE, {
      notify: async (_to, { notification_type }) => {
        said.push(notification_type);
        const code: RefusalCode = "lease_lost";
        return said.length < 3 ? ok(null) : refuse({ code, detail: "gone" });
      },
    });

    await execute(MESSAGE, ports);

    expect(said).toHaveLength(3);
    expect(ports.ends).toEqual([]);
  });

  it("turns a result that the contract rejects into a failure with the findings", async () => {
    const said: Notification[] = [];
    const ports = desk(TABLE, {
      notify: async (_to, notification) => {
        said.push(notification);
        const code: RefusalCode = "result_rejected";
        return notification.notification_type === "task_completed"
          ? refuse({
              code,
              detail: "no",
              errors: [{ pointer: "/data/result", code: "acceptance", detail: "rows is missing" }],
            })
          : ok(null);
      },
    });

    await execute(MESSAGE, ports);

    const refused = said.at(-2);
    expect(said.at(-1)?.sequence).toBe(refused?.sequence);
    expect(said.at(-1)?.notification_id).not.toBe(refused?.notification_id);
    expect(said.at(-1)).toMatchObject({
      notification_type: "task_failed",
      data: { root_cause: { class: "contract", evidence: "/data/result: rows is missing" } },
    });
  });

  it("leaves a task alone that is not its to take", async () => {
    const ports = desk(TABLE, { take: async () => ok(null) });

    await execute(MESSAGE, ports);

    expect(ports.said).toEqual([]);
  });
});
