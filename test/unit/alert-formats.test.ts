import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { messageOf, type FormatInput } from "../../src/delivery/format/message.ts";
import { providerRequest, type ProviderFormat } from "../../src/delivery/format/provider.ts";
import { LONGEST_SMS } from "../../src/delivery/format/twilio.ts";
import { severitySchema } from "../../src/protocol/enums.ts";
import { pagerduty, resend, slack, twilio, type Asked } from "../providers.ts";

const ACCOUNT = "AC0123456789abcdef0123456789abcdef";
const ROUTING_KEY = "0123456789abcdef0123456789abcdef";
const SLACK_URL = "https://hooks.slack.com/services/T0/B0/XXXXXXXXXXXXXXXXXXXXXXXX";
const AT = "2026-11-22T10:00:00.000Z";

/** What no text may do anywhere. */
const HOSTILE = [
  "<script>alert(1)</script> & <img src=x onerror=alert(1)>",
  "<!channel> <@U123> *bold* <https://evil.example|click>",
  "line\r\nBcc: everyone@example.com\r\n\r\nbody",
  "To=%2B999&From=x&Body=other",
  "\u0000\u0007\u2028 \uD800 half",
  "💥".repeat(3_000),
  '"},"routing_key":"other',
];

/** The stored body of a notification of an alert. */
function stored(changes: object = {}, evidence: object = {}): string {
  const notification = {
    alert_id: "slow_1",
    severity: "critical",
    title: "Tasks are slow",
    detail: "The 95th percentile is 80 s; the threshold is 60 s.",
    evidence: { value: 80, rule_id: "slow", subject: "research", change: "fired", ...evidence },
    ...changes,
  };
  return JSON.stringify({
    type: "system_alert",
    timestamp: AT,
    data: { task_id: null, seq: null, prev_seq: null, notification },
  });
}

interface Told {
  format: ProviderFormat;
  secret: string;
  url: string;
}

const RESEND: Told = {
  format: { api: "resend", from: "Batuta <alerts@example.com>", to: ["ops@example.com"] },
  secret: "re_0123456789",
  url: "https://api.resend.com",
};
const TWILIO: Told = {
  format: { api: "twilio", account: ACCOUNT, from: "+34600000000", to: ["+34600111222"] },
  secret: "0123456789abcdef",
  url: "https://api.twilio.com",
};
const PAGERDUTY: Told = {
  format: { api: "pagerduty" },
  secret: ROUTING_KEY,
  url: "https://events.pagerduty.com",
};
const SLACK: Told = {
  format: { api: "slack" },
  secret: SLACK_URL,
  url: "https://hooks.slack.com/…",
};

/** The request by which a provider is told, as it arrives there. */
async function asked({ format, secret, url }: Told, body: string): Promise<Asked> {
  const message_id = "msg_ch0123456789ABCDEFGHIJkl_0_slow_1_fired";
  const input: FormatInput = {
    message: messageOf(body, message_id),
    message_id,
    config: { tenant: "acme", url },
    secret,
  };
  const request = await providerRequest(input, format);
  return { method: "POST", ...request };
}

describe("the form of an alert", () => {
  it.each(severitySchema.options)("is right at each provider for severity %s", async (severity) => {
    const body = stored({ severity });

    const mail = resend(RESEND.secret)(await asked(RESEND, body));
    const sms = twilio(ACCOUNT, TWILIO.secret)(await asked(TWILIO, body));
    const event = pagerduty(ROUTING_KEY).take(await asked(PAGERDUTY, body));
    const chat = slack(SLACK_URL)(await asked(SLACK, body));

    const headline = `[${severity.toUpperCase()}] Tasks are slow`;
    expect(mail.meaning).toMatchObject({
      from: "Batuta <alerts@example.com>",
      to: ["ops@example.com"],
      subject: headline,
      text: expect.stringContaining("value: 80"),
      html: expect.stringContaining("<td>80</td>"),
      tags: [
        { name: "severity", value: severity },
        { name: "change", value: "fired" },
      ],
    });
    expect(sms.meaning).toEqual({
      To: "+34600111222",
      From: "+34600000000",
      Body: `${headline}: The 95th percentile is 80 s; the threshold is 60 s.`,
    });
    expect(event.meaning).toMatchObject({
      event_action: "trigger",
      dedup_key: "acme/slow_1",
      payload: { severity, summary: "Tasks are slow", source: "research", timestamp: AT },
    });
    expect(chat.meaning?.blocks[0]).toMatchObject({ type: "header", text: { text: headline } });
  });

  it("resolves at the pager what it triggered there, and says so elsewhere", async () => {
    const provider = pagerduty(ROUTING_KEY);
    provider.take(await asked(PAGERDUTY, stored()));
    const wasOpen = [...provider.open];

    provider.take(await asked(PAGERDUTY, stored({}, { change: "resolved" })));
    const mail = await asked(RESEND, stored({}, { change: "resolved" }));

    expect(wasOpen).toEqual(["acme/slow_1"]);
    expect([...provider.open]).toEqual([]);
    expect(JSON.parse(mail.body)).toMatchObject({ subject: "[RESOLVED] Tasks are slow" });
  });

  it.each(HOSTILE)("is nobody's tool: %j", async (text) => {
    const body = stored({ title: text.slice(0, 200), detail: text }, { [text]: text });

    const mail = resend(RESEND.secret)(await asked(RESEND, body));
    const sms = twilio(ACCOUNT, TWILIO.secret)(await asked(TWILIO, body));
    const event = pagerduty(ROUTING_KEY).take(await asked(PAGERDUTY, body));
    const chat = slack(SLACK_URL)(await asked(SLACK, body));

    expect(mail.meaning?.html).not.toMatch(/<(?!\/?(h2|p|table|tr|th|td|br)\b)/);
    expect(mail.meaning?.subject).not.toMatch(/[\r\n]/);
    expect(sms.meaning).toMatchObject({ To: "+34600111222", From: "+34600000000" });
    expect(event.meaning).toMatchObject({ routing_key: ROUTING_KEY });
    expect(chat.meaning).not.toBeNull();
  });

  it("is taken by every provider, whatever its texts are", async () => {
    const texts = fc.string({ unit: "binary", minLength: 1, maxLength: 400 });
    await fc.assert(
      fc.asyncProperty(texts, texts, fc.jsonValue(), async (title, detail, value) => {
        const body = stored({ title: title.slice(0, 200), detail }, { value });
        expect(resend(RESEND.secret)(await asked(RESEND, body)).meaning).not.toBeNull();
        expect(
          twilio(ACCOUNT, TWILIO.secret)(await asked(TWILIO, body)).meaning?.Body.length,
        ).toBeLessThanOrEqual(LONGEST_SMS);
        expect(pagerduty(ROUTING_KEY).take(await asked(PAGERDUTY, body)).meaning).not.toBeNull();
        expect(slack(SLACK_URL)(await asked(SLACK, body)).meaning).not.toBeNull();
      }),
    );
  });

  it("of an SMS is cut at 320 characters with three full stops, and never in half a character", async () => {
    const whole = await asked(TWILIO, stored({ title: "t", detail: "d".repeat(306) }));
    const cut = await asked(TWILIO, stored({ title: "t", detail: "d".repeat(307) }));
    const pairs = await asked(TWILIO, stored({ title: "t", detail: "💥".repeat(400) }));

    const said = (form: Asked) => new URLSearchParams(form.body).get("Body") ?? "";
    expect(said(whole)).toHaveLength(320);
    expect(said(whole)).not.toMatch(/\.\.\.$/);
    expect(said(cut)).toHaveLength(320);
    expect(said(cut)).toMatch(/d\.\.\.$/);
    expect(said(pairs).isWellFormed()).toBe(true);
    expect(said(pairs)).toMatch(/💥\.\.\.$/u);
  });

  it("of an SMS names its own recipient", async () => {
    const form = await asked(TWILIO, stored({}, { recipient: "+34600999888" }));

    expect(new URLSearchParams(form.body).get("To")).toBe("+34600999888");
  });

  it("asks for a mail once, and for another one when the channel was changed between two attempts", async () => {
    const provider = resend(RESEND.secret);
    const other: Told = {
      ...RESEND,
      format: { api: "resend", from: "alerts@example.com", to: ["b@example.com"] },
    };

    const first = provider(await asked(RESEND, stored()));
    const again = provider(await asked(RESEND, stored()));
    const changed = provider(await asked(other, stored()));

    expect(first.meaning).not.toBeNull();
    expect(again).toMatchObject({ reply: { status: 200 }, meaning: null });
    expect(changed.meaning).toMatchObject({ to: ["b@example.com"] });
  });

  it.each(["", "{}", '{"timestamp":"x","data":{"notification":{"notice":"withheld"}}}'])(
    "is a notice of where to look when what was stored is no alert: %j",
    async (body) => {
      const event = pagerduty(ROUTING_KEY).take(await asked(PAGERDUTY, body));

      expect(event.meaning?.payload).toMatchObject({
        severity: "error",
        custom_details: {
          detail: "See the delivery dlv_ch0123456789ABCDEFGHIJkl_0_slow_1_fired of this channel.",
        },
      });
    },
  );

  it("does not add the path of the API to an address that has it", async () => {
    const url = "https://events.eu.pagerduty.com/v2/enqueue/";

    const request = await asked({ ...PAGERDUTY, url }, stored());

    expect(request.url).toBe("https://events.eu.pagerduty.com/v2/enqueue");
  });

  it("keeps the pager's key within its 255 characters", async () => {
    const body = stored({ alert_id: "a".repeat(200) });
    const input = messageOf(body, "msg_x");
    const request = await providerRequest(
      {
        message: input,
        message_id: "msg_x",
        config: { tenant: "t".repeat(64), url: PAGERDUTY.url },
        secret: ROUTING_KEY,
      },
      PAGERDUTY.format,
    );

    expect(JSON.parse(request.body).dedup_key).toHaveLength(22);
  });
});
