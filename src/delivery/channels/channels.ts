import { instant, type Clock } from "../../lib/ports.ts";
import { briefUrl } from "../../lib/redact.ts";
import { ok, refuse, type Result } from "../../lib/result.ts";
import type { Sealer } from "../../lib/seal.ts";
import type { Principal } from "../../protocol/access.ts";
import type { ChannelKind, ChannelRequest, ChannelView } from "../../protocol/alerts.ts";
import { SCHEMA_VERSION } from "../../protocol/primitives.ts";
import type { Fault, Refusal } from "../../protocol/refusal.ts";
import type { DeliveryView } from "../../protocol/webhook.ts";
import type { EndpointConfig, SigningSecret } from "../endpoint-config.ts";
import type { EndpointOffice } from "../endpoint-door.ts";
import { auditRecord, changeDetail, creationDetail } from "../registry/audit.ts";
import { urlFault, type UrlPolicy } from "../registry/endpoint-url.ts";
import { MOST_TRIES, OVERTAKEN } from "../registry/finding.ts";
import { hostRefusal, type HostFault } from "../registry/host-check.ts";
import { configOf, type Webhook } from "../registry/registration.ts";
import type { WebhookStore } from "../registry/webhook-store.ts";
import { renewedSecrets, sealedConfig, secretOwner } from "../sealed-secrets.ts";
import { channelEndpointId } from "../shards.ts";
import type { ChannelStore } from "./channel-store.ts";
import type { StoredChannel } from "./channel.ts";
import { keepsSecret, registrationOf } from "./endpoint.ts";
import { channelFaults, needsSecret } from "./rules.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** Channels that one tenant may have: each alert looks at all of them. */
export const MOST_CHANNELS = 50;

/** What the use cases are given. */
export interface ChannelParts {
  store: ChannelStore;
  webhooks: Pick<WebhookStore, "insert" | "read" | "readDeleted" | "update" | "remove">;
  endpoint: (tenant: string, webhook_id: string) => EndpointOffice;
  sealer: Sealer;
  /** 22 letters and digits that nobody can guess. */
  newId: () => string;
  /** A new signing secret. */
  newSecret: () => string;
  now: Clock;
  urlPolicy: UrlPolicy;
  hostFault: HostFault;
}

/** What a PUT asks for, once it may be kept. */
interface Wanted {
  channel_id: string;
  channel: StoredChannel["channel"];
  /** In clear; null when the stored ones stay. */
  secret: string | null;
}

/** Keeps alert channels, each with the endpoint that carries it. */
export class Channels {
  readonly #parts: ChannelParts;

  constructor(parts: ChannelParts) {
    this.#parts = parts;
  }

  /** Channels of a tenant by id. */
  async list(
    tenant: string,
    { cursor = "", limit }: { cursor?: string | undefined; limit: number },
  ): Promise<{ items: ChannelView[]; next_cursor: string | null }> {
    const found = await this.#parts.store.list(tenant, cursor, limit + 1);
    const items = found.slice(0, limit).map((stored) => channelView(stored));
    return { items, next_cursor: found.length > limit ? (items.at(-1)?.channel_id ?? null) : null };
  }

  /** Refuses `channel_not_found`. */
  async get(tenant: string, channel_id: string): Answer<ChannelView> {
    const stored = await this.#parts.store.read(tenant, channel_id);
    return stored === null ? refuse(notFound(channel_id)) : ok(channelView(stored));
  }

  /**
   * Makes a channel, or replaces its settings: what alerts come from now on are sent so, and what is under way too.
   * Refuses `channel_refused`, naming each field, and `endpoint_refused`; nothing is kept then.
   *
   * @param origin scheme, host and port by which the request came
   */
  async put(
    by: Principal,
    channel_id: string,
    { request, origin }: { request: ChannelRequest; origin: string },
  ): Answer<ChannelView> {
    const errors = channelFaults(request);
    if (errors.length > 0) return refuse(refused(request.kind, errors));
    const { store, webhooks } = this.#parts;
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const stored = await store.read(by.tenant, channel_id);
      const before = stored && (await webhooks.read(by.tenant, stored.webhook_id));
      const wanted = await this.#wanted(channel_id, before, { request, origin });
      if (!wanted.ok) return wanted;
      // Its deletion has come half way: it ends first.
      if (before === null && stored !== null) await this.#forget(by, stored);
      if (before === null) return this.#create(by, wanted.value);
      const changed = await this.#change(by, wanted.value, before);
      if (changed !== null) return ok(changed);
    }
    return refuse(OVERTAKEN);
  }

  /**
   * Nothing more is sent; what was open is cancelled and stays readable. Refuses `channel_not_found`. Where it throws, the
   * channel is still there, and removing it again goes on.
   */
  async remove(by: Principal, channel_id: string): Answer<null> {
    const stored = await this.#parts.store.read(by.tenant, channel_id);
    if (stored === null) return refuse(notFound(channel_id));
    await this.#forget(by, stored);
    return ok(null);
  }

  /** Sends a test alert of severity info, also while the channel is not enabled. Refuses `channel_not_found`. */
  async test(by: Principal, channel_id: string): Answer<DeliveryView> {
    const { store, webhooks, endpoint } = this.#parts;
    const stored = await store.read(by.tenant, channel_id);
    const webhook = stored && (await webhooks.read(by.tenant, stored.webhook_id));
    if (webhook === null) return refuse(notFound(channel_id));
    await this.#tell(configOf(webhook));
    return endpoint(by.tenant, webhook.webhook_id).sendTest();
  }

  /**
   * What is to be kept. A stored secret stays where none is given and it goes to the same place: the endpoint as it was
   * read says which that is, and nothing is changed of another one.
   */
  async #wanted(
    channel_id: string,
    before: Webhook | null,
    { request, origin }: { request: ChannelRequest; origin: string },
  ): Promise<Result<Wanted, Refusal>> {
    const { secret: given, schema_version: _version, ...channel } = request;
    const registration = registrationOf(channel);
    const isKept = before !== null && keepsSecret(before.registration, registration);
    if (given === undefined && !isKept && needsSecret(channel.kind)) {
      return refuse(refused(channel.kind, [MISSING_SECRET]));
    }
    const isKnown = isKept && before.registration.url === registration.url;
    const refusal = isKnown ? null : await this.#addressRefusal(channel.url, origin);
    if (refusal !== null) return refuse(refusal);
    if (isKept) return ok({ channel_id, channel, secret: given ?? null });
    if (channel.kind !== "chat") {
      return ok({ channel_id, channel, secret: given ?? this.#parts.newSecret() });
    }
    // Its address is its secret: it is shown up to its host, and who sends that back leaves it as it is.
    const { url } = registration;
    return ok({ channel_id, channel: { ...channel, url: briefUrl(url) }, secret: url });
  }

  async #addressRefusal(url: string | undefined, origin: string): Promise<Refusal | null> {
    // A provider's own address is nobody's to choose.
    if (url === undefined) return null;
    const { urlPolicy, hostFault } = this.#parts;
    const detail = urlFault(url, { ...urlPolicy, ownOrigin: origin });
    if (detail === null) return hostRefusal(url, hostFault);
    return {
      code: "endpoint_refused",
      detail: "No alert is sent to such an address.",
      errors: [{ pointer: "/url", code: "endpoint_refused", detail }],
    };
  }

  async #create(by: Principal, { channel_id, channel, secret }: Wanted): Answer<ChannelView> {
    const { store, webhooks, newId, now } = this.#parts;
    if ((await store.count(by.tenant)) >= MOST_CHANNELS) return refuse(TOO_MANY);
    const id = { tenant: by.tenant, webhook_id: channelEndpointId(newId()) };
    const at = instant(now());
    const webhook: Webhook = {
      ...id,
      registration: registrationOf(channel),
      secrets: await this.#sealed({ ...id, secrets: [] }, secret),
      state: channel.is_enabled ? "active" : "paused",
      isVerified: true,
      level: 0,
      version: 1,
      routing: [],
      created_at: at,
    };
    const detail = creationDetail(webhook);
    const what = { subject: id.webhook_id, action: "webhook_created", detail } as const;
    const stored = { channel_id, webhook_id: id.webhook_id, channel, updated_at: at };
    try {
      // Both or neither: an endpoint that no channel names could never be removed.
      const record = auditRecord(this.#parts, by, what);
      await webhooks.insert(webhook, record, store.insertion(by.tenant, stored));
    } catch (error) {
      // Somebody made one of this id at the same time: theirs is the one that counts.
      if ((await store.read(by.tenant, channel_id)) === null) throw error;
      return refuse(OVERTAKEN);
    }
    await this.#tell(configOf(webhook));
    return ok(channelView(stored));
  }

  /** Null when somebody else changed the endpoint since it was read. */
  async #change(
    by: Principal,
    { channel_id, channel, secret }: Wanted,
    before: Webhook,
  ): Promise<ChannelView | null> {
    const { store, webhooks, now } = this.#parts;
    const { webhook_id } = before;
    const webhook: Webhook = {
      ...before,
      registration: registrationOf(channel),
      secrets: await this.#sealed(before, secret),
      state: channel.is_enabled ? "active" : "paused",
      version: before.version + 1,
    };
    const detail = changeDetail(before, webhook);
    const what = { subject: webhook_id, action: "webhook_changed", detail } as const;
    if (!(await webhooks.update(webhook, auditRecord(this.#parts, by, what)))) return null;
    const stored = { channel_id, webhook_id, channel, updated_at: instant(now()) };
    await store.update(by.tenant, stored);
    await this.#tell(configOf(webhook));
    return channelView(stored);
  }

  /** A new secret in place of all others, or those that there are. */
  async #sealed(
    of: Pick<Webhook, "tenant" | "webhook_id" | "secrets">,
    secret: string | null,
  ): Promise<SigningSecret[]> {
    const { sealer } = this.#parts;
    const owner = secretOwner(of);
    if (secret === null) return renewedSecrets(sealer, owner, of.secrets);
    return [{ secret: await sealer.seal(secret, owner), expires_at: null }];
  }

  /** The endpoint first: while that has not ended, the channel is there to be removed again. */
  async #forget(by: Principal, stored: StoredChannel): Promise<void> {
    await this.#close(by, stored.webhook_id);
    await this.#parts.store.remove(by.tenant, stored);
  }

  /** Ends an endpoint in the registry and at its object, also where the one was done before. */
  async #close(by: Principal, webhook_id: string): Promise<void> {
    const { webhooks } = this.#parts;
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const found = await webhooks.read(by.tenant, webhook_id);
      if (found === null) {
        const gone = await webhooks.readDeleted(by.tenant, webhook_id);
        return gone === null ? undefined : this.#tell({ ...configOf(gone), state: "deleted" });
      }
      const webhook = { ...found, version: found.version + 1 };
      const detail = { state: found.state };
      const what = { subject: webhook_id, action: "webhook_deleted", detail } as const;
      if (await webhooks.remove(webhook, auditRecord(this.#parts, by, what))) {
        return this.#tell({ ...configOf(webhook), state: "deleted" });
      }
    }
    throw new Error(`Others changed endpoint ${webhook_id} at the same time, again and again`);
  }

  async #tell(config: EndpointConfig): Promise<void> {
    const endpoint = this.#parts.endpoint(config.tenant, config.webhook_id);
    await endpoint.configure(JSON.stringify(await sealedConfig(this.#parts.sealer, config)));
  }
}

const TOO_MANY: Refusal = {
  code: "channel_refused",
  detail: `The tenant has ${MOST_CHANNELS} alert channels, which is the most; DELETE one of them first.`,
};

function notFound(channel_id: string): Refusal {
  return {
    code: "channel_not_found",
    detail: `There is no alert channel ${channel_id}; PUT /v1/alert-channels/${channel_id} makes it.`,
  };
}

const MISSING_SECRET: Fault = {
  pointer: "/secret",
  code: "channel_refused",
  detail: "is needed; a stored one stays only with the same kind, url and account",
};

function refused(kind: ChannelKind, errors: Fault[]): Refusal {
  return {
    code: "channel_refused",
    detail: `A channel of kind ${kind} can't be like this.`,
    errors,
  };
}

function channelView({ channel_id, webhook_id, channel, updated_at }: StoredChannel): ChannelView {
  return {
    ...channel,
    schema_version: SCHEMA_VERSION,
    channel_id,
    // No kind does without: a webhook that brings none is given one.
    has_secret: true,
    webhook_id,
    updated_at,
  };
}
