import type { BatchDoor } from "../../src/dispatch/batch/batch-ports.ts";
import type { BatchPlan, BatchRecord } from "../../src/dispatch/batch/batch-record.ts";
import type { RequestsParts } from "../../src/dispatch/request/requests.ts";
import { ok, refuse } from "../../src/lib/result.ts";
import type { Principal } from "../../src/protocol/access.ts";
import type { Refusal } from "../../src/protocol/refusal.ts";
import { executorOf } from "./request-fixture.ts";
import { TASK_VIEW } from "./rest-fakes.ts";

export const BY: Principal = {
  key_id: "key_1",
  tenant: "acme",
  scopes: ["orchestrate"],
  isBootstrap: false,
};

/** How a body came in. */
export function sentOf(body: unknown, idempotencyKey: string | null = null) {
  return { body, idempotencyKey, traceId: "trace", origin: "https://batuta.test" };
}

/** Batches in memory, and what was asked of tasks; the rules of the real object have tests of their own. */
export class FakeBatches {
  readonly records = new Map<string, BatchRecord>();
  readonly checked: string[] = [];
  readonly viewed: string[] = [];
  /** Why a task is refused, by its id. */
  refusals = new Map<string, Refusal>();
  #ids = 0;

  #door(batch_id: string): BatchDoor {
    const text = (): string => JSON.stringify(this.records.get(batch_id));
    const unknown: Refusal = { code: "batch_not_found", detail: "no batch" };
    return {
      find: async (body_hash) => {
        const record = this.records.get(batch_id);
        if (record === undefined) return ok(null);
        return record.plan.body_hash === body_hash
          ? ok(text())
          : refuse({ code: "idempotency_conflict", detail: "another body" });
      },
      begin: async (plan) => {
        const stored: BatchPlan = JSON.parse(plan);
        this.records.set(batch_id, { plan: stored, ends: [], is_created: true, stop: null });
        return ok({ record: text(), isNew: true });
      },
      read: async () => (this.records.has(batch_id) ? ok(text()) : refuse(unknown)),
      gate: async () => ({ is_open: false }),
      ended: async () => {},
      cancel: async (message) => {
        const record = this.records.get(batch_id);
        if (record === undefined) return refuse(unknown);
        const stop = { kind: "cancel", reason: "cancelled", message, at: 1 } as const;
        this.records.set(batch_id, { ...record, stop });
        return ok(text());
      },
    };
  }

  parts(more: Partial<RequestsParts> = {}): RequestsParts {
    return {
      now: () => Date.parse("2026-11-22T10:00:00Z"),
      newId: () => `new${(this.#ids += 1)}`,
      batch: (_tenant, batch_id) => this.#door(batch_id),
      check: async (_by, { task_id = "" }) => {
        this.checked.push(task_id);
        return this.refusals.get(task_id) ?? null;
      },
      checkChildren: async () => null,
      typeHistory: async () => new Map(),
      view: async (_by, task_id) => {
        this.viewed.push(task_id);
        const usage = { cost_usd: 0, tokens: 7, duration_s: 0 };
        return ok({ ...TASK_VIEW, task_id, status: "running", usage });
      },
      roster: async () => [executorOf("ann")],
      ...more,
    };
  }

  /** The plan of the only batch there is. */
  get plan(): BatchPlan {
    const [record] = this.records.values();
    if (record === undefined) throw new Error("nothing was begun");
    return record.plan;
  }
}
