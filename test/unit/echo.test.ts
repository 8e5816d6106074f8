import { describe, expect, it } from "vitest";

import { withoutEchoes } from "../../src/delivery/echo.ts";
import { messageOf } from "../../src/delivery/format/message.ts";
import { slackRequest } from "../../src/delivery/format/slack.ts";

const sent = {
  authorization: "Bearer s3cr3t-of-theirs",
  "x-quoted": 'a"quoted"value',
  "x-short": "short",
  "webhook-id": "msg_1234567890",
  "webhook-signature": "v1,c2lnbmF0dXJl v1,YW5vdGhlcg==",
  "content-type": "application/json",
};

describe("what a receiver repeats of a request", () => {
  it.each([
    ["a credential", "you sent s3cr3t-of-theirs", "you sent [redacted]"],
    ["a whole header", "Bearer s3cr3t-of-theirs!", "[redacted]!"],
    ["a signature", "not v1,YW5vdGhlcg==, but", "not [redacted], but"],
    ["a value in JSON", String.raw`{"x":"a\"quoted\"value"}`, '{"x":"[redacted]"}'],
    ["it twice", "s3cr3t-of-theirs s3cr3t-of-theirs", "[redacted] [redacted]"],
  ])("is kept without %s", (_what, text, kept) => {
    expect(withoutEchoes(text, sent)).toBe(kept);
  });

  it("is kept without a credential of its address or its body", () => {
    const text = '{"routing_key":"0123456789abcdef"}';

    expect(withoutEchoes(text, sent, ["0123456789abcdef"])).toBe('{"routing_key":"[redacted]"}');
  });

  it.each([
    ["bWU6aHVudGVyMnBhc3M=", "me:hunter2pass or hunter2pass", "[redacted] or [redacted]"],
    ["not base64!", "me:hunter2pass", "me:hunter2pass"],
  ])("is kept without what Basic credentials stand for: %s", (encoded, text, kept) => {
    expect(withoutEchoes(text, { authorization: `Basic ${encoded}` })).toBe(kept);
  });

  it.each([
    ["https://hooks.slack.com/services/T00000000/B0AAAAAAA/t0ken0of0it", "no token t0ken0of0it"],
    ["https://hooks.slack.com/services/T00000000/B0AAAAAAA/t0ken0of0it", "nothing at B0AAAAAAA"],
    ["https://chat.example/hooks/onlyletters", "bad hook onlyletters"],
    [
      "https://chat.example/v1/spaces/A/messages?key=AIzaSyAAAA&token=t0k%2Den123",
      "t0k-en123 AIzaSyAAAA",
    ],
    ["https://chat.example/services/t%2D0ken0of0it", "t%2D0ken0of0it, t-0ken0of0it"],
  ])("is kept without any part of a chat's address: %s, %s", async (secret, answer) => {
    const message = messageOf("", "msg_1");
    const config = { tenant: "acme", url: "https://hooks.slack.com/…" };
    const request = await slackRequest({ message, message_id: "msg_1", config, secret });

    const kept = withoutEchoes(answer, request.headers, request.hidden);

    expect(kept).toContain("[redacted]");
    for (const word of answer.split(/[ ,]+/).filter((part) => /\d|letters|AIza/.test(part))) {
      expect(kept).not.toContain(word);
    }
    expect(withoutEchoes("no_service: services", request.headers, request.hidden)).toBe(
      "no_service: services",
    );
  });

  it("keeps what anybody may see, and words that are too short to be a credential", () => {
    const text = "msg_1234567890 application/json short";

    expect(withoutEchoes(text, sent)).toBe(text);
  });
});
