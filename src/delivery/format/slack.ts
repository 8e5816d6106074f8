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
    hidden: [secret, pathOf(secret)],
  };
}

/** Never empty: a text object has one character at least. */
function plain(text: string, most: number) {
  return { type: "plain_text", text: cutEntities(text.trim() || "-", most), emoji: false };
}

function pathOf(url: string): string {
  return URL.canParse(url) ? new URL(url).pathname : url;
}
