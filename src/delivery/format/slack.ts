import type { FormatInput, ProviderRequest } from "./message.ts";
import { cutEntities, evidenceOf, headline, lines } from "./text.ts";

/** Limits of blocks (docs.slack.dev/reference/block-kit): of a header, and of a text object. */
const LONGEST_HEADER = 150;
const LONGEST_TEXT = 3_000;

/**
 * What a Slack incoming webhook takes: blocks, and a text for notifications. The address is the credential.
 *
 * Every text is `plain_text`, where an asterisk is an asterisk, and `&`, `<` and `>` are entities, so that nobody's
 * title mentions a channel or makes a link (docs.slack.dev/messaging/formatting-message-text, Escaping text).
 */
export async function slackRequest({ message, secret }: FormatInput): Promise<ProviderRequest> {
  const { alert, facts, at } = message;
  const evidence = evidenceOf(message)
    .map(([name, value]) => `${name}: ${value}`)
    .join("\n");
  const about = [facts.rule_id, facts.subject, at].filter((part) => part !== null).join(" · ");
  const body = {
    text: cutEntities(`${headline(message)}: ${lines(alert.detail)}`, LONGEST_TEXT),
    mrkdwn: false,
    blocks: [
      { type: "header", text: plain(headline(message), LONGEST_HEADER) },
      { type: "section", text: plain(lines(alert.detail), LONGEST_TEXT) },
      ...(evidence === "" ? [] : [{ type: "section", text: plain(evidence, LONGEST_TEXT) }]),
      { type: "context", elements: [plain(about, LONGEST_TEXT)] },
    ],
  };
  return {
    url: secret,
    headers: { "user-agent": "Batuta", "content-type": "application/json" },
    body: JSON.stringify(body),
    hidden: [secret, ...credentialsOf(secret)],
  };
}

/** Never empty: a text object has one character at least. */
function plain(text: string, most: number) {
  return { type: "plain_text", text: cutEntities(text.trim() || "-", most), emoji: false };
}

/** A word that stands in many an address, such as `services` or `webhooks`: no credential. */
const WORD = /^[a-z]{1,15}$/;

/** What of an address lets somebody in, as a server may repeat it: its path, and each part of path and query. */
function credentialsOf(address: string): string[] {
  if (!URL.canParse(address)) return [];
  const { pathname, search, searchParams } = new URL(address);
  const parts = pathname.split("/");
  const open = parts
    .slice(0, -1)
    .filter((part) => !WORD.test(part))
    .concat(parts.slice(-1));
  const hidden = [`${pathname}${search}`, pathname, ...open, ...searchParams.values()];
  return [...hidden, ...hidden.map(decoded)];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A percent sign of its own: it stands as it is.
    return text;
  }
}
