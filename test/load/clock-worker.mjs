/**
 * Batuta as it is built, on a clock that can be put forward, so that retention takes seconds in place of weeks.
 *
 * The platform's alarms ring by its own clock: what is set for an instant of this one is set for when that will be there,
 * and set anew when the clock is moved. Beside that an object tells what it stores. Nothing else differs.
 */
import worker, * as batuta from "../../src/index.ts";

const realNow = Date.now.bind(Date);
let aheadMs = 0;
// All that asks for the time here asks for it so, and all of a Worker runs in one isolate on one machine.
Date.now = () => realNow() + aheadMs;

/** Objects that are called at one time. */
const AT_ONCE = 32;

/** A class of objects that lives on this clock, and can be looked into. */
function onThisClock(Base) {
  class Moved extends Base {
    #storage;
    #real;

    constructor(ctx, env) {
      const { storage } = ctx;
      const real = {
        setAlarm: storage.setAlarm.bind(storage),
        getAlarm: storage.getAlarm.bind(storage),
      };
      storage.setAlarm = (at, options) => real.setAlarm(Number(at) - aheadMs, options);
      storage.getAlarm = async (options) => {
        const at = await real.getAlarm(options);
        return at === null ? null : at + aheadMs;
      };
      super(ctx, env);
      this.#storage = storage;
      this.#real = real;
    }

    /** The clock went forward: an alarm of before comes so much sooner. */
    async rearm(byMs) {
      const at = await this.#real.getAlarm();
      if (at !== null) await this.#real.setAlarm(at - byMs);
    }

    /** Rows of each table, whether an alarm is set, and bytes of the database. */
    async census() {
      const { sql } = this.#storage;
      const tables = sql.exec(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'",
      );
      const rows = {};
      for (const { name } of tables.toArray()) {
        rows[name] = sql.exec(`SELECT count(*) AS count FROM "${name}"`).one().count;
      }
      const alarmAt = await this.#real.getAlarm();
      return { rows, alarms: alarmAt === null ? 0 : 1, bytes: sql.databaseSize };
    }
  }
  if (Base.prototype.alarm !== undefined) {
    Moved.prototype.alarm = function alarm(info) {
      const scheduledTime = info?.scheduledTime + aheadMs;
      return Base.prototype.alarm.call(this, info && { ...info, scheduledTime });
    };
  }
  return Moved;
}

export const TaskObject = onThisClock(batuta.TaskObject);
export const PoolObject = onThisClock(batuta.PoolObject);
export const BatchObject = onThisClock(batuta.BatchObject);
export const EndpointObject = onThisClock(batuta.EndpointObject);
export const OffenderObject = onThisClock(batuta.OffenderObject);
export const LimitsObject = onThisClock(batuta.LimitsObject);
export const MemoryObject = onThisClock(batuta.MemoryObject);
export const MeterObject = onThisClock(batuta.MeterObject);

/** Calls each object of a list, some at a time; what they answer. */
async function callAll(env, { binding, names, method, by_ms }) {
  const answers = [];
  let next = 0;
  const work = async () => {
    while (next < names.length) {
      const name = names[next++];
      // One after the other in each of the lanes.
      // oxlint-disable-next-line no-await-in-loop
      answers.push(await env[binding].getByName(name)[method](by_ms));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return answers;
}

/** All that objects store, added up. */
function added(all) {
  const sum = { objects: all.length, alarms: 0, bytes: 0, rows: {} };
  for (const { rows, alarms, bytes } of all) {
    sum.alarms += alarms;
    sum.bytes += bytes;
    for (const [table, count] of Object.entries(rows)) {
      sum.rows[table] = (sum.rows[table] ?? 0) + count;
    }
  }
  return sum;
}

const ACTS = {
  async "/clock/forward"({ by_ms }) {
    aheadMs += by_ms;
    return { ahead_ms: aheadMs };
  },
  async "/clock/rearm"(list, env) {
    await callAll(env, { ...list, method: "rearm" });
    return {};
  },
  async "/clock/census"(list, env) {
    return added(await callAll(env, { ...list, method: "census" }));
  },
  async "/clock/cron"({ cron }, env) {
    await worker.scheduled({ cron }, env);
    return {};
  },
};

// oxlint-disable-next-line import/no-default-export -- a Worker is one.
export default {
  ...worker,
  async fetch(request, env, ctx) {
    const act = ACTS[new URL(request.url).pathname];
    if (act === undefined) return worker.fetch(request, env, ctx);
    return Response.json(await act(await request.json(), env));
  },
};
