import { instant, type Clock } from "../../lib/ports.ts";
import { ok, refuse, type Result } from "../../lib/result.ts";
import type { Principal } from "../../protocol/access.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import type {
  DeliveryView,
  WebhookPatch,
  WebhookRegistration,
  WebhookView,
} from "../../protocol/webhook.ts";
import { parseDeliveryId } from "../delivery-id.ts";
import type { EndpointConfig } from "../endpoint-config.ts";
import type { DeliveriesPage, DeliveriesQuery } from "../endpoint/delivery-reads.ts";
import { renewedSecrets, sealedConfig, secretOwner } from "../sealed-secrets.ts";
import { callbackSecret, rotateCallbackSecret, type CallbackPorts } from "./callbacks.ts";
import { challengeRefusal, changed, firstState, unverified } from "./challenge.ts";
import type { UrlPolicy } from "./endpoint-url.ts";
import { hostRefusal, type HostFault } from "./host-check.ts";
import {
  configOf,
  patched,
  registrationRefusal,
  rotated,
  storedRegistration,
  wantedState,
  webhookView,
  type StoredRegistration,
  type Webhook,
  type WebhookState,
} from "./registration.ts";
import type { WebhookStore } from "./webhook-store.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** What the use cases need of an endpoint's object. */
export interface EndpointOffice {
  configure(config: string): Promise<void>;
  deliveries(query: DeliveriesQuery): Answer<DeliveriesPage>;
  delivery(delivery_id: string): Answer<DeliveryView>;
  replay(delivery_id: string): Answer<DeliveryView>;
  sendTest(): Answer<DeliveryView>;
}

/** What the use cases are given. */
export interface WebhookPorts extends CallbackPorts {
  store: WebhookStore;
  endpoint: (tenant: string, webhook_id: string) => EndpointOffice;
  /** 22 letters and digits that nobody can guess. */
  newId: () => string;
  now: Clock;
  urlPolicy: UrlPolicy;
  hostFault: HostFault;
}

/** How often a change that somebody else's overtook is tried again. */
const MOST_TRIES = 5;

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
    const refusal = await this.#refusalOf(registration, origin, true);
    if (refusal !== null) return refuse(refusal);
    const secret = request.secret ?? this.#ports.newSecret();
    const id = { tenant: by.tenant, webhook_id: `wh_${this.#ports.newId()}` };
    const sealed = await this.#ports.sealer.seal(secret, secretOwner(id));
    const webhook: Webhook = {
      ...id,
      registration,
      secrets: [{ secret: sealed, expires_at: null }],
      ...firstState(request),
      level: 0,
      version: 1,
      created_at: instant(this.#ports.now()),
    };
    await this.#ports.store.insert(webhook);
    await this.#tell(configOf(webhook));
    if (webhook.isVerified) return ok(webhookView(webhook, secret));
    const verified = await this.#challenge(webhook, wantedState("active", request.active));
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
    return this.#change(by.tenant, webhook_id, async (webhook) => {
      const registration = patched(webhook.registration, patch);
      const refusal = await this.#refusalOf(registration, origin, patch.url !== undefined);
      return refusal === null ? changed(webhook, registration, patch.active) : refuse(refusal);
    });
  }

  /** Sends the challenge again, and the notifications once it is met. Refuses `challenge_failed`. */
  async verify(by: Principal, webhook_id: string): Answer<WebhookView> {
    const webhook = await this.#ports.store.read(by.tenant, webhook_id);
    if (webhook === null) return refuse(notFound(webhook_id));
    if (webhook.isVerified) return ok(webhookView(webhook));
    const refusal = await hostRefusal(webhook.registration.url, this.#ports.hostFault);
    return refusal === null ? this.#challenge(webhook, "active") : refuse(refusal);
  }

  /** Nothing more is sent; what was open is cancelled and stays readable. */
  async remove(by: Principal, webhook_id: string): Answer<null> {
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const found = await this.#ports.store.read(by.tenant, webhook_id);
      if (found === null) return refuse(notFound(webhook_id));
      const webhook = { ...found, version: found.version + 1 };
      if (await this.#ports.store.remove(webhook, instant(this.#ports.now()))) {
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
    const changing = await this.#change(by.tenant, webhook_id, (webhook) =>
      ok({ ...webhook, secrets: rotated(webhook.secrets, secret, rotation) }),
    );
    return changing.ok ? ok({ ...changing.value, secret }) : changing;
  }

  /** While paused, notifications are kept; resuming sends them. Refuses `endpoint_unverified`. */
  async setPaused(by: Principal, webhook_id: string, isPaused: boolean): Answer<WebhookView> {
    return this.#change(by.tenant, webhook_id, (webhook) =>
      changed(webhook, webhook.registration, !isPaused),
    );
  }

  /** Sends a test notification through the endpoint's own path. Refuses `endpoint_unverified`. */
  async test(by: Principal, webhook_id: string): Answer<DeliveryView> {
    const webhook = await this.#ports.store.read(by.tenant, webhook_id);
    if (webhook === null) return refuse(notFound(webhook_id));
    if (!webhook.isVerified) return refuse(unverified(webhook_id));
    await this.#tell(configOf(webhook));
    return this.#ports.endpoint(by.tenant, webhook_id).sendTest();
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

  /** Sends a delivery again with the same id and the same bytes, whatever became of it. Refuses `endpoint_unverified`. */
  async replay(by: Principal, delivery_id: string): Answer<DeliveryView> {
    const endpoint = await this.#endpointOf(by.tenant, delivery_id);
    if (!endpoint.ok) return endpoint;
    const webhook_id = parseDeliveryId(delivery_id)?.webhook_id ?? "";
    const webhook = await this.#ports.store.read(by.tenant, webhook_id);
    if (webhook?.isVerified === false) return refuse(unverified(webhook_id));
    return endpoint.value.replay(delivery_id);
  }

  async callbackSecret(tenant: string): Promise<{ secret: string }> {
    return callbackSecret(this.#ports, tenant);
  }

  async rotateCallbackSecret(tenant: string, overlapSeconds: number): Promise<{ secret: string }> {
    return rotateCallbackSecret(this.#ports, tenant, overlapSeconds);
  }

  /** Makes a webhook verified and gives it a state, if the receiver meets the challenge and the url is still the same. */
  async #challenge(webhook: Webhook, state: WebhookState): Answer<WebhookView> {
    const refusal = await challengeRefusal(webhook, this.#ports);
    if (refusal !== null) return refuse(refusal);
    const { tenant, webhook_id, registration } = webhook;
    return this.#change(tenant, webhook_id, (now) =>
      now.registration.url === registration.url
        ? ok({ ...now, state, isVerified: true })
        : refuse(unverified(webhook_id)),
    );
  }

  /** @param isNewUrl only then its host is looked up: a webhook whose host is gone can still be changed */
  async #refusalOf(
    registration: StoredRegistration,
    ownOrigin: string,
    isNewUrl: boolean,
  ): Promise<Refusal | null> {
    const { urlPolicy, hostFault } = this.#ports;
    const refusal = registrationRefusal(registration, { ...urlPolicy, ownOrigin });
    return refusal === null && isNewUrl ? hostRefusal(registration.url, hostFault) : refusal;
  }

  async #change(
    tenant: string,
    webhook_id: string,
    change: (webhook: Webhook) => Result<Webhook, Refusal> | Answer<Webhook>,
  ): Answer<WebhookView> {
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const before = await this.#ports.store.read(tenant, webhook_id);
      if (before === null) return refuse(notFound(webhook_id));
      const after = await change(before);
      if (!after.ok) return after;
      // Seals a new secret, and what an earlier version or key left.
      const owner = secretOwner(after.value);
      const secrets = await renewedSecrets(this.#ports.sealer, owner, after.value.secrets);
      const webhook = { ...after.value, secrets, version: before.version + 1 };
      if (await this.#ports.store.update(webhook)) {
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
