import type { Clock } from "../../lib/ports.ts";
import { ok, refuse, type Result } from "../../lib/result.ts";
import type { Principal } from "../../protocol/access.ts";
import type { JsonObject } from "../../protocol/primitives.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import {
  pollSchema,
  type Poll,
  type Recovery,
  type RecoveryMatch,
  type RecoveryRequest,
  type WebhookStats,
} from "../../protocol/webhook-operations.ts";
import type { EndpointOffice } from "../endpoint-door.ts";
import type { PollQuery } from "../endpoint/polling.ts";
import type { RecoveryRange } from "../endpoint/recovery-store.ts";
import { statsOf } from "../endpoint/statistics.ts";
import { shardsOf } from "../shards.ts";
import { auditRecord, type AuditAction, type AuditBook } from "./audit.ts";
import { notFound } from "./finding.ts";
import { channelRefusal, sendRefusal } from "./of-channel.ts";
import type { WebhookStore } from "./webhook-store.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** What the operations are given. */
interface OperationPorts {
  store: Pick<WebhookStore, "isKnown" | "read">;
  endpoint: (tenant: string, webhook_id: string) => EndpointOffice;
  audit: Pick<AuditBook, "add">;
  newId: () => string;
  now: Clock;
}

/** What an operator asks of an endpoint's deliveries as a whole. */
export interface WebhookOperations {
  /** How the endpoint has done in the last `window` seconds. */
  stats(tenant: string, webhook_id: string, window: number): Answer<WebhookStats>;
  /** Notifications behind a position. Refuses `not_supported` for an endpoint of several shards. */
  poll(tenant: string, webhook_id: string, query: PollQuery): Answer<Poll>;
  /** Sends all deliveries that match again, or only counts them when it is a dry run. */
  recover(
    by: Principal,
    webhook_id: string,
    request: RecoveryRequest,
  ): Answer<Recovery | RecoveryMatch>;
  recovery(tenant: string, webhook_id: string, recovery_id: string): Answer<Recovery>;
  cancelRecovery(by: Principal, webhook_id: string, recovery_id: string): Answer<Recovery>;
}

/** Builds the operations. All refuse `webhook_not_found`. */
export function createOperations(ports: OperationPorts): WebhookOperations {
  const { now, newId } = ports;
  const record = (by: Principal, subject: string, action: AuditAction, detail: JsonObject) =>
    ports.audit.add(auditRecord(ports, by, { subject, action, detail }));
  const found = async (tenant: string, webhook_id: string): Answer<EndpointOffice> =>
    (await ports.store.isKnown(tenant, webhook_id))
      ? ok(ports.endpoint(tenant, webhook_id))
      : refuse(notFound(webhook_id));
  return {
    async stats(tenant, webhook_id, window) {
      const office = await found(tenant, webhook_id);
      if (!office.ok) return office;
      const figures = await office.value.figures(window);
      return ok(statsOf(figures ?? NO_FIGURES, window, now()));
    },
    async poll(tenant, webhook_id, query) {
      const office = await found(tenant, webhook_id);
      if (!office.ok) return office;
      if (shardsOf(webhook_id) > 1) return refuse(NO_POLLING);
      const polled = await office.value.poll(query);
      return polled.ok ? ok(pollSchema.parse(JSON.parse(polled.value))) : polled;
    },
    async recover(by, webhook_id, request) {
      const office = await found(by.tenant, webhook_id);
      if (!office.ok) return office;
      const range = rangeOf(request, now());
      if (request.dry_run) return ok(await office.value.recoverable(range));
      const webhook = await ports.store.read(by.tenant, webhook_id);
      const refusal = sendRefusal(by, webhook_id, webhook);
      if (refusal !== null) return refuse(refusal);
      const recovery_id = `rcv_${newId()}`;
      const { since, until, state } = request;
      await record(by, webhook_id, "recovery_started", { recovery_id, since, until, state });
      return office.value.recover(recovery_id, range);
    },
    async recovery(tenant, webhook_id, recovery_id) {
      const office = await found(tenant, webhook_id);
      return office.ok ? office.value.recovery(recovery_id) : office;
    },
    async cancelRecovery(by, webhook_id, recovery_id) {
      const office = await found(by.tenant, webhook_id);
      if (!office.ok) return office;
      const refusal = channelRefusal(by, webhook_id);
      if (refusal !== null) return refuse(refusal);
      const cancelled = await office.value.cancelRecovery(recovery_id);
      const isEnded = cancelled.ok && cancelled.value.state === "cancelled";
      if (isEnded) await record(by, webhook_id, "recovery_cancelled", { recovery_id });
      return cancelled;
    },
  };
}

const NO_FIGURES = {
  delivered: 0,
  retried: 0,
  durations: [],
  level: 0,
  oldestDue: null,
  last_error: null,
};

const NO_POLLING: Refusal = {
  code: "not_supported",
  detail: "An endpoint of several shards cannot be polled: their events have no common order.",
};

/** What is created after the recovery began is not part of it: it could never end. */
function rangeOf({ since, until, state }: RecoveryRequest, now: number): RecoveryRange {
  const end = until === undefined ? now : Math.min(Date.parse(until), now);
  return { since: Date.parse(since), until: end, wanted: state };
}
