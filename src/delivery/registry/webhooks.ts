import { instant, type Clock } from "../../lib/ports.ts";
import { ok, refuse, type Result } from "../../lib/result.ts";
import type { Principal } from "../../protocol/access.ts";
import type { JsonObject } from "../../protocol/primitives.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import type {
  DeliveryView,
  WebhookPatch,
  WebhookRegistration,
  WebhookView,
} from "../../protocol/webhook.ts";
import { parseDeliveryId } from "../delivery-id.ts";
import type { EndpointConfig } from "../endpoint-config.ts";
import type { EndpointOffice } from "../endpoint-door.ts";
import type { DeliveriesPage, DeliveriesQuery } from "../endpoint/delivery-reads.ts";
import { webhookIdOf } from "../shards.ts";
import type { AuditStore } from "./audit-store.ts";
import {
  auditRecord,
  changeDetail,
  creationDetail,
  patchAction,
  type AuditAction,
  type AuditRecord,
} from "./audit.ts";
import { callbackSecret, rotateCallbackSecret, type CallbackPorts } from "./callbacks.ts";
import type { UrlPolicy } from "./endpoint-url.ts";
import {
  configOf,
  patched,
  registrationRefusal,
  rotated,
  storedRegistration,
  wantedState,
  webhookView,
  type Webhook,
} from "./registration.ts";
import type { WebhookStore } from "./webhook-store.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** What the use cases are given. */
export interface WebhookPorts extends CallbackPorts {
  store: WebhookStore;
  audit: AuditStore;
  endpoint: (tenant: string, webhook_id: string) => EndpointOffice;
  /** 22 letters and digits that nobody can guess. */
  newId: () => string;
  now: Clock;
  urlPolicy: UrlPolicy;
}

/** A change of a webhook and what its audit calls it; without `detail` that tells which fields changed. */
interface Change {
  webhook: Webhook;
  action: AuditAction;
  detail?: JsonObject;
}

/** How often a change that somebody else's overtook is tried again. */
const MOST_TRIES = 5;

/** Registers, changes and shows webhook endpoints, and reads and replays their deliveries. */
export class Webhooks {
  readonly #ports: WebhookPorts;

  constructor(ports: WebhookPorts) {
    this.#ports = ports;
  }

  /** Refuses `endpoint_refused` or `not_supported`, naming each field. The answer holds the secret. */
  async create(by: Principal, request: WebhookRegistration): Answer<WebhookView> {
    const registration = storedRegistration(request);
    const refusal = registrationRefusal(registration, this.#ports.urlPolicy);
    if (refusal !== null) return refuse(refusal);
    const secret = request.secret ?? this.#ports.newSecret();
    const webhook: Webhook = {
      tenant: by.tenant,
      webhook_id: webhookIdOf(this.#ports.newId(), registration.shards ?? 1),
      registration,
      secrets: [{ secret, expires_at: null }],
      state: wantedState("active", request.active),
      level: 0,
      isVerified: true,
      version: 1,
      created_at: instant(this.#ports.now()),
    };
    const record = this.#record(by, webhook.webhook_id, "webhook_created", creationDetail(webhook));
    await this.#ports.store.insert(webhook, record);
    await this.#tell(configOf(webhook));
    return ok(webhookView(webhook, secret));
  }

  /** Webhooks of a tenant by id. */
  async list(
    tenant: string,
    page: { cursor?: string | undefined; limit: number },
  ): Promise<{ items: WebhookView[]; next_cursor: string | null }> {
    const found = await this.#ports.store.list(tenant, page.cursor ?? "", page.limit + 1);
    const items = found.slice(0, page.limit).map((webhook) => webhookView(webhook));
    const isEnd = found.length <= page.limit;
    return { items, next_cursor: isEnd ? null : (items.at(-1)?.webhook_id ?? null) };
  }

  async get(tenant: string, webhook_id: string): Answer<WebhookView> {
    const webhook = await this.#ports.store.read(tenant, webhook_id);
    return webhook === null ? refuse(notFound(webhook_id)) : ok(webhookView(webhook));
  }

  /** The given fields replace the old ones, from the next event on. */
  async patch(by: Principal, webhook_id: string, patch: WebhookPatch): Answer<WebhookView> {
    return this.#change(by, webhook_id, (before) => {
      const registration = patched(before.registration, patch);
      const refusal = registrationRefusal(registration, this.#ports.urlPolicy);
      if (refusal !== null) return refuse(refusal);
      const webhook = { ...before, registration, state: wantedState(before.state, patch.active) };
      return ok({ webhook, action: patchAction(before, webhook) });
    });
  }

  /** Nothing more is sent; what was open is cancelled and stays readable. */
  async remove(by: Principal, webhook_id: string): Answer<null> {
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const found = await this.#ports.store.read(by.tenant, webhook_id);
      if (found === null) return refuse(notFound(webhook_id));
      const webhook = { ...found, version: found.version + 1 };
      const record = this.#record(by, webhook_id, "webhook_deleted", { state: found.state });
      if (await this.#ports.store.remove(webhook, record)) {
        await this.#tell({ ...configOf(webhook), state: "deleted" });
        return ok(null);
      }
    }
    return refuse(OVERTAKEN);
  }

  /** A new secret signs at once; the old ones go on beside it for the overlap. The answer holds the new one. */
  async rotateSecret(
    by: Principal,
    webhook_id: string,
    overlapSeconds: number,
  ): Answer<WebhookView> {
    const secret = this.#ports.newSecret();
    const rotation = { overlapSeconds, now: this.#ports.now() };
    const changed = await this.#change(by, webhook_id, (webhook) => {
      const secrets = rotated(webhook.secrets, secret, rotation);
      const detail = { overlap_seconds: overlapSeconds, signing: secrets.length };
      return ok({ webhook: { ...webhook, secrets }, action: "secret_rotated", detail });
    });
    return changed.ok ? ok({ ...changed.value, secret }) : changed;
  }

  /** While paused, notifications are kept; resuming sends them. */
  async setPaused(by: Principal, webhook_id: string, isPaused: boolean): Answer<WebhookView> {
    const action = isPaused ? "webhook_paused" : "webhook_resumed";
    const changed = await this.#change(by, webhook_id, (webhook) =>
      ok({ webhook: { ...webhook, state: wantedState(webhook.state, !isPaused) }, action }),
    );
    // Also one that was active: its breaker may be open.
    if (changed.ok && !isPaused) await this.#ports.endpoint(by.tenant, webhook_id).resume();
    return changed;
  }

  /** Sends a test notification through the endpoint's own path. */
  async test(by: Principal, webhook_id: string): Answer<DeliveryView> {
    const webhook = await this.#ports.store.read(by.tenant, webhook_id);
    if (webhook === null) return refuse(notFound(webhook_id));
    await this.#tell(configOf(webhook));
    const sent = await this.#ports.endpoint(by.tenant, webhook_id).sendTest();
    return this.#recorded(by, sent, "webhook_tested");
  }

  async deliveries(
    tenant: string,
    webhook_id: string,
    query: DeliveriesQuery,
  ): Answer<DeliveriesPage> {
    if (!(await this.#ports.store.isKnown(tenant, webhook_id))) return refuse(notFound(webhook_id));
    return this.#ports.endpoint(tenant, webhook_id).deliveries(query);
  }

  /** One delivery with its attempts, also of a deleted endpoint. */
  async delivery(tenant: string, delivery_id: string): Answer<DeliveryView> {
    const endpoint = await this.#endpointOf(tenant, delivery_id);
    return endpoint.ok ? endpoint.value.delivery(delivery_id) : endpoint;
  }

  /** Sends a delivery again with the same id and the same bytes, whatever became of it. */
  async replay(by: Principal, delivery_id: string): Answer<DeliveryView> {
    const endpoint = await this.#endpointOf(by.tenant, delivery_id);
    if (!endpoint.ok) return endpoint;
    return this.#recorded(by, await endpoint.value.replay(delivery_id), "delivery_replayed");
  }

  async callbackSecret(tenant: string): Promise<{ secret: string }> {
    return callbackSecret(this.#ports, tenant);
  }

  async rotateCallbackSecret(by: Principal, overlapSeconds: number): Promise<{ secret: string }> {
    return rotateCallbackSecret(this.#ports, by, overlapSeconds);
  }

  #record(by: Principal, subject: string, action: AuditAction, detail: JsonObject): AuditRecord {
    return auditRecord(this.#ports, by, { subject, action, detail });
  }

  /**
   * Records what the endpoint's object has done. A crash between the two leaves no record; the delivery's attempt
   * with its trigger `manual` is the trace then.
   */
  async #recorded(
    by: Principal,
    done: Result<DeliveryView, Refusal>,
    action: AuditAction,
  ): Answer<DeliveryView> {
    if (!done.ok) return done;
    const { webhook_id, delivery_id } = done.value;
    await this.#ports.audit.add(this.#record(by, webhook_id, action, { delivery_id }));
    return done;
  }

  async #change(
    by: Principal,
    webhook_id: string,
    change: (webhook: Webhook) => Result<Change, Refusal>,
  ): Answer<WebhookView> {
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const before = await this.#ports.store.read(by.tenant, webhook_id);
      if (before === null) return refuse(notFound(webhook_id));
      const changed = change(before);
      if (!changed.ok) return changed;
      const { action, detail = changeDetail(before, changed.value.webhook) } = changed.value;
      const webhook = { ...changed.value.webhook, version: before.version + 1 };
      const record = this.#record(by, webhook_id, action, detail);
      if (await this.#ports.store.update(webhook, record)) {
        await this.#tell(configOf(webhook));
        return ok(webhookView(webhook));
      }
    }
    return refuse(OVERTAKEN);
  }

  async #tell(config: EndpointConfig): Promise<void> {
    const endpoint = this.#ports.endpoint(config.tenant, config.webhook_id);
    await endpoint.configure(JSON.stringify(config));
  }

  async #endpointOf(tenant: string, delivery_id: string): Answer<EndpointOffice> {
    const webhook_id = parseDeliveryId(delivery_id)?.webhook_id;
    // Nobody registers a callback endpoint: its object alone knows it, and it is the tenant's own by its name.
    const isKnown =
      webhook_id !== undefined &&
      (webhook_id.startsWith("cb_") || (await this.#ports.store.isKnown(tenant, webhook_id)));
    return isKnown
      ? ok(this.#ports.endpoint(tenant, webhook_id))
      : refuse({ code: "delivery_not_found", detail: `There is no delivery ${delivery_id}.` });
  }
}

function notFound(webhook_id: string): Refusal {
  return { code: "webhook_not_found", detail: `There is no webhook ${webhook_id}.` };
}

const OVERTAKEN: Refusal = {
  code: "unavailable",
  detail: "Others changed it at the same time, again and again. Try once more.",
};
