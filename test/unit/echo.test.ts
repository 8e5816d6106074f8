import { describe, expect, it } from "vitest";

import { withoutEchoes } from "../../src/delivery/echo.ts";

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

  it("keeps what anybody may see, and words that are too short to be a credential", () => {
    const text = "msg_1234567890 application/json short";

    expect(withoutEchoes(text, sent)).toBe(text);
  });
});
