import * as z from "zod";

import type { ReceivedRequest, ScriptedReply } from "./received.ts";

/*
 * Providers of e-mail, SMS, paging and chat as their documentation describes them: each takes the shape of its API and
 * nothing else, and answers as its API does. What they have taken is what a request meant to them.
 */

/** A request as a provider gets it. */
export type Asked = Pick<ReceivedRequest, "method" | "url" | "headers"> & { body: string };

/** What a provider answers, and what the request meant to it: null when it refused. */
export interface Taken<Meaning> {
  reply: ScriptedReply;
  meaning: Meaning | null;
}

const text = (most: number) => z.string().min(1).max(most);

/** One line: no mail header may be begun by a subject or a sender. */
const line = (most: number) => text(most).regex(/^[^\p{Cc}]*$/u);

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

const isPost = ({ method, url }: Asked, path: string): boolean =>
  method === "POST" && new URL(url).pathname.endsWith(path);

const refusal = (status: number, body: unknown): Taken<never> => ({
  reply: { status, body: JSON.stringify(body) },
  meaning: null,
});

/** resend.com/docs/api-reference/emails, …/errors and …/idempotency-keys. */
const mailSchema = z.strictObject({
  from: line(500).regex(/@/),
  to: z
    .array(line(320).regex(/^[^\s@]+@[^\s@]+$/))
    .min(1)
    .max(50),
  subject: line(998),
  html: text(1_000_000),
  text: text(1_000_000),
  tags: z.array(
    z.strictObject({
      name: z.string().regex(/^[A-Za-z0-9_-]{1,256}$/),
      value: z.string().regex(/^[A-Za-z0-9_-]{1,256}$/),
    }),
  ),
});

/** Resend: knows each idempotency key with its body. */
export function resend(key: string) {
  const known = new Map<string, string>();
  return (asked: Asked): Taken<z.infer<typeof mailSchema>> => {
    const { headers, body } = asked;
    const name = (status: number, of: string) => refusal(status, { statusCode: status, name: of });
    if (!isPost(asked, "/emails")) return name(404, "not_found");
    const { authorization, "user-agent": agent, "idempotency-key": idempotency = "" } = headers;
    if (authorization !== `Bearer ${key}`) return name(401, "missing_api_key");
    if (agent === undefined) return name(403, "user_agent_missing");
    const isNamed = idempotency.length >= 1 && idempotency.length <= 256;
    if (!isNamed) return name(400, "invalid_idempotency_key");
    if (headers["content-type"] !== "application/json") return name(422, "validation_error");
    const mail = mailSchema.safeParse(jsonOf(body));
    if (!mail.success) return name(422, "validation_error");
    if ((known.get(idempotency) ?? body) !== body) return name(409, "invalid_idempotent_request");
    const isNew = !known.has(idempotency);
    known.set(idempotency, body);
    return {
      reply: { status: 200, body: '{"id":"49a3999c-0ce1-4ea6-ab68-afcd6dc2e794"}' },
      meaning: isNew ? mail.data : null,
    };
  };
}

/** twilio.com/docs/messaging/api/message-resource and twilio.com/docs/iam/api. */
const smsSchema = z.strictObject({
  To: z.string().regex(/^\+[1-9]\d{1,14}$/),
  From: z.string().regex(/^(\+[1-9]\d{1,14}|[A-Za-z0-9 ]{1,11})$/),
  Body: text(1_600),
});

/** Twilio: an account and its token. */
export function twilio(account: string, token: string) {
  return (asked: Asked): Taken<z.infer<typeof smsSchema>> => {
    const { headers, body } = asked;
    const path = `/2010-04-01/Accounts/${account}/Messages.json`;
    if (!isPost(asked, path)) return refusal(404, { code: 20_404, status: 404 });
    if (headers["authorization"] !== `Basic ${btoa(`${account}:${token}`)}`) {
      return refusal(401, { code: 20_003, status: 401 });
    }
    const isForm = headers["content-type"] === "application/x-www-form-urlencoded";
    const entries = [...new URLSearchParams(body)];
    const form = smsSchema.safeParse(Object.fromEntries(entries));
    // A name that stands there twice is another message than the one that is read.
    if (!isForm || !form.success || entries.length !== 3) {
      return refusal(400, { code: 21_604, status: 400 });
    }
    return { reply: { status: 201, body: '{"sid":"SM1","status":"queued"}' }, meaning: form.data };
  };
}

/** PagerDuty/api-schema, reference/events-v2/openapiv3.json, and the limits of its documentation. */
const eventSchema = z
  .strictObject({
    routing_key: z.string().length(32),
    event_action: z.enum(["trigger", "acknowledge", "resolve"]),
    dedup_key: text(255).optional(),
    client: z.string().optional(),
    payload: z.strictObject({
      summary: text(1_024),
      source: text(1_000),
      severity: z.enum(["critical", "error", "warning", "info"]),
      timestamp: z.iso.datetime().optional(),
      class: z.string().optional(),
      custom_details: z.record(z.string(), z.unknown()).optional(),
    }),
  })
  .refine((event) => event.event_action === "trigger" || event.dedup_key !== undefined);

/** PagerDuty's Events API v2: says which incidents are open. */
export function pagerduty(routing_key: string) {
  const open = new Set<string>();
  const take = (asked: Asked): Taken<z.infer<typeof eventSchema>> => {
    const { headers, body } = asked;
    const invalid = { status: "invalid event", message: "Event object is invalid" };
    const event = eventSchema.safeParse(jsonOf(body));
    const isKnown =
      isPost(asked, "/v2/enqueue") &&
      headers["content-type"] === "application/json" &&
      event.success &&
      event.data.routing_key === routing_key &&
      body.length < 512_000;
    if (!isKnown) return refusal(400, invalid);
    const { event_action, dedup_key = "" } = event.data;
    if (event_action === "trigger") open.add(dedup_key);
    if (event_action === "resolve") open.delete(dedup_key);
    const answer = { status: "success", message: "Event processed", dedup_key };
    return { reply: { status: 202, body: JSON.stringify(answer) }, meaning: event.data };
  };
  return { take, open };
}

/** A text in which no bare `<`, `>` or `&` is left: Slack would read a link, a mention or a broken entity. */
const escaped = (most: number) =>
  text(most).regex(/^(?:[^<>&]|&(?:amp|lt|gt);)*$/u, "has bare control characters");
const plainSchema = (most: number) =>
  z.strictObject({
    type: z.literal("plain_text"),
    text: escaped(most),
    emoji: z.boolean().optional(),
  });

/** docs.slack.dev/messaging/sending-messages-using-incoming-webhooks and …/reference/block-kit. */
const chatSchema = z.strictObject({
  text: escaped(40_000),
  mrkdwn: z.boolean().optional(),
  blocks: z
    .array(
      z.discriminatedUnion("type", [
        z.strictObject({ type: z.literal("header"), text: plainSchema(150) }),
        z.strictObject({ type: z.literal("section"), text: plainSchema(3_000) }),
        z.strictObject({
          type: z.literal("context"),
          elements: z.array(plainSchema(3_000)).min(1).max(10),
        }),
      ]),
    )
    .min(1)
    .max(50),
});

/** Slack: an incoming webhook at this address. */
export function slack(address: string) {
  return ({ method, url, headers, body }: Asked): Taken<z.infer<typeof chatSchema>> => {
    const no = (status: number, word: string): Taken<never> => ({
      reply: { status, body: word },
      meaning: null,
    });
    if (method !== "POST" || url !== address) return no(404, "no_service");
    const message = chatSchema.safeParse(jsonOf(body));
    if (headers["content-type"] !== "application/json" || !message.success) {
      return no(400, "invalid_payload");
    }
    return { reply: { status: 200, body: "ok" }, meaning: message.data };
  };
}
