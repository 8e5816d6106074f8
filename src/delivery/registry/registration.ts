import * as z from "zod";

import { instant } from "../../lib/ports.ts";
import { pointerOf } from "../../protocol/faults.ts";
import type { Fault, Refusal } from "../../protocol/refusal.ts";
import {
  webhookRegistrationSchema,
  type WebhookPatch,
  type WebhookRegistration,
  type WebhookView,
} from "../../protocol/webhook.ts";
import {
  signingSecretSchema,
  type EndpointConfig,
  type SigningSecret,
} from "../endpoint-config.ts";
import { headerFaults } from "../endpoint-headers.ts";
import { formatSchema, STANDARD } from "../format/target.ts";
import { urlFault, type UrlPolicy } from "./endpoint-url.ts";
import type { Routing } from "./routing.ts";
import { subscribedTypes } from "./subscriptions.ts";

/** A registration as it is kept: secrets and the state live beside it. */
export const storedRegistrationSchema = webhookRegistrationSchema
  .omit({ secret: true, schema_version: true, active: true })
  .extend({
    // None of an alert channel's: it is told by name and subscribes to nothing.
    events: z.array(webhookRegistrationSchema.shape.events.unwrap().element).default(["all"]),
    /** Of alert channels alone, and only they may say it. */
    format: formatSchema.optional(),
  });
export type StoredRegistration = z.infer<typeof storedRegistrationSchema>;

/** Whether an endpoint gets its deliveries. */
export const webhookStateSchema = z.enum(["active", "paused", "disabled"]);
export type WebhookState = z.infer<typeof webhookStateSchema>;

export const signingSecretsSchema = z.array(signingSecretSchema).min(1);

/** A webhook as the registry knows it. */
export interface Webhook {
  tenant: string;
  webhook_id: string;
  registration: StoredRegistration;
  secrets: SigningSecret[];
  state: WebhookState;
  /** The breaker's level as its object last told it. */
  level: number;
  /** What it wanted before, while news of that time may be under way. */
  routing: Routing;
  /** False while the receiver has not met the challenge that its registration asked for. */
  isVerified: boolean;
  version: number;
  created_at: string;
}

/** Secrets that sign at one time (facts/webhooks.md §6.7). */
const MOST_SECRETS = 3;

/** What of a request is kept as the registration. */
export function storedRegistration(request: WebhookRegistration): StoredRegistration {
  const { secret: _s, schema_version: _v, active: _a, ...registration } = request;
  return registration;
}

/** The registration after a change: null takes an option back. */
export function patched(before: StoredRegistration, patch: WebhookPatch): StoredRegistration {
  const { active: _active, schema_version: _version, ...changes } = patch;
  const after = Object.entries({ ...before, ...changes }).filter(([, value]) => value !== null);
  return storedRegistrationSchema.parse(Object.fromEntries(after));
}

/** The state that a request's `active` asks for; without it nothing changes. */
export function wantedState(before: WebhookState, active: boolean | undefined): WebhookState {
  if (active === undefined) return before;
  return active ? "active" : "paused";
}

/**
 * Why a registration can't be taken: an address or a header that is refused, or an option that can't be honoured,
 * because an option that is stored and ignored would be a lie. Null when it can.
 *
 * @param shards how many objects the endpoint has, once it exists
 */
export function registrationRefusal(
  registration: StoredRegistration,
  policy: UrlPolicy,
  shards: number = registration.shards ?? 1,
): Refusal | null {
  const url = urlFault(registration.url, policy);
  const endpointFaults = [
    ...(url === null ? [] : [faultAt(["url"], "endpoint_refused", url)]),
    ...headerFaults(Object.keys(registration.headers ?? {})).map(({ name, detail }) =>
      faultAt(["headers", name], "endpoint_refused", detail),
    ),
  ];
  if (endpointFaults.length > 0) {
    return {
      code: "endpoint_refused",
      detail: "No webhook is sent to such an address or with such headers.",
      errors: endpointFaults,
    };
  }
  const errors = unsupportedFields(registration, shards);
  return errors.length === 0
    ? null
    : { code: "not_supported", detail: "An option is not supported by this version.", errors };
}

function unsupportedFields(registration: StoredRegistration, shards: number): Fault[] {
  const { events, ordering, rate_limit } = registration;
  const refuse = (path: (string | number)[], detail: string): Fault =>
    faultAt(path, "not_supported", detail);
  return [
    ...events.flatMap((event, index) =>
      subscribedTypes([event]).length === 0
        ? [refuse(["events", index], "is not supported by this version")]
        : [],
    ),
    ...((registration.shards ?? 1) === shards
      ? []
      : [refuse(["shards"], `is ${shards} from the registration on and can't be changed`)]),
    ...(shards > 1 && ordering === "endpoint"
      ? [refuse(["shards"], "must be 1 where one order holds for the whole endpoint")]
      : []),
    ...(shards > 1 && rate_limit !== undefined && rate_limit.rate < shards
      ? [refuse(["rate_limit", "rate"], `must be at least ${shards}, one for each shard`)]
      : []),
  ];
}

function faultAt(path: (string | number)[], code: string, detail: string): Fault {
  return { pointer: pointerOf(path), code, detail };
}

/**
 * The secrets after a rotation: the new one first and for good, the others until this overlap or an earlier one
 * ends, whichever is first: with none, the new one signs alone. At most three sign at one time, so the oldest goes
 * when there are more.
 *
 * @param now epoch milliseconds
 */
export function rotated(
  secrets: readonly SigningSecret[],
  secret: string,
  rotation: { overlapSeconds: number; now: number },
): SigningSecret[] {
  const end = rotation.now + rotation.overlapSeconds * 1_000;
  const old = secrets
    .map(({ secret: other, expires_at }) => ({
      secret: other,
      expires_at: instant(Math.min(end, expires_at === null ? end : Date.parse(expires_at))),
    }))
    .filter(({ expires_at }) => Date.parse(expires_at) > rotation.now);
  return [{ secret, expires_at: null }, ...old].slice(0, MOST_SECRETS);
}

/** What was registered, with null or the default where nothing was. */
function shownRegistration(registration: StoredRegistration) {
  return {
    url: registration.url,
    name: registration.name ?? null,
    events: registration.events,
    filters: registration.filters ?? null,
    ...deliveryOptions(registration),
    breaker: registration.breaker ?? null,
    shards: registration.shards ?? 1,
  };
}

/** The options of a registration that shape delivery, with null or the default where nothing was given. */
function deliveryOptions(registration: StoredRegistration) {
  return {
    ordering: registration.ordering,
    lane_policy: registration.lane_policy ?? "block",
    retry_policy: registration.retry_policy ?? null,
    final_statuses: registration.final_statuses ?? [],
    timeout: registration.timeout,
    rate_limit: registration.rate_limit ?? null,
    batching: registration.batching ?? null,
    headers: registration.headers ?? {},
    compression: registration.compression ?? "none",
  };
}

/** A webhook as the contract shows it; the secret only where one was minted. */
export function webhookView(webhook: Webhook, mintedSecret?: string): WebhookView {
  const { registration, state } = webhook;
  return {
    webhook_id: webhook.webhook_id,
    ...shownRegistration(registration),
    active: state === "active",
    state,
    // Disabled is level 4 whoever disabled it (facts/webhooks.md §6.6).
    level: state === "disabled" ? 4 : webhook.level,
    is_verified: webhook.isVerified,
    created_at: webhook.created_at,
    ...(mintedSecret !== undefined && { secret: mintedSecret }),
  };
}

/** What the endpoint's object has to know of a webhook. */
export function configOf(webhook: Webhook): EndpointConfig {
  const { registration } = webhook;
  return {
    tenant: webhook.tenant,
    webhook_id: webhook.webhook_id,
    url: registration.url,
    secrets: webhook.secrets,
    ...deliveryOptions(registration),
    breaker: registration.breaker ?? null,
    format: registration.format ?? STANDARD,
    shard: 0,
    shards: registration.shards ?? 1,
    state: webhook.state,
    version: webhook.version,
  };
}
