import { ok, refuse, type Result } from "../../lib/result.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import { parseDeliveryId } from "../delivery-id.ts";
import type { EndpointOffice } from "../endpoint-door.ts";
import type { UrlPolicy } from "./endpoint-url.ts";
import { hostRefusal, type HostFault } from "./host-check.ts";
import { registrationRefusal, type StoredRegistration } from "./registration.ts";

/** There is no such webhook in this tenant. */
export function notFound(webhook_id: string): Refusal {
  return { code: "webhook_not_found", detail: `There is no webhook ${webhook_id}.` };
}

/** How often a change that somebody else's overtook is tried again. */
export const MOST_TRIES = 5;

/** Others changed a webhook each time that somebody tried to. */
export const OVERTAKEN: Refusal = {
  code: "unavailable",
  detail: "Others changed it at the same time, again and again. Try once more.",
};

/** What finding the endpoint of a delivery needs. */
interface EndpointFinder {
  store: { isKnown: (tenant: string, webhook_id: string) => Promise<boolean> };
  endpoint: (tenant: string, webhook_id: string) => EndpointOffice;
}

/** The endpoint that a delivery is for, also a deleted one; refuses `delivery_not_found`. */
export async function endpointOf(
  { store, endpoint }: EndpointFinder,
  tenant: string,
  delivery_id: string,
): Promise<Result<EndpointOffice, Refusal>> {
  const webhook_id = parseDeliveryId(delivery_id)?.webhook_id;
  // Nobody registers a callback endpoint: its object alone knows it, and it is the tenant's own by its name.
  const isKnown =
    webhook_id !== undefined &&
    (webhook_id.startsWith("cb_") || (await store.isKnown(tenant, webhook_id)));
  return isKnown
    ? ok(endpoint(tenant, webhook_id))
    : refuse({ code: "delivery_not_found", detail: `There is no delivery ${delivery_id}.` });
}

/**
 * Why a registration can't be taken; null when it can.
 *
 * @param about.origin scheme, host and port by which the request came
 * @param about.isNewUrl only then its host is looked up: a webhook whose host is gone can still be changed
 */
export async function refusalOf(
  ports: { urlPolicy: UrlPolicy; hostFault: HostFault },
  registration: StoredRegistration,
  { origin, isNewUrl, shards }: { origin: string; isNewUrl: boolean; shards?: number },
): Promise<Refusal | null> {
  const policy = { ...ports.urlPolicy, ownOrigin: origin };
  const refusal = registrationRefusal(registration, policy, shards);
  return refusal === null && isNewUrl ? hostRefusal(registration.url, ports.hostFault) : refusal;
}
