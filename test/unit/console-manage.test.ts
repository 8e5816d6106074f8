import { describe, expect, it } from "vitest";

import { limitOf } from "../../src/console/lib/alert-limit.ts";
import {
  acknowledgementBody,
  keyBody,
  localTime,
  recoveryBody,
  resolutionBody,
  silenceBody,
  webhookBody,
} from "../../src/console/lib/drafts.ts";
import { inboxOrder } from "../../src/console/lib/inbox.ts";
import { rate } from "../../src/console/lib/rates.ts";
import { alertsWords } from "../../src/console/words/alerts.ts";
import { eventGroupWords } from "../../src/console/words/event-groups.ts";
import { termWords } from "../../src/console/words/terms.ts";
import { keyRequestSchema } from "../../src/protocol/access.ts";
import {
  acknowledgementSchema,
  alertMetricSchema,
  channelKindSchema,
  silenceRequestSchema,
} from "../../src/protocol/alerts.ts";
import { deliveryStateSchema, eventGroupSchema, scopeSchema } from "../../src/protocol/enums.ts";
import { escalationResolutionSchema, escalationSchema } from "../../src/protocol/task-view.ts";
import { recoveryRequestSchema } from "../../src/protocol/webhook-operations.ts";
import { attemptSchema, webhookRegistrationSchema } from "../../src/protocol/webhook.ts";

describe("forms of the console become requests that the server reads", () => {
  it("of a webhook", () => {
    const draft = { url: " https://x.example ", name: "", events: ["all"], ordering: "none" };
    const body = webhookBody({ ...draft, timeout: "5", challenge: true });

    expect(webhookRegistrationSchema.parse(body)).toMatchObject({
      url: "https://x.example",
      ordering: "none",
      timeout: 5,
      challenge: true,
    });
    expect(body).not.toHaveProperty("name");
  });

  it("of a recovery, with times of the reader's own zone", () => {
    const at = Date.parse("2026-03-01T12:30:00.000Z");
    const body = recoveryBody({ since: localTime(at), until: "", state: "exhausted" }, true);

    expect(recoveryRequestSchema.parse(body)).toMatchObject({
      since: "2026-03-01T12:30:00.000Z",
      state: "exhausted",
      dry_run: true,
    });
  });

  it("of an answer, with a change only where the decision is one", () => {
    const draft = { answer: " yes ", patch: '{"timeout": 60}' };

    expect(
      escalationResolutionSchema.parse(resolutionBody({ ...draft, decision: "change" })),
    ).toMatchObject({ decision: "change", answer: "yes", patch: { timeout: 60 } });
    expect(
      escalationResolutionSchema.parse(resolutionBody({ ...draft, decision: "resume" })),
    ).not.toHaveProperty("patch");
    expect(resolutionBody({ ...draft, decision: "change", patch: "[1]" })).toBeNull();
  });

  it("of a key", () => {
    const expires = localTime(Date.parse("2030-01-01T00:00:00Z"));

    expect(keyRequestSchema.parse(keyBody({ name: " a ", scopes: ["observe"], expires }))).toEqual(
      expect.objectContaining({ name: "a", expires_at: "2030-01-01T00:00:00.000Z" }),
    );
    expect(keyBody({ name: "a", scopes: [], expires: "" })).not.toHaveProperty("expires_at");
  });

  it("of a silence and of an acknowledgement", () => {
    const draft = { rule_id: "", max_severity: "error", duration_s: "3600", reason: " known " };

    expect(silenceRequestSchema.parse(silenceBody(draft))).toMatchObject({
      max_severity: "error",
      duration_s: 3_600,
      reason: "known",
    });
    expect(acknowledgementSchema.parse(acknowledgementBody(" "))).not.toHaveProperty("note");
    expect(acknowledgementSchema.parse(acknowledgementBody(" on it "))).toMatchObject({
      note: "on it",
    });
  });
});

describe("an inbox", () => {
  it("has what is open first, the most urgent of it before the rest, and else keeps its order", () => {
    const row = (id: number, state: string, urgency: string) => ({ id, state, urgency });
    const rows = [
      row(1, "resolved", "critical"),
      row(2, "open", "low"),
      row(3, "open", "critical"),
      row(4, "expired", "low"),
      row(5, "open", "low"),
    ];

    expect(inboxOrder(rows).map(({ id }) => id)).toEqual([3, 2, 5, 1, 4]);
  });
});

describe("the threshold of a rule", () => {
  it.each([
    ["task_failure_rate", "above", 0.2, "20%"],
    ["delivery_latency_p95_s", "above", 1.5, "1.5 s"],
    ["cost_usd", "above", 12, "$12.00"],
    ["agents_online", "below", 1, "1"],
    ["task_failure_rate", "anomaly", 4, "4"],
    ["slo_burn_rate", "above", 14.4, "14.4"],
  ])("of %s %s %d is said as %s", (metric, comparison, threshold, said) => {
    expect(limitOf({ metric, comparison, threshold }, "en")).toBe(said);
  });
});

describe("a share that may not be known", () => {
  it("is a dash until it is", () => {
    expect([rate(null, "en"), rate(0.5, "en")]).toEqual(["—", "50%"]);
  });
});

describe("words of the contract", () => {
  it.each([
    ["metrics of rules", alertsWords.en, alertMetricSchema.options],
    ["groups of notifications", eventGroupWords.en, eventGroupSchema.options],
    ["states of deliveries", termWords.en, deliveryStateSchema.options],
    ["triggers of attempts", termWords.en, attemptSchema.shape.trigger.options],
    ["kinds of channels", termWords.en, channelKindSchema.options],
    ["scopes of keys", termWords.en, scopeSchema.options],
    ["kinds of questions", termWords.en, escalationSchema.shape.kind.options],
    ["states of questions", termWords.en, escalationSchema.shape.state.options],
  ])("are said in the page: %s", (_, words, options) => {
    expect(options.filter((one) => !Object.hasOwn(words, one))).toEqual([]);
  });
});
