import { setTimeout as sleep } from "node:timers/promises";

import { dnsAnswer } from "./dns-zone.ts";
import { ModelServer } from "./model-server.ts";
import type { ReceivedRequest, ScriptedReply } from "./received.ts";

interface Mailbox {
  script: ScriptedReply[];
  received: ReceivedRequest[];
}

/** Status of an answer to a host that is not the receiver: nothing leaves the machine in a test. */
const BLOCKED = 599;

/**
 * The whole internet of a runtime test: `outboundService` sends it every request the Worker makes.
 *
 * It runs in Node, outside the tests' isolate, at `receiver.test` and any name below it, http or https:
 * - `ANY /r/<id>/…` records the request in mailbox `<id>` and answers the next scripted reply; the last one repeats
 * - `PUT /script/<id>` replaces the replies of mailbox `<id>`: a JSON array of {@link ScriptedReply}
 * - `GET /log/<id>` answers a JSON array of {@link ReceivedRequest}, in order of arrival
 *
 * and at `cloudflare-dns.com`, where it answers what `dns-zone.ts` holds, and at `models.test`, whose requests go on to
 * the scripted models of `model-server.ts`.
 *
 * Tests do not call these themselves; they use `newReceiver` of `runtime/receiver.ts`.
 */
export function createOutbound(): (request: Request) => Promise<Response> {
  const mailboxes = new Map<string, Mailbox>();
  const models = new ModelServer();

  return async (request) => {
    const url = new URL(request.url);
    const [, area, id = ""] = url.pathname.split("/");
    if (url.hostname === "cloudflare-dns.com") return dnsAnswer(url);
    if (url.hostname === "models.test") return forward(request, await models.url());
    if (!/(^|\.)receiver\.test$/.test(url.hostname)) return blocked(url);

    const mailbox = mailboxes.get(id) ?? { script: [], received: [] };
    mailboxes.set(id, mailbox);
    if (area === "r") return receive(mailbox, request);
    if (area === "log") return Response.json(mailbox.received);
    if (area !== "script") return blocked(url);

    mailbox.script = (await request.json()) as ScriptedReply[];
    return new Response(null, { status: 204 });
  };
}

async function receive(mailbox: Mailbox, request: Request): Promise<Response> {
  // Drawn before the first await, so that replies are used up in order of arrival.
  const reply = mailbox.script.length > 1 ? mailbox.script.shift() : mailbox.script[0];
  const at_ms = Date.now();
  const body = Buffer.from(await request.arrayBuffer());
  mailbox.received.push({
    method: request.method,
    url: request.url,
    headers: Object.fromEntries(request.headers),
    body_base64: body.toString("base64"),
    at_ms,
  });

  if (reply?.delay_ms !== undefined) await sleep(reply.delay_ms);
  return new Response(reply?.isEcho === true ? body : (reply?.body ?? null), {
    status: reply?.status ?? 200,
    headers: reply?.headers ?? {},
  });
}

/** Passes a request on to a server on this machine, and its answer back as it streams in. */
async function forward(request: Request, to: string): Promise<Response> {
  const { pathname } = new URL(request.url);
  const headers = new Headers(request.headers);
  // The connection's own, which fetch sets itself.
  for (const name of ["host", "connection", "content-length", "transfer-encoding"]) {
    headers.delete(name);
  }
  const body = request.method === "GET" ? null : await request.arrayBuffer();
  return fetch(`${to}${pathname}`, {
    method: request.method,
    headers,
    body,
    redirect: "manual",
  });
}

function blocked(url: URL): Response {
  return new Response(`No such receiver: ${url.href}`, { status: BLOCKED });
}
