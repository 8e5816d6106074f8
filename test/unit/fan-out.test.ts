import { describe, expect, it } from "vitest";

import { publish } from "../../src/delivery/fan-out.ts";
import { event, TASK, LIFE, world, wants, ALL, about } from "./fan-out-world.ts";

describe("fan-out", () => {
  it("gives each endpoint the notifications it wants, in order, and no other event", async () => {
    const { ports, sent } = world([
      ...wants("wh_all", [...ALL]),
      ...wants("wh_ends", ["task_completed"]),
    ]);

    await publish(ports, about());

    expect(sent()).toEqual({ wh_all: [2, 3, 5, 6], wh_ends: [5] });
  });

  it("asks nobody when no event is a notification", async () => {
    const { ports, asked } = world();

    await publish(
      ports,
      about({ callback_url: "https://x.example/" }, [event(1, "task_submitted")]),
    );

    expect(asked).toEqual([]);
  });

  it("sends the event's data as the notification, with its own priority", async () => {
    const { ports, enqueued } = world(wants("wh_x", ["task_failed"]));

    const failed = {
      notification_id: "n9",
      notification_type: "task_failed",
      task_id: "t-1",
      agent_id: "a-1",
      timestamp: "2026-11-22T10:00:00Z",
      status: "failed",
      data: {
        error_type: "x",
        error_message: "y",
        root_cause: { class: "c", detail: "d", evidence: "e" },
      },
    };
    await publish(ports, about({}, [event(9, "task_failed", failed)]));

    expect(enqueued[0]?.[1].items[0]).toEqual({
      task_id: "t-1",
      seq: 9,
      event_id: "e9",
      type: "task_failed",
      priority: "high",
      at: "2026-11-22T10:00:00.000Z",
      correlation_id: "c",
      notification: JSON.stringify(failed),
    });
  });

  it("leaves out what the filters do not want, by the agent of the event", async () => {
    const { ports, sent } = world([
      ...wants("wh_general", [...ALL], { task_types: ["general"] }),
      ...wants("wh_agent", [...ALL], { agent_ids: ["a-2"] }),
    ]);

    await publish(
      ports,
      about({}, [event(2, "task_started", { agent_id: "a-2" }), event(3, "task_progress")]),
    );

    expect(sent()).toEqual({ wh_agent: [2] });
  });

  it("leaves out what the notification does not say that was asked for", async () => {
    const { ports, sent } = world(
      wants("wh_half", ["task_progress"], { match: { "data.progress_percentage": { $gte: 50 } } }),
    );
    const progress = (seq: number, progress_percentage: number) =>
      event(seq, "task_progress", {
        notification_id: `n${seq}`,
        notification_type: "task_progress",
        task_id: "t-1",
        agent_id: "a-1",
        timestamp: "2026-11-22T10:00:00Z",
        data: { progress_percentage, current_step: "on" },
      });

    await publish(ports, about({}, [progress(3, 40), progress(4, 50), progress(5, 60)]));

    expect(sent()).toEqual({ wh_half: [4, 5] });
  });

  it("asks the registry once, for what its notifications show", async () => {
    const { ports, asked } = world();

    await publish(ports, about({ tags: ["red"] }, LIFE.slice(0, 2)));

    expect(asked).toEqual([
      ["*", "agent:a-1", "tag:red", "task_type:research", "priority:normal"].map((facet) => ({
        type: "task_started",
        facet,
      })),
    ]);
  });

  it("asks for nothing twice, however many notifications show it", async () => {
    const { ports, asked } = world();

    await publish(ports, about({}, [event(2, "task_progress"), event(3, "task_progress")]));

    expect(asked[0]?.map(({ facet }) => facet)).toEqual([
      "*",
      "agent:a-1",
      "task_type:research",
      "priority:normal",
    ]);
  });

  it("calls fifty endpoints at a time, and all of them in their order", async () => {
    const ids = Array.from({ length: 180 }, (_, index) => `wh_${String(index).padStart(3, "0")}`);
    const { ports, enqueued, mostOpen } = world(ids.flatMap((id) => wants(id, ["task_started"])));

    await publish(ports, about());

    expect(enqueued.map(([id]) => id)).toEqual(ids);
    expect(mostOpen()).toBe(50);
  });

  it("gives stakeholders the last notification whatever their filters say", async () => {
    const subscribers = wants("wh_boss", [...ALL], { task_types: ["general"] });
    const { ports, sent } = world(subscribers, { wh_boss: 1, wh_other: 1 });

    await publish(ports, about({ stakeholders: ["wh_boss", "wh_other", "wh_nobody"] }));

    expect(sent()).toEqual({ wh_boss: [6], wh_other: [6] });
  });

  it("gives a stakeholder that subscribed too the last notification once", async () => {
    const { ports, sent } = world(wants("wh_boss", [...ALL]), { wh_boss: 1 });

    await publish(ports, about({ stakeholders: ["wh_boss"] }));

    expect(sent()).toEqual({ wh_boss: [2, 3, 5, 6] });
  });

  it("gives the callback address all notifications of the task, with its configuration", async () => {
    const { ports, sent, enqueued } = world();

    await publish(ports, about({ callback_url: "https://x.example/" }));

    expect(sent()).toEqual({ cb_x: [2, 3, 5, 6] });
    expect(enqueued[0]?.[1].callback).toContain("hooks.example.com");
  });

  it("brings an endpoint up to date that does not know its configuration", async () => {
    const behind = wants("wh_new", ["task_started"]).map((row) => ({ ...row, version: 2 }));
    const { ports, sent, configured } = world(behind, { wh_new: 2 });

    await publish(ports, about());

    expect(configured).toEqual(["acme/wh_new"]);
    expect(sent()).toEqual({ wh_new: [2] });
  });

  it("lets go of an endpoint that was deleted meanwhile", async () => {
    const deleted = wants("wh_old", ["task_started"]).map((row) => ({ ...row, version: 2 }));
    const { ports, sent } = world(deleted);

    await publish(ports, about());

    expect(sent()).toEqual({});
  });

  it("reaches all others before it tells that one failed", async () => {
    const { ports, sent, broken } = world([
      ...wants("wh_a", ["task_started"]),
      ...wants("wh_broken", ["task_started"]),
      ...wants("wh_c", ["task_started"]),
    ]);
    broken.add("wh_broken");

    const publishing = publish(ports, about());

    await expect(publishing).rejects.toBeInstanceOf(AggregateError);
    expect(sent()).toEqual({ wh_a: [2], wh_c: [2] });
  });

  it("tells of a notification that broke its schema, and sends a notice in its place", async () => {
    const { ports, withheld, enqueued } = world(wants("wh_a", ["task_progress"]));
    const broken = { ...event(3, "task_progress"), data: { lease_token: "tok-123" } };

    await publish(ports, { tenant: "acme", task: TASK, events: [broken] });

    expect(withheld).toMatchObject([{ tenant: "acme", route: "webhook:task_progress" }]);
    expect(JSON.stringify(enqueued)).toContain("withheld");
    expect(JSON.stringify([enqueued, withheld])).not.toContain("tok-123");
  });
});
