import { ok, refuse, type Result } from "../../lib/result.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import type { Recovery, RecoveryMatch } from "../../protocol/webhook-operations.ts";
import type { EndpointStore } from "./endpoint-store.ts";
import { recoveryView, type RecoveryRange, type RecoveryStore } from "./recovery-store.ts";

/** Nobody has configured the endpoint. */
export const UNKNOWN: Refusal = {
  code: "webhook_not_found",
  detail: "Nobody has configured this endpoint.",
};

/** Nothing more is sent to the endpoint. */
export const DELETED: Refusal = { code: "webhook_not_found", detail: "Its endpoint was deleted." };

/** Starts, shows and ends the recoveries of an endpoint; its runs carry them out. */
export class Recoveries {
  readonly #endpoint: EndpointStore;
  readonly #store: RecoveryStore;

  constructor(endpoint: EndpointStore, store: RecoveryStore) {
    this.#endpoint = endpoint;
    this.#store = store;
  }

  /** How many deliveries a recovery would send again. */
  count(range: RecoveryRange): RecoveryMatch {
    return { matched: this.#endpoint.facts() === null ? 0 : this.#store.count(range) };
  }

  /** Begins one; with an id that is known it is the same. Refuses `webhook_not_found`. */
  start(recovery_id: string, range: RecoveryRange): Result<Recovery, Refusal> {
    const facts = this.#endpoint.facts();
    if (facts === null) return refuse(UNKNOWN);
    if (facts.config.state === "deleted") return refuse(DELETED);
    this.#store.insert(recovery_id, range, this.#store.count(range));
    return this.show(recovery_id);
  }

  /** How far one has come; refuses `recovery_not_found`. */
  show(recovery_id: string): Result<Recovery, Refusal> {
    const row = this.#endpoint.facts() === null ? null : this.#store.read(recovery_id);
    const detail = `There is no recovery ${recovery_id}.`;
    return row === null ? refuse({ code: "recovery_not_found", detail }) : ok(recoveryView(row));
  }

  /** Ends one; what it has opened stays open. Refuses `recovery_not_found`. */
  cancel(recovery_id: string): Result<Recovery, Refusal> {
    const found = this.show(recovery_id);
    if (found.ok) this.#store.cancel(recovery_id);
    return found.ok ? this.show(recovery_id) : found;
  }
}
