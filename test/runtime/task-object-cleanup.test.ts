import { afterEach, describe, expect, it } from "vitest";

import { heartbeatSchema } from "../../src/protocol/agent.ts";
import { endOf } from "../task-life.ts";
import { gone, phaseOf, register, removeStages, reportOf, temporaryRows } from "./finishing.ts";
import { accepted, codeOf, newSubject } from "./task-world.ts";

afterEach(removeStages);

describe("an end that is cut off by a crash", () => {
  it("resumes behind the stage that was done, and records each phase once", async () => {
    const subject = await newSubject();
    const first = register("first");
    const second = register("second", { phase: "notification" });
    subject.neighbours.release = () => Promise.reject(new Error("busy"));
    await subject.execute();
    accepted(await subject.end("success"));

    await subject.pass(600);
    await subject.evict();
    await subject.pass(1_500);
    await subject.evict();
    subject.neighbours.release = () => undefined;
    await subject.pass(60_000);

    expect([first.runs, second.runs]).toEqual([1, 1]);
    expect((await phaseOf(subject, "cleanup"))?.outcome).toBe("done");
    const types = await subject.types();
    expect(types.filter((type) => type === "finalization_phase")).toHaveLength(3);
    expect(types.at(-1)).toBe("agent_end_task");
    expect(await temporaryRows(subject)).toBe(0);
  });

  it("does not grant the limit anew", async () => {
    const subject = await newSubject();
    register("patient", { run: async () => "waiting" });
    await subject.execute();
    accepted(await subject.end("success"));

    for (let turn = 0; turn < 6; turn += 1) {
      await subject.pass(5_000);
      await subject.evict();
    }
    await subject.pass(2_000);

    expect(await subject.view()).toMatchObject({ phase: "ended" });
  });
});

describe("a cleanup that always fails", () => {
  it("ends the task all the same, partial, and is repaired later", async () => {
    const subject = await newSubject();
    subject.neighbours.release = gone;
    await subject.execute();
    accepted(await subject.end("success"));
    await subject.pass(60_000);

    const report = await reportOf(subject);
    const [debt] = report.cleanup_debt;
    const repair = async () => JSON.parse(accepted(await subject.stub.repair(debt?.debt_id ?? "")));
    const early = await repair();
    subject.neighbours.release = () => undefined;
    const late = await repair();

    expect(await subject.view()).toMatchObject({ phase: "ended", end_reason: "success" });
    expect(report.finalization).toMatchObject({ outcome: "partial" });
    expect(debt).toMatchObject({ kind: "slot", owner: "pool default", stage: "slot" });
    expect(early).toEqual({ state: "open", detail: "failed again" });
    expect(late).toEqual({ state: "settled", detail: "slot released" });
    expect(subject.neighbours.released).toHaveLength(1);
    expect((await subject.types()).at(-1)).toBe("agent_end_task");
    expect(codeOf(await subject.stub.repair("debt_2_task-1"))).toBe("debt_not_found");
  });
});

describe("the cleanup actions of an executor", () => {
  const ACTIONS = ["Remove the clone", { close: "tunnel", port: 8080 }];

  it("come back to it as commands, and the task ends when it has acknowledged them", async () => {
    const subject = await newSubject();
    await subject.execute();

    const { receipt } = accepted(await subject.end("success", { cleanup_actions: ACTIONS }));
    await subject.pass(3_000);
    const { commands } = accepted(await subject.beat());
    const [first = "", second = ""] = commands.map(({ command_id }) => command_id);
    accepted(await subject.beat(subject.token, { acknowledged: [first] }));
    await subject.pass(3_000);
    const halfway = await subject.view();
    const explained = JSON.parse(accepted(await subject.stub.explain()));
    accepted(await subject.beat(subject.token, { acknowledged: [second] }));
    await subject.pass(1_000);

    expect(receipt.cleanup_commands?.map(({ action }) => action)).toEqual(ACTIONS);
    expect(commands.map(({ command, action }) => [command, action])).toEqual(
      ACTIONS.map((action) => ["cleanup", action]),
    );
    expect(halfway).toMatchObject({ phase: "finalizing", status: "completed" });
    expect(explained.waiting_for).toMatchObject([
      { kind: "cleanup_action", detail: expect.stringContaining(second) },
    ]);
    expect(subject.neighbours.released).toEqual([1]);
    expect(await subject.view()).toMatchObject({ phase: "ended" });
    expect((await reportOf(subject)).finalization.outcome).toBe("complete");
  });

  it("that it never acknowledges are debts of its own, and the slot is free at the limit", async () => {
    const subject = await newSubject();
    await subject.execute();
    accepted(await subject.end("failure", { cleanup_actions: ACTIONS }));
    const { commands } = accepted(await subject.beat());
    accepted(await subject.beat(subject.token, { acknowledged: [commands[0]?.command_id] }));

    await subject.pass(29_000);

    const { cleanup_debt, finalization } = await reportOf(subject);
    expect(finalization.phases[0]).toMatchObject({ name: "cleanup", outcome: "timed_out" });
    expect(cleanup_debt).toMatchObject([
      {
        kind: "action",
        owner: "agent ann",
        what: `the cleanup action ${JSON.stringify(ACTIONS[1])}`,
      },
    ]);
    expect(subject.neighbours.released).toEqual([1]);
    const closed = (await subject.events()).findLast(({ type }) => type === "command_acknowledged");
    expect(closed?.data).toMatchObject({ command: "cleanup", state: "unresponsive" });
    const repaired = accepted(await subject.stub.repair(cleanup_debt[0]?.debt_id ?? ""));
    expect(JSON.parse(repaired)).toMatchObject({ state: "open" });
  });

  it("that come when the cleanup is over are debts, too", async () => {
    const subject = await newSubject();
    register("patient", { phase: "notification", run: async () => "waiting", debts: () => [] });
    await subject.execute();
    accepted(await subject.notify("task_completed"));
    await subject.pass(32_000);

    const { receipt } = accepted(await subject.end("success", { cleanup_actions: ACTIONS }));
    const beat = await subject.beat();
    await subject.pass(40_000);

    expect(receipt.cleanup_commands).toHaveLength(2);
    expect(codeOf(beat)).toBe("task_ended");
    expect((await reportOf(subject)).cleanup_debt).toMatchObject([
      { kind: "action" },
      { kind: "action" },
    ]);
  });

  it("are no business of a former holder, and a lease that holds is shown to hold", async () => {
    const subject = await newSubject();
    await subject.execute({ heartbeat_timeout: 5 });
    accepted(await subject.end("success", { cleanup_actions: ACTIONS }));

    const text = JSON.stringify(endOf("success", { cleanup_actions: ACTIONS }));
    const stranger = accepted(await subject.stub.end("another token", text));
    await subject.pass(8_000);
    const { lease } = accepted(await subject.beat());

    expect(JSON.parse(stranger.receipt)).not.toHaveProperty("cleanup_commands");
    expect(lease.expires_at).toBe(new Date(subject.now + 5_000).toISOString());
  });

  it("can be acknowledged whatever the length of the task's id", () => {
    const acknowledged = [`cleanup_100_${"t".repeat(100)}`];

    expect(heartbeatSchema.safeParse({ acknowledged }).success).toBe(true);
  });

  it("survive a crash of the object, and take no answer of anybody else", async () => {
    const subject = await newSubject();
    await subject.execute();
    accepted(await subject.end("success", { cleanup_actions: ["Remove the clone"] }));
    await subject.pass(1_000);
    await subject.evict();

    const foreign = await subject.beat("another token");
    const { commands } = accepted(await subject.beat());
    accepted(await subject.beat(subject.token, { acknowledged: [commands[0]?.command_id] }));
    await subject.pass(1_000);

    expect(codeOf(foreign)).toBe("lease_lost");
    expect(await subject.view()).toMatchObject({ phase: "ended" });
    expect(codeOf(await subject.beat())).toBe("task_ended");
  });
});

const GONE = "wh_1111111111111111111111";

describe("the last word after a clock has taken the attempt away", () => {
  it("is answered with the verdict, and told that nothing of it counts", async () => {
    const subject = await newSubject();
    await subject.execute({ timeout: 10 });
    await subject.pass(11_000);

    const { receipt } = accepted(await subject.end("timeout"));

    expect(receipt).toMatchObject({ end_reason: "timeout", facts_ignored: true });
  });
});

describe("stakeholders that do not exist any more", () => {
  it("are named as a problem of the notification, and change nothing else", async () => {
    const subject = await newSubject();
    subject.neighbours.missing = [GONE];
    await subject.execute({ stakeholders: ["wh_0000000000000000000000", GONE] });

    accepted(await subject.end("success"));
    await subject.pass(1_000);

    expect(await phaseOf(subject, "notification")).toMatchObject({
      outcome: "fallback",
      checks: [
        { passed: true },
        { passed: false, detail: "not there any more: wh_1111111111111111111111" },
      ],
    });
    expect(await reportOf(subject)).toMatchObject({ reason: "success", cleanup_debt: [] });
  });
});
