import type { SubmissionParts } from "../../src/dispatch/submission.ts";
import { ok } from "../../src/lib/result.ts";
import { outcomeSchema } from "../../src/protocol/kin.ts";
import type { Outcome } from "../../src/protocol/kin.ts";
import type { KinPorts } from "../../src/task/ports.ts";
import type { Network } from "./network.ts";
import type { TaskNode } from "./task-node.ts";

/** What history knows of submissions that come again: nothing, because no object is emptied here. */
export const NO_PAST: SubmissionParts["past"] = {
  former: async () => null,
  view: async () => ok(null),
};

/** What is wrong with submissions here: nothing. */
export const NO_FAULTS: Pick<SubmissionParts, "contractFaults" | "urlFault" | "unknownWebhooks"> = {
  contractFaults: () => [],
  urlFault: async () => null,
  unknownWebhooks: async () => [],
};

/**
 * How tasks reach each other over the network.
 *
 * @param archive what history knows of tasks whose objects are closed
 */
export function kinPortsOf(
  network: Network,
  find: (task_id: string) => TaskNode | undefined,
  archive: (task_id: string) => Outcome | null,
): KinPorts {
  return {
    outcomeOf: (_tenant, task_id, waiter) =>
      network.call(async () => {
        const outcome = find(task_id)?.keeper.kin.outcome(waiter) ?? null;
        if (outcome === null) return archive(task_id);
        return outcomeSchema.parse(JSON.parse(JSON.stringify(outcome)));
      }),
    poke: (_tenant, task_id) =>
      network.call(async () => {
        const keeper = find(task_id)?.keeper;
        keeper?.kin.poked();
        await keeper?.arm();
      }),
    tellParent: (_tenant, parent, report) =>
      network.call(async () => {
        const heard = await find(parent)?.kin({ call: "hear", report });
        return heard?.ok === true && heard.value === "true";
      }),
    stop: (_tenant, task_id, stop) =>
      network.call(async () => {
        await find(task_id)?.kin({ call: "stop", ...stop });
      }),
    gateOfBatch: async () => ({ is_open: true }),
    tellBatch: async () => {},
  };
}
