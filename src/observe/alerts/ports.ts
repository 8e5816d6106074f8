import type { AlertMetric, AlertView } from "../../protocol/alerts.ts";

/* What alerts need of others, and what others give them. */

/** What is told of an alert. */
export type AlertChange = "fired" | "resolved";

/** An alert that is to be told to the channels that are routed to it. */
export interface AlertTelling {
  tenant: string;
  alert: AlertView;
  change: AlertChange;
}

/**
 * Hands an alert to every channel that is routed to it (routing.ts). Safe to repeat: a channel takes each change of an
 * alert once.
 *
 * @returns the ids of the channels that took it
 */
export type TellChannels = (telling: AlertTelling) => Promise<readonly string[]>;

/** Which part of a figure is meant, and of which time. */
export interface FigureScope {
  /** How long the window is. Those that hold at a moment (agents, slots, what is open) have none, and pass it over. */
  window_s: number;
  task_type: string | null;
  agent_id: string | null;
  /** End of the window, epoch milliseconds. */
  until: number;
}

/** A figure, and how many observations it rests on. */
export interface Figure {
  value: number;
  samples: number;
}

/** Metrics that figures are read of; burn rates are worked out of them (objectives.ts). */
export type FigureMetric = Exclude<AlertMetric, "slo_burn_rate">;

/** The figure over a window; null where there is nothing to say, such as a mean of nothing. Throws when D1 fails. */
export type ReadFigure = (
  tenant: string,
  metric: FigureMetric,
  scope: FigureScope,
) => Promise<Figure | null>;

/** Figures of the past that a present one is compared with, oldest first; hours for which there is none are left out. */
export type ReadHistory = (
  tenant: string,
  metric: FigureMetric,
  scope: FigureScope,
) => Promise<readonly Figure[]>;
