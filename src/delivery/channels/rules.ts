import type { ChannelKind, ChannelRequest } from "../../protocol/alerts.ts";
import { pointerOf } from "../../protocol/faults.ts";
import type { Fault } from "../../protocol/refusal.ts";
import { webhookSecretSchema } from "../../protocol/webhook.ts";

/* What a channel of each kind has to say, and what it can't. */

const FIELDS = ["url", "to", "from", "account", "secret"] as const;
type Field = (typeof FIELDS)[number];

/** What a kind does with a field. */
type Need = "needed" | "allowed" | "refused";

const NEEDS: Readonly<Record<ChannelKind, Readonly<Record<Field, Need>>>> = {
  webhook: {
    url: "needed",
    to: "refused",
    from: "refused",
    account: "refused",
    secret: "allowed",
  },
  email: { url: "allowed", to: "needed", from: "needed", account: "refused", secret: "needed" },
  sms: { url: "allowed", to: "needed", from: "needed", account: "needed", secret: "needed" },
  paging: {
    url: "allowed",
    to: "refused",
    from: "refused",
    account: "refused",
    secret: "needed",
  },
  chat: { url: "needed", to: "refused", from: "refused", account: "refused", secret: "refused" },
};

/** One mailbox without a name, as far as it matters here: no white space, no controls, no list (RFC 5321 §4.1.2). */
const ADDRESS = /^[^\s\p{Cc}<>(),;:"@\\]+@[^\s\p{Cc}<>(),;:"@\\]+\.[^\s\p{Cc}<>(),;:"@\\]+$/u;

/** The same with a name before it (resend.com/docs/api-reference/emails, from). */
const NAMED_ADDRESS = /^[^\p{Cc}<>@"\\]{1,200} <([^<>]+)>$/u;

/** ITU-T E.164: a plus and up to 15 digits, the first of which is not 0. */
const NUMBER = /^\+[1-9]\d{1,14}$/;

/** A sender of letters, which some countries' carriers show (twilio.com/docs/glossary/what-alphanumeric-sender-id). */
const SENDER_NAME = /^(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}$/;

/** twilio.com/docs/glossary/what-is-a-sid. */
const ACCOUNT = /^AC[0-9a-fA-F]{32}$/;

/** Visible ASCII: what goes into a header, and nothing that could end it. */
const CREDENTIAL = /^[\x21-\x7e]{8,1000}$/;

/** PagerDuty's API refuses keys of another length. */
const ROUTING_KEY = /^[A-Za-z0-9]{32}$/;

/**
 * What a channel lacks, has too much, or has in a form that its provider does not take. That it lacks a secret is not
 * told here: a stored one may do.
 */
export function channelFaults(request: ChannelRequest): Fault[] {
  return [...FIELDS.flatMap((field) => needFault(request, field)), ...formFaults(request)];
}

/** Whether a channel of this kind has to be given one, unless it has one already. */
export function needsSecret(kind: ChannelKind): boolean {
  return NEEDS[kind].secret === "needed";
}

function needFault(request: ChannelRequest, field: Field): Fault[] {
  const need = NEEDS[request.kind][field];
  const value = request[field];
  const isGiven = value !== undefined && value.length > 0;
  if (isGiven && need === "refused") {
    const hint = request.kind === "chat" && field === "secret" ? ": its url is its credential" : "";
    return [faultAt([field], `is not used by a channel of kind ${request.kind}${hint}`)];
  }
  if (isGiven || need !== "needed" || field === "secret") return [];
  return [faultAt([field], `is needed by a channel of kind ${request.kind}`)];
}

function formFaults(request: ChannelRequest): Fault[] {
  const { kind, to, from, secret } = request;
  switch (kind) {
    case "email":
      return [
        ...to.flatMap((address, index) =>
          check(ADDRESS.test(address), ["to", index], "must be an address such as ops@example.com"),
        ),
        ...check(
          from === undefined || isSender(from),
          ["from"],
          "must be an address, or a name and an address in angle brackets",
        ),
        ...baseFaults(request),
        ...credentialFaults(secret),
      ];
    case "sms":
      return smsFaults(request);
    case "paging":
      return [
        ...baseFaults(request),
        ...check(
          secret === undefined || ROUTING_KEY.test(secret),
          ["secret"],
          "must be the 32 letters and digits of an Events API v2 integration key",
        ),
      ];
    case "webhook":
      return check(
        secret === undefined || webhookSecretSchema.safeParse(secret).success,
        ["secret"],
        "must be whsec_ and 24-64 bytes of base64",
      );
    case "chat":
      return [];
  }
}

function smsFaults(request: ChannelRequest): Fault[] {
  const { to, from, account, secret } = request;
  return [
    ...to.flatMap((number, index) =>
      check(NUMBER.test(number), ["to", index], "must be a number in E.164, such as +34600111222"),
    ),
    ...check(
      from === undefined || NUMBER.test(from) || SENDER_NAME.test(from),
      ["from"],
      "must be a number in E.164, or a sender of 1-11 letters, digits and spaces",
    ),
    ...check(
      account === undefined || ACCOUNT.test(account),
      ["account"],
      "must be AC and 32 hexadecimal digits",
    ),
    ...baseFaults(request),
    ...credentialFaults(secret),
  ];
}

/** The path of the provider's API is put behind it. */
function baseFaults({ url }: ChannelRequest): Fault[] {
  return check(
    url === undefined || !/[?#]/.test(url),
    ["url"],
    "must be the base of the provider's API, without a query or a fragment",
  );
}

function isSender(from: string): boolean {
  const [, address = from] = NAMED_ADDRESS.exec(from) ?? [];
  return ADDRESS.test(address);
}

function credentialFaults(secret: string | undefined): Fault[] {
  return check(
    secret === undefined || CREDENTIAL.test(secret),
    ["secret"],
    "must be 8-1000 visible ASCII characters",
  );
}

function check(isRight: boolean, path: (string | number)[], detail: string): Fault[] {
  return isRight ? [] : [faultAt(path, detail)];
}

function faultAt(path: (string | number)[], detail: string): Fault {
  return { pointer: pointerOf(path), code: "channel_refused", detail };
}
