import { describe, expect, it } from "vitest";

import { keepsSecret, registrationOf } from "../../src/delivery/channels/endpoint.ts";
import { channelFaults, needsSecret } from "../../src/delivery/channels/rules.ts";
import { channelKindSchema, channelRequestSchema } from "../../src/protocol/alerts.ts";

const ACCOUNT = "AC0123456789abcdef0123456789abcdef";

const RIGHT = {
  webhook: { url: "https://hooks.example.com/" },
  email: { to: ["ops@example.com"], from: "Batuta <alerts@example.com>", secret: "re_0123456789" },
  sms: { to: ["+34600111222"], from: "Batuta", account: ACCOUNT, secret: "0123456789abcdef" },
  paging: { secret: "0123456789abcdef0123456789abcdef" },
  chat: { url: "https://hooks.slack.com/services/T0/B0/X" },
};

const request = (kind: keyof typeof RIGHT, changes: object = {}) =>
  channelRequestSchema.parse({ name: "on call", kind, ...RIGHT[kind], ...changes });
const pointers = (kind: keyof typeof RIGHT, changes: object = {}) =>
  channelFaults(request(kind, changes)).map(({ pointer }) => pointer);

describe("what an alert channel has to say", () => {
  it.each(channelKindSchema.options)("is nothing more for a right one of kind %s", (kind) => {
    expect(channelFaults(request(kind))).toEqual([]);
  });

  it("is an address for webhook and chat", () => {
    expect(pointers("webhook", { url: undefined })).toEqual(["/url"]);
    expect(pointers("chat", { url: undefined })).toEqual(["/url"]);
  });

  it("is who gets it and who it is from for email and sms, and the account for sms", () => {
    expect(pointers("email", { to: [], from: undefined })).toEqual(["/to", "/from"]);
    expect(pointers("sms", { to: [], from: undefined, account: undefined })).toEqual([
      "/to",
      "/from",
      "/account",
    ]);
  });

  it("is nothing that its kind does not use: it would be stored and ignored", () => {
    const all = { to: ["x@example.com"], from: "x@example.com", account: ACCOUNT };

    expect(pointers("paging", all)).toEqual(["/to", "/from", "/account"]);
    expect(pointers("chat", { secret: "0123456789" })).toEqual(["/secret"]);
    expect(pointers("email", { account: ACCOUNT })).toEqual(["/account"]);
  });

  it.each([
    ["email", { to: ["ops@example.com", "a b@example.com"] }, "/to/1"],
    ["email", { to: ["ops@example.com\r\nBcc: all@example.com"] }, "/to/0"],
    ["email", { to: ["Ops <ops@example.com>"] }, "/to/0"],
    ["email", { from: "alerts@example.com\r\nBcc: all@example.com" }, "/from"],
    ["email", { from: "nobody" }, "/from"],
    ["email", { secret: "re_1\r\nx-evil: 1" }, "/secret"],
    ["email", { url: "https://api.resend.com/?x=1" }, "/url"],
    ["sms", { to: ["600111222"] }, "/to/0"],
    ["sms", { to: ["+34600111222", "+0600111222"] }, "/to/1"],
    ["sms", { from: "a sender that is too long" }, "/from"],
    ["sms", { account: "AC1/../../Accounts/other" }, "/account"],
    ["paging", { secret: "too-short" }, "/secret"],
    ["webhook", { secret: "whsec_short" }, "/secret"],
  ] as const)("is refused where its provider would: %s %j", (kind, changes, pointer) => {
    expect(pointers(kind, changes)).toEqual([pointer]);
  });

  it("includes a secret for whom the provider asks one", () => {
    expect(channelKindSchema.options.filter(needsSecret)).toEqual(["email", "sms", "paging"]);
  });
});

describe("a stored secret of an alert channel", () => {
  const keeps = (
    [one, changes]: [keyof typeof RIGHT, object],
    [other, more]: [keyof typeof RIGHT, object],
  ) => keepsSecret(registrationOf(request(one, changes)), registrationOf(request(other, more)));

  it("stays where it goes to the same place", () => {
    expect(keeps(["email", {}], ["email", { to: ["b@example.com"], name: "new" }])).toBe(true);
    expect(keeps(["webhook", {}], ["webhook", { url: "https://new.example.com/" }])).toBe(true);
  });

  it("goes to no other address, account or provider", () => {
    expect(keeps(["email", {}], ["email", { url: "https://evil.example.com" }])).toBe(false);
    expect(keeps(["sms", {}], ["sms", { account: ACCOUNT.replaceAll("0", "9") }])).toBe(false);
    expect(keeps(["email", {}], ["webhook", {}])).toBe(false);
    expect(keeps(["paging", {}], ["email", {}])).toBe(false);
  });
});

describe("the endpoint of an alert channel", () => {
  it("subscribes to nothing, keeps the order of each alert, and takes a provider's 4xx for final", () => {
    const registration = registrationOf(request("paging"));

    expect(registration).toMatchObject({
      url: "https://events.pagerduty.com",
      events: [],
      ordering: "task",
      lane_policy: "block",
      format: { api: "pagerduty" },
    });
    expect(registration.final_statuses).toEqual(expect.arrayContaining([400, 401, 403, 404, 422]));
    for (const again of [408, 409, 410, 425, 429]) {
      expect(registration.final_statuses).not.toContain(again);
    }
  });

  it("is one that signs, tried as webhooks are, for a channel of kind webhook", () => {
    const registration = registrationOf(request("webhook"));

    expect(registration.format).toBeUndefined();
    expect(registration.retry_policy).toBeUndefined();
    expect(registration.final_statuses).toBeUndefined();
  });
});
