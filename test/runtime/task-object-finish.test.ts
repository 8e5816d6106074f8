import { afterEach, describe, expect, it, vi } from "vitest";

import { gone, phaseOf, register, removeStages, reportOf, temporaryRows } from "./finishing.ts";
import { accepted, newSubject } from "./task-world.ts";
import type { Subject } from "./task-world.ts";

afterEach(removeStages);

const never = () => new Promise<never>(() => {});

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

describe("a stage that cannot even say what it is about", () => {
  it("keeps no task from ending", async () => {
    const broken = () => {
      throw new Error("broken");
    };
    const subject = await newSubject();
    register("broken", { run: gone, concerns: broken, debts: broken, advice: broken });
    await subject.execute();

    accepted(await subject.end("success"));
    await subject.pass(20_000);

    expect(await subject.view()).toMatchObject({ phase: "ended" });
    expect(subject.neighbours.released).toEqual([1]);
  });
});

describe("a stage that is slow", () => {
  it("holds up no notification", async () => {
    const subject = await newSubject();
    register("deaf", { run: never });
    await subject.execute({ execution_options: { end_phase_limits: { cleanup: 6 } } });
    await subject.pass(20_000);
    accepted(await subject.notify("task_progress", { progress_percentage: 80 }));
    accepted(await subject.notify("task_progress", { progress_percentage: 90 }));
    const last = (await subject.view()).seq;
    accepted(await subject.end("failure"));
    expect(subject.published()).not.toContain(last);
    subject.now += 700;

    const ringing = subject.ring();
    await vi.waitFor(() => expect(subject.published()).toContain(last), { timeout: 15_000 });
    const { phase } = await subject.view();
    await ringing;

    expect(phase).toBe("finalizing");
  });
});
