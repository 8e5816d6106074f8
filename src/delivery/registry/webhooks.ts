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
import { renewedSecrets, sealedConfig, secretOwner } from "../sealed-secrets.ts";
import { isOfChannel, shardsOf, webhookIdOf } from "../shards.ts";
import {
  auditRecord,
  changeDetail,
  creationDetail,
  patchAction,
  type AuditAction,
  type AuditBook,
  type AuditRecord,
  type Change,
} from "./audit.ts";
import { callbackSecret, rotateCallbackSecret, type CallbackPorts } from "./callbacks.ts";
import { challengeRefusal, changed, firstState, unverified } from "./challenge.ts";
import type { UrlPolicy } from "./endpoint-url.ts";
import { endpointOf, MOST_TRIES, notFound, OVERTAKEN, refusalOf } from "./finding.ts";
import { hostRefusal, type HostFault } from "./host-check.ts";
import { channelRefusal, OF_CHANNEL, sendRefusal } from "./of-channel.ts";
import {
  configOf,
  patched,
  rotated,
  storedRegistration,
  wantedState,
  webhookView,
  type Webhook,
  type WebhookState,
} from "./registration.ts";
import { routingAfter } from "./routing.ts";
import type { WebhookStore } from "./webhook-store.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** What the use cases are given. */
export interface WebhookPorts extends CallbackPorts {
  store: WebhookStore;
  audit: Pick<AuditBook, "add">;
  endpoint: (tenant: string, webhook_id: string) => EndpointOffice;
  /** 22 letters and digits that nobody can guess. */
  newId: () => string;
  now: Clock;
  urlPolicy: UrlPolicy;
  hostFault: HostFault;
}

/** Registers, changes and shows webhook endpoints, and reads and replays their deliveries. */
export class Webhooks {
  readonly #ports: WebhookPorts;

  constructor(ports: WebhookPorts) {
    this.#ports = ports;
  }

  /**
   * Refuses `endpoint_refused` or `not_supported`, naming each field. The answer holds the secret. With a challenge,
   * it comes once the receiver has answered or its timeout is over, and `is_verified` tells what became of it.
   *
   * @param origin scheme, host and port by which the request came
   */
  async create(by: Principal, request: WebhookRegistration, origin: string): Answer<WebhookView> {
    const registration = storedRegistration(request);
    const refusal = await refusalOf(this.#ports, registration, { origin, isNewUrl: true });
    if (refusal !== null) return refuse(refusal);
    const secret = request.secret ?? this.#ports.newSecret();
    const webhook_id = webhookIdOf(this.#ports.newId(), registration.shards ?? 1);
    const id = { tenant: by.tenant, webhook_id };
    const sealed = await this.#ports.sealer.seal(secret, secretOwner(id));
    const webhook: Webhook = {
      ...id,
      registration,
      secrets: [{ secret: sealed, expires_at: null }],
      ...firstState(request),
      level: 0,
      version: 1,
      routing: [],
      created_at: instant(this.#ports.now()),
    };
    const record = this.#record(by, webhook.webhook_id, "webhook_created", creationDetail(webhook));
    await this.#ports.store.insert(webhook, record);
    await this.#tell(configOf(webhook));
    if (webhook.isVerified) return ok(webhookView(webhook, secret));
    const verified = await this.#challenge(by, webhook, wantedState("active", request.active));
    return ok({ ...(verified.ok ? verified.value : webhookView(webhook)), secret });
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

  /**
   * The given fields replace the old ones, from the next event on. Refuses as `create`, and `endpoint_unverified`.
   *
   * @param origin scheme, host and port by which the request came
   */
  async patch(
    by: Principal,
    webhook_id: string,
    patch: WebhookPatch,
    origin: string,
  ): Answer<WebhookView> {
    const isNewUrl = patch.url !== undefined;
    const about = { origin, isNewUrl, shards: shardsOf(webhook_id) };
    return this.#change(by, webhook_id, async (before) => {
      if (isOfChannel(webhook_id)) return refuse(OF_CHANNEL);
      const registration = patched(before.registration, patch);
      const refusal = await refusalOf(this.#ports, registration, about);
      if (refusal !== null) return refuse(refusal);
      const after = changed(before, registration, patch.active);
      if (!after.ok) return after;
      return ok({ webhook: after.value, action: patchAction(before, after.value) });
    });
  }

  /** Sends the challenge again, and the notifications once it is met. Refuses `challenge_failed`. */
  async verify(by: Principal, webhook_id: string): Answer<WebhookView> {
    const webhook = await this.#ports.store.read(by.tenant, webhook_id);
    if (webhook === null) return refuse(notFound(webhook_id));
    if (webhook.isVerified) return ok(webhookView(webhook));
    const refusal = await hostRefusal(webhook.registration.url, this.#ports.hostFault);
    return refusal === null ? this.#challenge(by, webhook, "active") : refuse(refusal);
  }

  /** Nothing more is sent; what was open is cancelled and stays readable. */
  async remove(by: Principal, webhook_id: string): Answer<null> {
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const found = await this.#ports.store.read(by.tenant, webhook_id);
      if (found === null) return refuse(notFound(webhook_id));
      if (isOfChannel(webhook_id)) return refuse(OF_CHANNEL);
      const webhook = { ...found, version: found.version + 1 };
      const record = this.#record(by, webhook_id, "webhook_deleted", { state: found.state });
      if (await this.#ports.store.remove(webhook, record)) {
        await this.#tell({ ...configOf(webhook), state: "deleted" });
        return ok(null);
      }
    }
    return refuse(OVERTAKEN);
  }

  /** A new secret signs at once; the old ones go on beside it for the overlap, in seconds. The answer holds the new one. */
  async rotateSecret(by: Principal, webhook_id: string, overlap: number): Answer<WebhookView> {
    const secret = this.#ports.newSecret();
    const rotation = { overlapSeconds: overlap, now: this.#ports.now() };
    const changing = await this.#change(by, webhook_id, (webhook) => {
      const refusal = channelRefusal(by, webhook_id, webhook.registration.format !== undefined);
      if (refusal !== null) return refuse(refusal);
      const secrets = rotated(webhook.secrets, secret, rotation);
      const detail = { overlap_seconds: overlap, signing: secrets.length };
      return ok({ webhook: { ...webhook, secrets }, action: "secret_rotated", detail });
    });
    return changing.ok ? ok({ ...changing.value, secret }) : changing;
  }

  /** While paused, notifications are kept; resuming sends them. Refuses `endpoint_unverified`. */
  async setPaused(by: Principal, webhook_id: string, isPaused: boolean): Answer<WebhookView> {
    const action = isPaused ? "webhook_paused" : "webhook_resumed";
    const changing = await this.#change(by, webhook_id, (before) => {
      // The is_enabled of its channel pauses it, and nothing else ends that.
      const refusal = channelRefusal(by, webhook_id, isPaused || before.state === "paused");
      if (refusal !== null) return refuse(refusal);
      const after = changed(before, before.registration, !isPaused);
      return after.ok ? ok({ webhook: after.value, action }) : after;
    });
    // Also one that was active: its breaker may be open.
    if (changing.ok && !isPaused) await this.#ports.endpoint(by.tenant, webhook_id).resume();
    return changing;
  }

  /** Sends a test notification through the endpoint's own path. Refuses `endpoint_unverified`. */
  async test(by: Principal, webhook_id: string): Answer<DeliveryView> {
    const webhook = await this.#ports.store.read(by.tenant, webhook_id);
    if (webhook === null) return refuse(notFound(webhook_id));
    const refusal = sendRefusal(by, webhook_id, webhook);
    if (refusal !== null) return refuse(refusal);
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
    const endpoint = await endpointOf(this.#ports, tenant, delivery_id);
    return endpoint.ok ? endpoint.value.delivery(delivery_id) : endpoint;
  }

  /** Sends a delivery again with the same id and the same bytes, whatever became of it. Refuses `endpoint_unverified`. */
  async replay(by: Principal, delivery_id: string): Answer<DeliveryView> {
    const endpoint = await endpointOf(this.#ports, by.tenant, delivery_id);
    if (!endpoint.ok) return endpoint;
    const webhook_id = parseDeliveryId(delivery_id)?.webhook_id ?? "";
    const webhook = await this.#ports.store.read(by.tenant, webhook_id);
    const refusal = sendRefusal(by, webhook_id, webhook);
    if (refusal !== null) return refuse(refusal);
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

  /** Makes a webhook verified and gives it a state, if the receiver meets the challenge and the url is still the same. */
  async #challenge(by: Principal, webhook: Webhook, state: WebhookState): Answer<WebhookView> {
    const refusal = await challengeRefusal(webhook, this.#ports);
    if (refusal !== null) return refuse(refusal);
    const { webhook_id, registration } = webhook;
    return this.#change(by, webhook_id, (now) =>
      now.registration.url === registration.url
        ? ok({ webhook: { ...now, state, isVerified: true }, action: "webhook_verified" })
        : refuse(unverified(webhook_id)),
    );
  }

  async #change(
    by: Principal,
    webhook_id: string,
    change: (webhook: Webhook) => Result<Change, Refusal> | Answer<Change>,
  ): Answer<WebhookView> {
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const before = await this.#ports.store.read(by.tenant, webhook_id);
      if (before === null) return refuse(notFound(webhook_id));
      const after = await change(before);
      if (!after.ok) return after;
      const { webhook: wanted, action, detail = changeDetail(before, wanted) } = after.value;
      // Seals a new secret, and what an earlier version or key left.
      const owner = secretOwner(before);
      const secrets = await renewedSecrets(this.#ports.sealer, owner, wanted.secrets);
      const routing = routingAfter(before, wanted.registration, this.#ports.now());
      const webhook = { ...wanted, secrets, routing, version: before.version + 1 };
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
    await endpoint.configure(JSON.stringify(await sealedConfig(this.#ports.sealer, config)));
  }
}
