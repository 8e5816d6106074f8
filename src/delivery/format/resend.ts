import { derivedId } from "../../lib/ports.ts";
import type { FormatInput, ProviderRequest } from "./message.ts";
import type { FormatOf } from "./target.ts";
import { addressOf, cut, evidenceOf, headline, html, lines } from "./text.ts";

/** Where mail goes unless a channel says otherwise (resend.com/docs/api-reference/emails). */
export const RESEND_URL = "https://api.resend.com";

const PATH = "/emails";

/** Well within the 998 characters of a line that mail allows (RFC 5322 §2.1.1), in whatever encoding. */
const LONGEST_SUBJECT = 200;

/** A key holds 256 characters at most (resend.com/docs/dashboard/emails/idempotency-keys). */
const LONGEST_KEY = 256;

/**
 * `POST /emails` of Resend: JSON, the API key as a bearer token, and a key by which the same mail is sent once however
 * often it is asked for within 24 hours (resend.com/docs/api-reference/emails, …/emails/idempotency-keys).
 *
 * A key that comes again with another body is refused there (409). So the body is part of it: a channel whose
 * recipients were changed between two attempts sends another mail, not none.
 */
export async function resendRequest(
  { message, message_id, config, secret }: FormatInput,
  { from, to }: FormatOf<"resend">,
): Promise<ProviderRequest> {
  const { alert, facts } = message;
  const body = JSON.stringify({
    from,
    to,
    subject: cut(headline(message), LONGEST_SUBJECT),
    text: textOf(message),
    html: htmlOf(message),
    // Names and values: ASCII letters, digits, underscores and dashes (resend.com/docs/api-reference/emails, tags).
    tags: [
      { name: "severity", value: alert.severity },
      { name: "change", value: facts.change },
    ],
  });
  const suffix = `/${await derivedId(body)}`;
  return {
    url: addressOf(config.url, PATH),
    headers: {
      "user-agent": "Batuta",
      "content-type": "application/json",
      authorization: `Bearer ${secret}`,
      "idempotency-key": `${message_id.slice(0, LONGEST_KEY - suffix.length)}${suffix}`,
    },
    body,
    hidden: [secret],
  };
}

function textOf(message: FormatInput["message"]): string {
  const facts = evidenceOf(message).map(([name, value]) => `${name}: ${value}`);
  return [headline(message), "", lines(message.alert.detail), "", ...facts, "", message.at].join(
    "\n",
  );
}

function htmlOf(message: FormatInput["message"]): string {
  const rows = evidenceOf(message)
    .map(([name, value]) => `<tr><th align="left">${html(name)}</th><td>${html(value)}</td></tr>`)
    .join("");
  const detail = html(lines(message.alert.detail)).replaceAll("\n", "<br>");
  return `<h2>${html(headline(message))}</h2><p>${detail}</p><table>${rows}</table><p>${html(message.at)}</p>`;
}
