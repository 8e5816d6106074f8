import {
  judgeTenant,
  type Changes,
  type JudgePorts,
  type KeptAlert,
  type Known,
  type Move,
  type Written,
} from "../../src/observe/alerts/judge.ts";
import type { AlertTelling, Figures } from "../../src/observe/alerts/ports.ts";
import { defaultRules } from "../../src/observe/alerts/rules/default-rules.ts";
import type { AlertRule, AlertView } from "../../src/protocol/alerts.ts";

/** When a world begins. */
export const NOW = Date.parse("2026-11-22T12:00:00.000Z");
export const MINUTE = 60_000;
/** An instant of a world. */
export const inMinutes = (minutes: number) => new Date(NOW + minutes * MINUTE).toISOString();

const base = defaultRules([]).find(({ rule_id }) => rule_id === "tasks-failing");
if (base === undefined) throw new Error("there is no such default rule");
/** The rule that a world is about. */
export const FAILING: AlertRule = base;

/** A tenant whose share of failures a test sets, with everything that judging does to it. */
export class World {
  failures: number | null = 0;
  readonly known: Known = { rules: [], objectives: [], watches: [], silences: [], alerts: [] };
  readonly writes: Changes[] = [];
  readonly told: string[] = [];
  readonly handed: AlertTelling[] = [];
  readonly lines: string[] = [];
  isDeaf = false;
  #ids = 0;

  readonly #figures: Figures = {
    figure: async (metric) => {
      if (metric !== "task_failure_rate" && metric !== "quality_mean")
        throw new Error(`${metric} cannot be read`);
      return this.failures === null ? null : { value: this.failures, samples: 50 };
    },
    history: async () => [],
    share: async () => ({ good: 0, total: 0 }),
  };

  readonly ports: JudgePorts = {
    log: (_level, event) => this.lines.push(event),
    newId: () => `id${(this.#ids += 1)}`,
    openFigures: () => this.#figures,
    read: async () => structuredClone(this.known),
    write: async (_tenant, changes) => this.#write(changes),
    untold: async () =>
      structuredClone(this.known.alerts.filter(({ untold }) => untold.length > 0)),
    publish: async ({ alert: { alert_id }, change }) => {
      if (this.isDeaf) return ["wh_deaf"];
      this.told.push(`${alert_id} ${change}`);
      return [];
    },
    tellChannels: async (telling) => {
      if (this.isDeaf) return { told: [], missed: ["pager"] };
      this.handed.push(telling);
      return { told: telling.change === "fired" ? ["pager"] : [], missed: [] };
    },
    markTold: async (_tenant, alert_id, { change, channels, isDone }) => {
      this.#change(alert_id, ({ alert, untold }) => ({
        alert: { ...alert, told: change === "fired" ? [...channels] : alert.told },
        untold: isDone ? untold.filter((one) => one !== change) : untold,
      }));
    },
  };

  #change(alert_id: string, by: (kept: KeptAlert) => KeptAlert): void {
    this.known.alerts = this.known.alerts.map((kept) =>
      kept.alert.alert_id === alert_id ? by(kept) : kept,
    );
  }

  #write(changes: Changes): Written {
    this.writes.push(changes);
    const written: Written = { fired: [], resolved: [] };
    for (const { alert_id, silenced_by } of changes.held) {
      this.#change(alert_id, ({ alert }) => ({ alert: { ...alert, silenced_by }, untold: [] }));
    }
    for (const move of changes.moves) this.#move(move, written);
    for (const alert_id of changes.unsilenced) {
      this.#change(alert_id, ({ alert }) => ({
        alert: { ...alert, silenced_by: null },
        untold: ["fired"],
      }));
    }
    return written;
  }

  #move({ rule_id, subject, from, to, resolved_at, fired }: Move, written: Written): void {
    const kept = this.known.watches.find((one) => one.rule_id === rule_id);
    if ((kept?.text ?? null) !== from) return;
    this.known.watches = this.known.watches.filter((one) => one.rule_id !== rule_id);
    if (to !== null) {
      this.known.watches.push({ rule_id, subject, ...to, text: JSON.stringify(to) });
    }
    const found = this.alerts.find((one) => one.rule_id === rule_id && one.state === "firing");
    if (resolved_at !== null && found !== undefined) {
      this.#change(found.alert_id, ({ alert, untold }) => ({
        alert: { ...alert, state: "resolved", resolved_at },
        untold: alert.silenced_by === null ? [...untold, "resolved"] : [],
      }));
      written.resolved.push(found);
    }
    if (fired === null) return;
    this.known.alerts.push({ alert: fired, untold: fired.silenced_by === null ? ["fired"] : [] });
    written.fired.push(fired);
  }

  /** One look a minute. */
  async judge(from: number, to: number): Promise<void> {
    for (let minute = from; minute <= to; minute += 1) {
      await judgeTenant(this.ports, "acme", NOW + minute * MINUTE);
    }
  }

  get alerts(): AlertView[] {
    return this.known.alerts.map(({ alert }) => alert);
  }
}
