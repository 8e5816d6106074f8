import type { Forecast } from "../../protocol/forecast.ts";
import type { Insight } from "../../protocol/observation.ts";
import { rounded } from "../findings.ts";

/** A forecast that was so far from the truth last week is no reason to do something. */
const MOST_ERROR = 0.5;

/** Hours that need more executors than there are are grave within this many. */
const SOON_HOURS = 2;

/** The coming hours for which there are too few slots; nothing where the forecast is worth little or nobody knows. */
export function capacityAhead(forecast: Forecast): Insight[] {
  const { slots, error, hours } = forecast;
  const short = hours.filter(({ is_short }) => is_short === true);
  const [first] = short;
  if (first === undefined || slots === null) return [];
  if (error.wmape === null || error.wmape > MOST_ERROR) return [];
  const needed = Math.max(...short.map(({ slots_needed }) => slots_needed ?? 0));
  const waiting = short.reduce((sum, { expected, slots_needed }) => {
    const missing = 1 - slots / Math.max(slots_needed ?? 0, slots, 1);
    return sum + (expected ?? 0) * missing;
  }, 0);
  const isSoon = hours.slice(0, SOON_HOURS).some(({ is_short }) => is_short === true);
  return [
    {
      rule: "capacity_ahead",
      severity: isSoon ? "warning" : "info",
      subject: { kind: "capacity", id: "slots" },
      title: `${short.length} of the next ${hours.length} hours need up to ${Math.ceil(needed)} slots where ${slots} are online`,
      evidence: {
        first_at: first.at,
        hours: short.length,
        expected_tasks: rounded(short.reduce((sum, { expected }) => sum + (expected ?? 0), 0)),
        slots_needed: needed,
        slots,
        forecast_wmape: error.wmape,
        basis: first.basis,
      },
      score: rounded(waiting),
    },
  ];
}
