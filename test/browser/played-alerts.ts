import type { Page } from "playwright-core";
import type { z } from "zod";

import {
  acknowledgementSchema,
  alertRuleSchema,
  alertViewSchema,
  channelViewSchema,
  silenceRequestSchema,
  silenceSchema,
} from "../../src/protocol/alerts.ts";

/* Alerts take minutes of a real system to fire: here they do at once, by the contract. */

const at = (secondsAgo: number): string => new Date(Date.now() - secondsAgo * 1_000).toISOString();

/** A text as somebody hostile, or nobody, put it into an alert. */
export interface AlertTexts {
  title: string;
  detail: string;
  subject: string;
}

const alertOf = (alert_id: string, state: "firing" | "resolved", texts: AlertTexts) =>
  alertViewSchema.parse({
    alert_id,
    rule_id: "task-failures",
    severity: state === "firing" ? "critical" : "warning",
    state,
    ...texts,
    evidence: { value: 0.41, threshold: 0.2, samples: 212, window_s: 300 },
    pending_since: at(900),
    fired_at: at(780),
    resolved_at: state === "firing" ? null : at(60),
    acknowledged_at: null,
    acknowledged_by: null,
    note: null,
    silenced_by: null,
    told: ["on-call"],
  });

const RULE = alertRuleSchema.parse({
  schema_version: "1.0",
  rule_id: "task-failures",
  title: "Many tasks fail",
  metric: "task_failure_rate",
  comparison: "above",
  threshold: 0.2,
  severity: "critical",
  source: "default",
  updated_at: null,
});

const CHANNEL = channelViewSchema.parse({
  schema_version: "1.0",
  channel_id: "on-call",
  name: "On call",
  kind: "paging",
  has_secret: true,
  webhook_id: "wh_channel",
  updated_at: at(86_400),
});

/** Alerts as a server would keep them, by the contract; what the page sends is judged by it as well. */
export class PlayedAlerts {
  readonly #alerts: z.infer<typeof alertViewSchema>[];
  #silences: z.infer<typeof silenceSchema>[] = [];
  /** Channels that were tested. */
  readonly tested: string[] = [];

  constructor(texts: AlertTexts) {
    this.#alerts = [alertOf("al_1", "firing", texts), alertOf("al_2", "resolved", texts)];
  }

  /** Answers for the server from now on. */
  async on(page: Page): Promise<void> {
    const answer = (
      pattern: RegExp,
      reply: (match: RegExpExecArray, body: unknown, method: string) => unknown,
    ) =>
      page.route(
        (url) => pattern.test(url.pathname),
        (route) => {
          const match = pattern.exec(new URL(route.request().url()).pathname);
          if (match === null) return route.continue();
          const json = reply(match, route.request().postDataJSON() ?? {}, route.request().method());
          return route.fulfill({ json });
        },
      );
    const pageOf = (items: unknown) => ({ items, next_cursor: null });
    await answer(/^\/v1\/alerts$/, () => pageOf(this.#alerts));
    await answer(/^\/v1\/alerts\/(\w+)$/, ([, id]) => this.#alert(id));
    await answer(/^\/v1\/alerts\/(\w+)\/acknowledge$/, ([, id], body) =>
      this.#acknowledge(id, body),
    );
    await answer(/^\/v1\/alert-rules$/, () => pageOf([RULE]));
    await answer(/^\/v1\/alert-channels$/, () => pageOf([CHANNEL]));
    await answer(/^\/v1\/alert-channels\/([\w-]+)\/test$/, ([, id = ""]) => this.tested.push(id));
    await answer(/^\/v1\/silences$/, (_, body, method) =>
      method === "POST" ? this.#silence(body) : pageOf(this.#silences),
    );
    await answer(/^\/v1\/silences\/(\w+)$/, ([, id]) => {
      this.#silences = this.#silences.filter(({ silence_id }) => silence_id !== id);
      return {};
    });
  }

  #alert(id: string | undefined) {
    const found = this.#alerts.find(({ alert_id }) => alert_id === id);
    if (found === undefined) throw new Error(`no alert ${id}`);
    return found;
  }

  #acknowledge(id: string | undefined, body: unknown) {
    const { note } = acknowledgementSchema.parse(body);
    return Object.assign(this.#alert(id), {
      acknowledged_at: at(0),
      acknowledged_by: "key_ops",
      note: note ?? null,
    });
  }

  #silence(body: unknown) {
    const { rule_id, max_severity, duration_s, reason } = silenceRequestSchema.parse(body);
    const silence = silenceSchema.parse({
      silence_id: "si_1",
      rule_id: rule_id ?? null,
      max_severity,
      reason,
      created_at: at(0),
      created_by: "key_ops",
      ends_at: at(-duration_s),
    });
    this.#silences = [silence];
    return silence;
  }
}
