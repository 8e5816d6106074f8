import type { MiddlewareHandler } from "hono";

import type { Refusal } from "../../protocol/refusal.ts";
import type { KeyPort } from "../key-port.ts";
import type { RestContext, RestEnv } from "../route.ts";
import { answerUnauthenticated, authenticate, bearerOf, letPass } from "./auth.ts";
import { answerRefusal } from "./problems.ts";

/** What public read tokens begin with, so that nothing else is ever looked up in their place. */
const PREFIX = "pt_";

const UNKNOWN_TASK: Refusal = {
  code: "task_not_found",
  detail: "There is no task with this id.",
};

/** What came in the query of an address, where a browser's EventSource has no other place for it. */
function inQuery({ req }: RestContext): string[] {
  return req.queries("access_token") ?? [];
}

/**
 * Authenticates a route that shows one task: by a key, or by a public read token of exactly that task, in the header
 * or as `?access_token=`. Only a public token may stand in an address: those end up in histories and logs.
 *
 * With a token of another task every task is unknown, whether it exists or not.
 */
export function authenticateReader(
  keys: Pick<KeyPort, "principalOf" | "readerOf" | "noteUse">,
): MiddlewareHandler<RestEnv> {
  const byKey = authenticate(keys);
  return async (context, next) => {
    const header = context.req.header("Authorization");
    const queried = inQuery(context);
    const bearer = bearerOf(header) ?? "";
    if (queried.length === 0 && !bearer.startsWith(PREFIX)) return byKey(context, next);
    if (queried.length > (header === undefined ? 1 : 0)) {
      const detail = "send one key or token, in the Authorization header or as access_token";
      return answerUnauthenticated(context, detail, true);
    }
    const token = queried[0] ?? bearer;
    const principal = token.startsWith(PREFIX) ? await keys.readerOf(token) : null;
    if (principal === null) {
      const detail =
        "the public token is unknown or expired, or its key is revoked; a key goes into the Authorization header";
      return answerUnauthenticated(context, detail, true);
    }
    const isOfThisTask = principal.public_task?.task_id === context.req.param("task_id");
    return isOfThisTask
      ? letPass(context, next, { principal, keys })
      : answerRefusal(context, UNKNOWN_TASK);
  };
}
