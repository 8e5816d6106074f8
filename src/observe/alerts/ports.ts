import type { Log } from "../../lib/log.ts";
import type { AlertMetric, AlertView } from "../../protocol/alerts.ts";
import type { ObjectiveRequest } from "../../protocol/objectives.ts";
import type { Share } from "./objectives/budget.ts";

/* What alerts need of others, and what others give them. */

/** What is told of an alert. */
export type AlertChange = "fired" | "resolved";

/** An alert that is to be told to the channels that are routed to it. */
export interface AlertTelling {
  tenant: string;
  alert: AlertView;
  change: AlertChange;
}

/** Ids of those who were told now, and of those who are to be told again because they could not be reached. */
interface Reached {
  told: readonly string[];
  missed: readonly string[];
}

/**
 * Hands an alert to every channel that is routed to it (routing.ts). Safe to repeat: a channel takes each change of an
 * alert once.
 */
type TellChannels = (telling: AlertTelling) => Promise<Reached>;

/** What telling needs from outside. */
export interface TellPorts {
  log: Log;
  /** Publishes it to webhooks, but to those named; safe to repeat. Gives the ids of those that could not be reached. */
  publish: (telling: AlertTelling, except: readonly string[]) => Promise<readonly string[]>;
  tellChannels: TellChannels;
  markTold: (tenant: string, alert_id: string, mark: ToldMark) => Promise<void>;
}

/** How far telling of a change has come. */
export interface ToldMark {
  change: AlertChange;
  /** All channels that took its beginning. */
  channels: readonly string[];
  /** Whether nobody is left to be told of the change. */
  isDone: boolean;
}

/** Which part of a figure is meant, and of which time before the instant of judging. */
export interface FigureScope {
  /** How long the window is. What holds at a moment (agents, slots, what is open) has none, and passes it over. */
  window_s: number;
  task_type: string | null;
  agent_id: string | null;
}

/** A figure, and how many observations it rests on; null for a count and what holds at a moment, which need none. */
export interface Figure {
  value: number;
  samples: number | null;
  /** Of an amount (money, tokens): of how many tasks it is the sum. */
  tasks?: number;
}

/** Metrics that figures are read of; burn rates are worked out of shares (objectives/budget.ts). */
export type FigureMetric = Exclude<AlertMetric, "slo_burn_rate">;

/** An hour of the past, and the figure that it had. */
export interface PastHour {
  /** Start, epoch seconds. */
  at: number;
  value: number;
  /** As of a figure. */
  tasks?: number;
}

/** The figures of a tenant at one instant. What is asked twice is read once. All throw when D1 fails. */
export interface Figures {
  /** Null where there is nothing to say, such as a mean of nothing. */
  figure(metric: FigureMetric, scope: FigureScope): Promise<Figure | null>;
  /** Of the asked hours those of which something is known; `hours` in epoch seconds. */
  history(
    metric: FigureMetric,
    scope: FigureScope,
    hours: readonly number[],
  ): Promise<readonly PastHour[]>;
  /** How many were good, of how many, in the last `window_s` seconds. */
  share(objective: Indicator, window_s: number): Promise<Share>;
}

/** What of an objective says which ones are good. */
export type Indicator = Pick<ObjectiveRequest, "indicator" | "limit_s" | "task_type">;

/** Looks at a tenant's figures at an instant, epoch milliseconds. */
export type OpenFigures = (tenant: string, until: number) => Figures;

/** Figures that hold at the moment, from where they are. */
export type MomentMetric = Extract<
  AlertMetric,
  | "delivery_oldest_age_s"
  | "agents_online"
  | "slots_free"
  | "escalations_open"
  | "cleanup_debts_open"
>;
export type ReadMoment = (tenant: string, metric: MomentMetric) => Promise<number | null>;
