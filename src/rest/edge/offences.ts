import type { MiddlewareHandler } from "hono";

import type { Principal } from "../../protocol/access.ts";
import type { Offence } from "../../protocol/block.ts";
import type { Caller, OffenderPort } from "../offender-ports.ts";
import type { RestPorts } from "../ports.ts";
import type { RestContext, RestEnv } from "../route.ts";
import { keepAliveOf } from "./afterwards.ts";
import { bearerOf } from "./auth.ts";
import { isPreflight } from "./cors.ts";
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

/** The key or token that a request brings, in its header or, where only a public token may be, in its address. */
function credentialOf({ req }: RestContext): string | undefined {
  return bearerOf(req.header("Authorization")) ?? req.query("access_token");
}

/**
 * The refusal of a blocked address, by memory alone; null for whom it does not concern.
 *
 * Others may share the address, so what this isolate has seen to be good passes, and is judged for itself. What it has
 * not seen is looked up now and then, as signatures are; what it knows to be no key takes no turn from the others.
 */
async function refusalOfAddress(context: RestContext, ports: Ports): Promise<Response | null> {
  const { offenders, keys } = ports;
  const address = context.get("address");
  if (offenders.blockedFor(address) === 0 || isPreflight(context)) return null;
  const key = credentialOf(context);
  const remembered = key === undefined ? null : await keys.remembered(key);
  if (remembered !== null) {
    context.set("remembered", remembered);
    return remembered.isBootstrap ? null : refuseFor(context, offenders, remembered);
  }
  const isWorthwhile = key !== undefined && !(await keys.isHopeless(key));
  const proof = isWorthwhile ? key : context.req.header("webhook-signature");
  if (proof !== undefined && offenders.mayProve(address, proof)) return null;
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
function failedProof(context: RestContext): Offence | null {
  if (credentialOf(context) !== undefined) return "wrong_key";
  return context.req.header("webhook-signature") === undefined ? null : "forged_signature";
}

/** Whose offence it is: that of the key. A body is found too large before anybody has looked at the key. */
async function offenderOf(
  context: RestContext,
  keys: Ports["keys"],
): Promise<Principal | undefined> {
  const known = context.get("principal");
  if (known !== undefined || context.get("refusal")?.code !== "body_too_large") return known;
  const key = credentialOf(context);
  return key === undefined ? undefined : ((await keys.remembered(key)) ?? undefined);
}

async function count(context: RestContext, { offenders, keys }: Ports): Promise<void> {
  if (context.get("refusal") === undefined) return;
  const principal = await offenderOf(context, keys);
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
    await count(context, ports);
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
