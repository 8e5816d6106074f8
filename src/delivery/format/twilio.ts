import type { FormatInput, ProviderRequest } from "./message.ts";
import type { FormatOf } from "./target.ts";
import { addressOf, cut, headline, oneLine } from "./text.ts";

/** Where messages go unless a channel says otherwise (twilio.com/docs/iam/api: all URLs have this base). */
export const TWILIO_URL = "https://api.twilio.com";

/**
 * Characters of one message. Twilio takes 1,600 and advises 320, which carriers deliver best
 * (twilio.com/docs/api/errors/21617); each 153 of them are paid for as one message.
 */
export const LONGEST_SMS = 320;

/** Three full stops: an ellipsis is no letter of GSM-7, and would more than double what the message costs. */
const CUT_MARK = "...";

/**
 * `POST /2010-04-01/Accounts/{sid}/Messages.json` of Twilio: a form, with account and token as Basic credentials
 * (twilio.com/docs/iam/api, twilio.com/docs/messaging/api/message-resource). It knows no key that makes a repetition
 * harmless: an attempt whose answer was lost may arrive twice.
 *
 * A message has one recipient: the one that it names, or the channel's first.
 */
export async function twilioRequest(
  { message, config, secret }: FormatInput,
  { account, from, to }: FormatOf<"twilio">,
): Promise<ProviderRequest> {
  const text = `${headline(message)}: ${oneLine(message.alert.detail)}`;
  const form = new URLSearchParams({
    To: message.facts.recipient ?? to[0] ?? "",
    From: from,
    Body: cut(text, LONGEST_SMS, CUT_MARK),
  });
  return {
    url: addressOf(config.url, `/2010-04-01/Accounts/${encodeURIComponent(account)}/Messages.json`),
    headers: {
      "user-agent": "Batuta",
      "content-type": "application/x-www-form-urlencoded",
      authorization: `Basic ${btoa(`${account}:${secret}`)}`,
    },
    body: form.toString(),
    hidden: [secret],
  };
}
