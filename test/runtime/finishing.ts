import { reportSchema } from "../../src/protocol/task-view.ts";
import type { EndStage } from "../../src/task/finish/stage.ts";
import { endStages } from "../../src/task/finish/stages.ts";
import { accepted } from "./task-world.ts";
import type { Subject } from "./task-world.ts";

const registered: (() => void)[] = [];

/** Takes the stages of a test away again. */
export function removeStages(): void {
  for (const remove of registered.splice(0)) remove();
}

/** Registers a stage for one test, as an installation does for good; its runs are counted. */
export function register(name: string, more: Partial<EndStage> = {}): { runs: number } {
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

export async function reportOf(subject: Subject) {
  return reportSchema.parse(JSON.parse(accepted(await subject.stub.report())));
}

export async function phaseOf(subject: Subject, phase: string) {
  const { finalization } = await reportOf(subject);
  return finalization.phases.find(({ name }) => name === phase);
}

/** Rows of the task's object that are neither its log nor its memo. */
export function temporaryRows(subject: Subject): Promise<number> {
  return subject.inside(
    (_instance, { storage }) =>
      storage.sql.exec<{ n: number }>("SELECT count(*) AS n FROM record WHERE id < 0").one().n,
  );
}

export const gone = () => Promise.reject(new Error("gone"));
