import type { MiddlewareHandler } from "hono";
import * as z from "zod";

import { tenantIdSchema } from "../../protocol/access.ts";
import { agentIdSchema } from "../../protocol/primitives.ts";
import type { KeyPort } from "../key-port.ts";
import type { RestPorts } from "../ports.ts";
import type { RestContext, RestEnv } from "../route.ts";
import { authenticate, CHALLENGE } from "./auth.ts";
import { parseBody } from "./body.ts";
import { answerRefusal } from "./problems.ts";

/** How far the clocks of sender and receiver may be apart (Standard Webhooks 1.0, Verifying). Seconds. */
const TOLERANCE_S = 300;

/** The tenant of whoever does not name one. */
const DEFAULT_TENANT = "default";

/** What a signed request says of itself; each is a header that the routes declare. */
const signedSchema = z.object({
  id: z.string().min(1).max(300),
  timestamp: z
    .string()
    .regex(/^\d{1,12}$/)
    .transform(Number),
  signature: z.string().min(1).max(1_000),
  tenant: tenantIdSchema,
});

const namingSchema = z.object({ agent_id: agentIdSchema });

/** One answer for all that can be wrong, so that nobody learns which agents there are. */
const DETAIL =
  "send your key as `Authorization: Bearer <key>`, or the headers webhook-id, webhook-timestamp and webhook-signature of a Standard Webhooks signature over the body, made now with the secret of the agent that the body or Batuta-Agent names";

/**
 * Lets a request pass that its agent signed in place of sending a key; one with an Authorization header is judged by
 * that alone. Any fault of a signature is answered with the same 401.
 *
 * The agent is the body's `agent_id` or, where the message has none, the `Batuta-Agent` header; its tenant is
 * `Batuta-Tenant`, or `default`.
 */
export function authenticateSigned(ports: {
  keys: Pick<KeyPort, "principalOf" | "noteUse">;
  agents: Pick<RestPorts["agents"], "signer">;
  now: RestPorts["now"];
}): MiddlewareHandler<RestEnv> {
  const byKey = authenticate(ports.keys);
  return async (context, next) => {
    if (context.req.header("Authorization") !== undefined) return byKey(context, next);
    const signed = signedOf(context, ports.now());
    const agent_id = signed === null ? null : await agentOf(context);
    const principal =
      signed === null || agent_id === null
        ? null
        : await ports.agents.signer(signed.tenant, agent_id, signed);
    if (principal === null) {
      const refusal = { code: "unauthenticated", detail: DETAIL } as const;
      return answerRefusal(context, refusal, { "WWW-Authenticate": CHALLENGE });
    }
    context.set("principal", principal);
    return next();
  };
}

function signedOf({ req, get }: RestContext, now: number) {
  const parsed = signedSchema.safeParse({
    id: req.header("webhook-id"),
    timestamp: req.header("webhook-timestamp"),
    signature: req.header("webhook-signature"),
    tenant: req.header("Batuta-Tenant") ?? DEFAULT_TENANT,
  });
  if (!parsed.success) return null;
  const isNear = Math.abs(now / 1_000 - parsed.data.timestamp) <= TOLERANCE_S;
  return isNear ? { ...parsed.data, body: get("bytes") } : null;
}

/** Whose signature it claims to be; null when nobody is named, or two are. */
async function agentOf({ req, get }: RestContext): Promise<string | null> {
  const parsed = await parseBody(get("bytes"), {
    type: req.header("Content-Type"),
    encoding: req.header("Content-Encoding"),
  });
  const inBody = parsed.ok ? namingSchema.safeParse(parsed.value).data?.agent_id : undefined;
  const inHeader = agentIdSchema.safeParse(req.header("Batuta-Agent")).data;
  if (inBody !== undefined && inHeader !== undefined && inBody !== inHeader) return null;
  return inBody ?? inHeader ?? null;
}
