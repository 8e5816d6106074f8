import { METRIC_TRAITS } from "../../../protocol/alert-rule-check.ts";
import { readCounts, readSteps } from "../../meter/minute-store.ts";
import { sumOf, type MeterStep, type Tally } from "../../meter/tally.ts";
import type { StateParts } from "../../state.ts";
import type { Figures, OpenFigures, ReadMoment } from "../ports.ts";
import { meterFigure, meterShare } from "./meter-figures.ts";
import { isMoment } from "./moments.ts";
import { NO_TASKS, taskFigure, taskShare, type TaskSums } from "./task-figures.ts";
import { readHours, readTaskSums } from "./task-sums-store.ts";

const MINUTE_S = 60;

/** Technical figures of a minute are there when the next one is over. */
const METER_LATE_S = 60;

/** The longest window that is read at once and cut up for all who ask: that of a slow burn rate. Seconds. */
const METER_AT_ONCE_S = 21_600;

/** What shares of technical figures are made of (meter-figures.ts). */
const SHARED = ["batuta_http_requests_total", "batuta_deliveries_total"] as const;

/** Remembers what was asked for. */
function once<Value>(read: (key: string) => Promise<Value>): (key: string) => Promise<Value> {
  const asked = new Map<string, Promise<Value>>();
  return (key) => {
    const known = asked.get(key) ?? read(key);
    asked.set(key, known);
    return known;
  };
}

/** Whose past, and which hours of it. */
type PastKey = [task_type: string | null, agent_id: string | null, ...hours: number[]];

/** How figures are read: technical ones in one database, those of tasks in that of the tenant's history. */
export interface FigureParts {
  technical: <Value>(query: (db: D1Database) => Promise<Value>) => Promise<Value>;
  history: StateParts["read"];
}

type Sums = (scope: {
  window_s: number;
  task_type: string | null;
  agent_id: string | null;
}) => Promise<TaskSums>;

/** Sums up to the present minute, which is not over. */
function sumsReader(history: FigureParts["history"], tenant: string, until: number): Sums {
  const to = Math.floor(until / 1_000 / MINUTE_S) * MINUTE_S + MINUTE_S;
  const asked = new Map<string, Promise<TaskSums>>();
  return ({ window_s, task_type, agent_id }) => {
    const key = JSON.stringify([window_s, task_type, agent_id]);
    const from = to - Math.max(window_s, MINUTE_S);
    const read = () =>
      history(tenant, (db) => readTaskSums(db, tenant, { from, to, task_type, agent_id }));
    const known = asked.get(key) ?? read();
    asked.set(key, known);
    return known;
  };
}

/** Technical figures of the last `window_s` seconds that are told. */
function tallyReader(technical: FigureParts["technical"], tenant: string, until: number) {
  const to = Math.floor(until / 1_000 / MINUTE_S) * MINUTE_S;
  const fromOf = (window_s: number) => to - Math.max(window_s, MINUTE_S) - METER_LATE_S;
  const steps = once((seconds) =>
    technical((db) => readSteps(db, tenant, { from: to - Number(seconds), to })),
  );
  const counts = once((from) =>
    technical((db) => readCounts(db, tenant, { metrics: SHARED, from: Number(from), to })),
  );
  const tally = async (window_s: number): Promise<Tally> => {
    const all: MeterStep[] = await steps(
      String(Math.max(METER_AT_ONCE_S, window_s) + METER_LATE_S),
    );
    const from = fromOf(window_s);
    return sumOf(all.filter(({ bucket }) => bucket >= from).map(({ tally: of }) => of));
  };
  return {
    tally,
    /** Of what shares are made of alone: an objective's window is weeks. */
    shared: (window_s: number): Promise<Tally> =>
      window_s > METER_AT_ONCE_S ? counts(String(fromOf(window_s))) : tally(window_s),
  };
}

function momentReader(read: ReadMoment, tenant: string) {
  const asked = new Map<string, Promise<number | null>>();
  return async (metric: Parameters<ReadMoment>[1]) => {
    const known = asked.get(metric) ?? read(tenant, metric);
    asked.set(metric, known);
    const value = await known;
    return value === null ? null : { value, samples: null };
  };
}

/**
 * Figures from the roll-ups of tasks, the technical minutes, and what holds at the moment.
 *
 * A window of tasks ends with the present minute; a technical one ends a minute before, and is a minute longer.
 */
export function openFigures(parts: FigureParts, moment: ReadMoment): OpenFigures {
  return (tenant, until): Figures => {
    const sums = sumsReader(parts.history, tenant, until);
    const technical = tallyReader(parts.technical, tenant, until);
    const moments = momentReader(moment, tenant);
    const hoursOf = once(async (key) => {
      const [task_type, agent_id, ...hours]: PastKey = JSON.parse(key);
      return parts.history(tenant, (db) => readHours(db, tenant, hours, { task_type, agent_id }));
    });
    return {
      async figure(metric, scope) {
        if (isMoment(metric)) return moments(metric);
        return METRIC_TRAITS[metric].isOfTasks
          ? taskFigure(metric, await sums(scope))
          : meterFigure(metric, await technical.tally(scope.window_s));
      },
      async history(metric, { task_type, agent_id }, hours) {
        const key: PastKey = [task_type, agent_id, ...hours];
        const past = await hoursOf(JSON.stringify(key));
        const { first } = past;
        if (first === null) return [];
        const nothing = taskFigure(metric, NO_TASKS);
        return hours.flatMap((at) => {
          // Before its first hour nothing is known of a tenant; later, an hour without a row is one of nothing.
          if (at < first) return [];
          const known = past.hours.get(at);
          const figure = known === undefined ? nothing : taskFigure(metric, known);
          return figure === null ? [] : [{ at, ...figure }];
        });
      },
      async share(objective, window_s) {
        const { indicator, task_type = null } = objective;
        return indicator === "task_success" || indicator === "task_in_time"
          ? taskShare(objective, await sums({ window_s, task_type, agent_id: null }))
          : meterShare(objective, await technical.shared(window_s));
      },
    };
  };
}
