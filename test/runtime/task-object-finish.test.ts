import { afterEach, describe, expect, it } from "vitest";

import { reportSchema } from "../../src/protocol/task-view.ts";
import type { EndStage } from "../../src/task/finish/stage.ts";
import { endStages } from "../../src/task/finish/stages.ts";
import { accepted, codeOf, newSubject } from "./task-world.ts";
import type { Subject } from "./task-world.ts";

const registered: (() => void)[] = [];

afterEach(() => {
  for (const remove of registered.splice(0)) remove();
});

/** Registers a stage for one test, as an installation does for good; its runs are counted. */
function register(name: string, more: Partial<EndStage> = {}): { runs: number } {
  const seen = { runs: 0 };
  const stage: EndStage = {
    name,
    phase: "cleanup",
    check: `${name} checked`,
    run: async () => "done",
    ...more,
  };
  const counted: EndStage = {
    ...stage,
    run: (context) => {
      seen.runs += 1;
      return stage.run(context);
    },
  };
  registered.push(endStages.register(counted));
  return seen;
}

async function reportOf(subject: Subject) {
  return reportSchema.parse(JSON.parse(accepted(await subject.stub.report())));
}

async function phaseOf(subject: Subject, phase: string) {
  const { finalization } = await reportOf(subject);
  return finalization.phases.find(({ name }) => name === phase);
}

/** Rows of the task's object that are neither its log nor its memo. */
function temporaryRows(subject: Subject): Promise<number> {
  return subject.inside(
    (_instance, { storage }) =>
      storage.sql.exec<{ n: number }>("SELECT count(*) AS n FROM record WHERE id < 0").one().n,
  );
}

const never = () => new Promise<never>(() => {});
const gone = () => Promise.reject(new Error("gone"));

describe("the phases of an end", () => {
  it("are recorded in their order with outcome, times, tries and checks", async () => {
    const subject = await newSubject();
    await subject.execute();

    accepted(await subject.end("failure"));
    await subject.pass(1_000);

    const { phases, outcome } = (await reportOf(subject)).finalization;
    expect(outcome).toBe("complete");
    expect(phases.map(({ name, outcome: of, attempts }) => [name, of, attempts])).toEqual([
      ["cleanup", "done", 1],
      ["reporting", "done", 1],
      ["notification", "done", 1],
    ]);
    for (const { checks, started_at, ended_at } of phases) {
      expect(checks.length).toBeGreaterThan(0);
      expect(checks.every(({ passed }) => passed)).toBe(true);
      expect(Date.parse(ended_at)).toBeGreaterThanOrEqual(Date.parse(started_at));
    }
    const logged = (await subject.events()).filter(({ type }) => type === "finalization_phase");
    expect(logged.map(({ data }) => data)).toEqual(phases);
  });

  it("leave nothing behind: the slot is back, no temporary row, no clock, no stream", async () => {
    const subject = await newSubject();
    const extra = register("bucket");
    await subject.execute();
    accepted(await subject.notify("task_progress", {}, { sequence: 9 }));
    expect(await temporaryRows(subject)).toBe(1);

    accepted(await subject.end("cancelled"));
    await subject.pass(120_000);

    expect(extra.runs).toBe(1);
    expect(subject.neighbours.released).toEqual([1]);
    expect(await temporaryRows(subject)).toBe(0);
    expect(await subject.inside((_instance, ctx) => ctx.getWebSockets().length)).toBe(0);
    const view = await subject.view();
    expect(view).toMatchObject({ phase: "ended" });
  });
});

describe("a stage that somebody registers", () => {
  it.each(["cleanup", "reporting", "notification"] as const)(
    "runs in phase %s, once, and is in the report",
    async (phase) => {
      const subject = await newSubject();
      const own = register("ledger", { phase, advice: () => ["Close the ledger earlier"] });
      await subject.execute();

      accepted(await subject.end("success"));
      await subject.pass(60_000);

      expect(own.runs).toBe(1);
      expect((await phaseOf(subject, phase))?.checks).toContainEqual({
        name: "ledger checked",
        passed: true,
        detail: "",
      });
      const { recommendations } = (await reportOf(subject)).finalization;
      expect(recommendations).toContain("Close the ledger earlier");
    },
  );

  it("for a type runs for tasks of that type alone", async () => {
    const [research, testing] = [await newSubject(), await newSubject()];
    const own = register("lab", { task_types: ["testing"] });

    for (const [subject, task_type] of [
      [research, "research"],
      [testing, "testing"],
    ] as const) {
      accepted(await subject.submit({ task_type }));
      await subject.assign();
      accepted(await subject.notify("task_started", { task_type }));
      accepted(await subject.end("failure"));
      await subject.pass(1_000);
    }

    expect(own.runs).toBe(1);
    const checks = async (subject: Subject) =>
      (await phaseOf(subject, "cleanup"))?.checks.map(({ name }) => name);
    expect(await checks(testing)).toContain("lab checked");
    expect(await checks(research)).not.toContain("lab checked");
  });

  it("and throws stops no other, and is reported", async () => {
    const subject = await newSubject();
    register("broken", { run: gone });
    const other = register("other");
    await subject.execute();

    accepted(await subject.end("success"));
    await subject.pass(10_000);

    const report = await reportOf(subject);
    expect(other.runs).toBe(1);
    expect(subject.neighbours.released).toEqual([1]);
    expect(report).toMatchObject({ reason: "success", finalization: { outcome: "partial" } });
    expect(report.cleanup_debt).toMatchObject([
      { debt_id: "debt_1_task-1", kind: "stage", stage: "broken", owner: "batuta" },
    ]);
    expect(subject.neighbours.logged.filter((event) => event === "end_stage_failed")).toHaveLength(
      3,
    );
  });

  it("and hangs is cut at the limit that the task gives its phase, and the next phase starts", async () => {
    const subject = await newSubject();
    register("deaf", { run: never });
    const next = register("next", { phase: "reporting" });
    await subject.execute({ execution_options: { end_phase_limits: { cleanup: 1 } } });

    accepted(await subject.end("success"));
    await subject.pass(5_000);

    expect(await phaseOf(subject, "cleanup")).toMatchObject({
      outcome: "timed_out",
      checks: expect.arrayContaining([
        { name: "deaf checked", passed: false, detail: "cut at its limit" },
        { name: "slot released", passed: true, detail: "" },
      ]),
    });
    expect(next.runs).toBe(1);
  });

  it("and waits is over at the limit of the task's type", async () => {
    const subject = await newSubject();
    subject.neighbours.endPhases = { types: { general: { cleanup: 100 } } };
    register("patient", { run: async () => "waiting" });
    await subject.execute();
    accepted(await subject.end("success"));

    await subject.pass(94_000);
    const before = await subject.view();
    await subject.pass(7_000);

    expect(before.phase).toBe("finalizing");
    expect(await subject.view()).toMatchObject({ phase: "ended" });
    expect((await phaseOf(subject, "cleanup"))?.outcome).toBe("timed_out");
  });
});

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
    accepted(await subject.beat(subject.token, { acknowledged: [second] }));
    await subject.pass(1_000);

    expect(receipt.cleanup_commands?.map(({ action }) => action)).toEqual(ACTIONS);
    expect(commands.map(({ command, action }) => [command, action])).toEqual(
      ACTIONS.map((action) => ["cleanup", action]),
    );
    expect(halfway).toMatchObject({ phase: "finalizing", status: "completed" });
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
    const repaired = accepted(await subject.stub.repair(cleanup_debt[0]?.debt_id ?? ""));
    expect(JSON.parse(repaired)).toMatchObject({ state: "open" });
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
