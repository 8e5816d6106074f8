import type { Page } from "playwright-core";
import type { z } from "zod";

import { acknowledgementSchema, alertViewSchema } from "../../src/protocol/alerts.ts";

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
    rule_id: "tasks-failing",
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

/** Alerts as a server would keep them, by the contract; what the page sends is judged by it as well. */
export class PlayedAlerts {
  readonly #alerts: z.infer<typeof alertViewSchema>[];

  constructor(texts: AlertTexts) {
    this.#alerts = [alertOf("al_1", "firing", texts), alertOf("al_2", "resolved", texts)];
  }

  /** Answers for the server from now on. Rules, silences and channels stay the server's own. */
  async on(page: Page): Promise<void> {
    const answer = (pattern: RegExp, reply: (id: string, body: unknown) => unknown) =>
      page.route(
        (url) => pattern.test(url.pathname),
        (route) => {
          const [, id = ""] = pattern.exec(new URL(route.request().url()).pathname) ?? [];
          return route.fulfill({ json: reply(id, route.request().postDataJSON() ?? {}) });
        },
      );
    await answer(/^\/v1\/alerts$/, () => ({ items: this.#alerts, next_cursor: null }));
    await answer(/^\/v1\/alerts\/(\w+)$/, (id) => this.#alert(id));
    await answer(/^\/v1\/alerts\/(\w+)\/acknowledge$/, (id, body) => this.#acknowledge(id, body));
  }

  #alert(id: string) {
    const found = this.#alerts.find(({ alert_id }) => alert_id === id);
    if (found === undefined) throw new Error(`no alert ${id}`);
    return found;
  }

  #acknowledge(id: string, body: unknown) {
    const { note } = acknowledgementSchema.parse(body);
    return Object.assign(this.#alert(id), {
      acknowledged_at: at(0),
      acknowledged_by: "key_ops",
      note: note ?? null,
    });
  }
}
