import type { ValidationRecord } from "../src/protocol/validation-record.ts";

/** A record of a refused submission, with what a test wants to be otherwise. */
export function validationRecord(more: Partial<ValidationRecord> = {}): ValidationRecord {
  return {
    record_id: "val_1780000000000_a",
    at: "2026-05-28T20:26:40.000Z",
    outcome: "refused",
    route: "/v1/tasks",
    operation: "submit_task",
    request_id: "r1",
    tenant: "acme",
    key_id: "k1",
    code: "validation_failed",
    validations: ["size", "content_type", "json", "complexity", "query", "headers", "body"],
    fields: ["/description"],
    unknown_fields: 0,
    errors: [{ pointer: "/task_type", code: "invalid_type" }],
    faults: 1,
    warnings: [],
    duration_us: 120,
    weight: 1,
    ...more,
  };
}
