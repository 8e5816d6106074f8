import type { TaskPorts } from "../../../src/task/ports.ts";

const nothing = async () => {};

/** Neighbours that do what they are asked, and remember nothing. */
export function portsOf(changes: Partial<TaskPorts> = {}): TaskPorts {
  return {
    announce: nothing,
    release: nothing,
    publish: nothing,
    record: nothing,
    recordedTo: async () => Infinity,
    missingStakeholders: async () => [],
    remember: nothing,
    endPhases: {},
    retentionMs: 604_800_000,
    forgottenMs: null,
    outcomeOf: async () => null,
    poke: nothing,
    tellParent: async () => true,
    stop: nothing,
    gateOfBatch: async () => ({ is_open: true }),
    tellBatch: nothing,
    log: () => {},
    ...changes,
  };
}
