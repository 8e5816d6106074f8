import type { MiddlewareHandler } from "hono";

import type { Offence } from "../../protocol/block.ts";
import type { Caller, OffenderPort } from "../offender-ports.ts";
import type { RestPorts } from "../ports.ts";
import type { RestContext, RestEnv } from "../route.ts";
import { keepAliveOf } from "./afterwards.ts";
import { bearerOf } from "./auth.ts";
import { answerRefusal } from "./problems.ts";

type Ports = Pick<RestPorts, "addresses" | "keys" | "offenders">;

/** Has work go on after the answer. */
function afterwards(context: RestContext, work: Promise<void> | null): void {
  if (work !== null) keepAliveOf(context)(work);
}

function refuseFor(context: RestContext, offenders: OffenderPort, caller: Caller): Response | null {
  const left_ms = offenders.blockedFor(caller);
  if (left_ms === 0) return null;
  afterwards(context, offenders.recheck(caller));
  return answerRefusal(context, {
    code: "temporarily_blocked",
    detail:
      typeof caller === "string"
        ? "this address has offended too often; requests with a key that is known to be good still pass"
        : "this key has offended too often, or went on after it was told to wait",
    extra: { retry_after: Math.ceil(left_ms / 1_000) },
  });
}

/**
 * The refusal of a blocked address, by memory alone; null for whom it does not concern.
 *
 * Others may share the address, so a key that this isolate has seen to be good passes, and is judged for itself. One
 * that it has not seen is looked up at most once a second, as a signature is.
 */
async function refusalOfAddress(context: RestContext, ports: Ports): Promise<Response | null> {
  const { offenders, keys } = ports;
  const address = context.get("address");
  if (offenders.blockedFor(address) === 0) return null;
  const header = context.req.header("Authorization");
  const key = bearerOf(header);
  const remembered = key === undefined ? null : await keys.remembered(key);
  if (remembered !== null) {
    context.set("remembered", remembered);
    return remembered.isBootstrap ? null : refuseFor(context, offenders, remembered);
  }
  const hasProof = key !== undefined || context.req.header("webhook-signature") !== undefined;
  if (hasProof && offenders.mayProve(address)) return null;
  return refuseFor(context, offenders, address);
}

/** What a refused request is held against its sender for; null for what may happen to anybody. */
function offenceOf(context: RestContext, isKnown: boolean): Offence | null {
  const refused = context.get("refusal")?.code;
  if (refused === "unauthenticated") return failedProof(context);
  if (refused === "rate_limited") return isKnown ? "key_limited" : "address_limited";
  if (refused === "body_too_large") return "oversize";
  return refused === "malformed_json" || refused === "body_too_complex" ? "malformed" : null;
}

/** Who sent nothing to prove who he is has forgotten it, and guesses nothing. */
function failedProof({ req }: RestContext): Offence | null {
  if (bearerOf(req.header("Authorization")) !== undefined) return "wrong_key";
  return req.header("webhook-signature") === undefined ? null : "forged_signature";
}

function count(context: RestContext, offenders: OffenderPort): void {
  const principal = context.get("principal") ?? context.get("remembered");
  const offence = offenceOf(context, principal !== undefined);
  if (offence === null || principal?.isBootstrap === true) return;
  afterwards(context, offenders.commit(principal ?? context.get("address"), offence));
}

/**
 * Refuses who is blocked, before anything else is looked at, and counts offences by what requests are refused with:
 * those of a request with a good key against the key, all others against the address.
 *
 * The bootstrap key is never blocked, or nobody could lift a block.
 */
export function watchOffences(ports: Ports): MiddlewareHandler<RestEnv> {
  return async (context, next) => {
    const address = ports.addresses.accountOf(context.req.header("CF-Connecting-IP"));
    context.set("address", address);
    const refusal = await refusalOfAddress(context, ports);
    if (refusal !== null) return refusal;

    await next();
    count(context, ports.offenders);
    return undefined;
  };
}

/** Refuses a key that is blocked, from whatever address it comes. */
export function refuseBlockedKey(offenders: OffenderPort): MiddlewareHandler<RestEnv> {
  return async (context, next) => {
    const principal = context.get("principal");
    const refusal = principal.isBootstrap ? null : refuseFor(context, offenders, principal);
    return refusal ?? next();
  };
}
