import type { MiddlewareHandler } from "hono";

import type { AddressPort } from "../offender-ports.ts";
import type { RestEnv } from "../route.ts";
import { answerRefusal } from "./problems.ts";
import { rateHeaders } from "./rate-headers.ts";

/**
 * The limit by address: answers 429 when the address has used its window up.
 *
 * It stands before the key is looked at, so that guesses cost no look-up. The platform says only yes or no: what is
 * left is told at the limit alone, and the wait that it names, a whole window, is always long enough.
 */
export function limitAddress(addresses: AddressPort): MiddlewareHandler<RestEnv> {
  const { quota, window_s } = addresses;
  const headers = rateHeaders({
    name: "address",
    quota,
    window_s,
    remaining: 0,
    reset_s: window_s,
  });
  return async (context, next) => {
    if (await addresses.take(context.get("address"))) return next();
    const detail = `an address may make ${quota} requests in ${window_s} seconds; wait that long`;
    const extra = { retry_after: window_s };
    return answerRefusal(context, { code: "rate_limited", detail, extra }, headers);
  };
}
