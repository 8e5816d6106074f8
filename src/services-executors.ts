import { deliveryHeaders } from "./delivery/endpoint-headers.ts";
import { urlFault } from "./delivery/registry/endpoint-url.ts";
import { sendRequest } from "./delivery/sender.ts";
import { isSigned, signatureHeader, signingKey } from "./delivery/signature.ts";
import { secretsOf } from "./dispatch/agent-secrets.ts";
import type { Agents } from "./dispatch/agents.ts";
import type { PushAnswer } from "./dispatch/push/push-answer.ts";
import type { SignedPost } from "./dispatch/push/push.ts";
import { createSigners } from "./dispatch/signers.ts";
import type { ChannelSocket } from "./rest/executor-ports.ts";
import { now, type Doors } from "./services-doors.ts";

/* What executors are spoken to with: signed requests, and the addresses that these may go to. */

/** Why nothing may be sent to an address, by its text and by what its name stands for; null when it may. */
export function addressFault({ urlPolicy, hostFault }: Doors) {
  return async (url: string, ownOrigin?: string): Promise<string | null> =>
    urlFault(url, { ...urlPolicy, ...(ownOrigin !== undefined && { ownOrigin }) }) ??
    (await hostFault(url));
}

/** Recognises executors by their signatures. */
export function signersOf(doors: Doors, known: Agents["known"]) {
  return createSigners({
    known,
    secretsOf: (tenant, agent) => secretsOf(doors.callbacks.sealer, tenant, { agent, now: now() }),
    isSigned: async (secrets, message) =>
      isSigned(await Promise.all(secrets.map(signingKey)), message, message.signature),
  });
}

/** Signs one request to an executor by Standard Webhooks, and sends it. */
export async function postSigned(doors: Doors, request: SignedPost): Promise<PushAnswer> {
  const { url, tenant, agent, id, task_id, attempt, trace_id, span_id, timeoutMs } = request;
  const body = new TextEncoder().encode(request.body);
  const timestamp = Math.floor(now() / 1_000);
  const secrets = await secretsOf(doors.callbacks.sealer, tenant, { agent, now: now() });
  const keys = await Promise.all(secrets.map(signingKey));
  const headers = deliveryHeaders(
    {},
    {
      message_id: id,
      timestamp,
      signature: await signatureHeader(keys, { id, timestamp, body }),
      encoding: null,
      task_id,
      batch_size: null,
      type: "task_execution",
      attempt,
      correlation_id: trace_id,
      span_id,
    },
  );
  return sendRequest({ url, headers, body, timeoutMs });
}

/** A WebSocket whose far end goes to the client in the response, and whose near end is open here. */
export function openSocket(): { socket: ChannelSocket; response: Response } {
  const { 0: far, 1: near } = new WebSocketPair();
  near.accept();
  return { socket: near, response: new Response(null, { status: 101, webSocket: far }) };
}
