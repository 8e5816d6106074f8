/** Batuta with a count of everything that it asks of the platform, by hot path: for `npm run profile`. */
import worker, {
  BatchObject,
  EndpointObject,
  LimitsObject,
  MemoryObject,
  MeterObject,
  OffenderObject,
  PoolObject,
  TaskObject,
} from "../../src/index.ts";

let counts = {};
/** Cursors, whose rows are known only when they have been read. */
let cursors = [];

function note(kind, what, times = 1) {
  counts[kind] ??= {};
  counts[kind][what] = (counts[kind][what] ?? 0) + times;
}

function wrap(target, method, around) {
  const original = target[method];
  target[method] = function wrapped(...args) {
    return around(this, original, args);
  };
}

function firstWords(statement) {
  const words = statement.replaceAll(/\b(OR \w+|INTO|IF NOT EXISTS)\b/g, " ").trim();
  const [verb] = words.split(/\s+/, 1);
  const table = /(?:FROM|INSERT|UPDATE|TABLE)\s+([a-z_]+)/i.exec(words)?.[1];
  return `${verb} ${table ?? ""}`.trim();
}

/** The statements of an object, its rows and its alarm. */
function watchStorage(name, { storage }) {
  wrap(storage.sql, "exec", (sql, exec, args) => {
    const cursor = exec.apply(sql, args);
    note("statements", `${name}: ${firstWords(args[0])}`);
    cursors.push({ name, cursor });
    return cursor;
  });
  wrap(storage, "setAlarm", (self, setAlarm, args) => {
    note("rows written", `${name}: alarm`);
    return setAlarm.apply(self, args);
  });
  wrap(storage, "getAlarm", (self, getAlarm, args) => {
    note("statements", `${name}: getAlarm`);
    return getAlarm.apply(self, args);
  });
  wrap(storage, "transactionSync", (self, transact, args) => {
    note("commits", name);
    return transact.apply(self, args);
  });
}

/** The same class, whose calls and whose storage are counted. */
function watched(name, Class) {
  return class extends Class {
    constructor(context, env) {
      watchStorage(name, context);
      note("objects woken", name);
      super(context, env);
    }

    alarm(...args) {
      note("calls", `${name}: alarm`);
      return super.alarm(...args);
    }
  };
}

/** The same namespace, whose stubs count their calls. */
function watchedNamespace(name, namespace) {
  return new Proxy(namespace, {
    get(target, key) {
      const value = Reflect.get(target, key);
      if (typeof value !== "function") return value;
      return (...args) => {
        const made = value.apply(target, args);
        return key === "get" || key === "getByName" ? watchedStub(name, made) : made;
      };
    },
  });
}

function watchedStub(name, stub) {
  return new Proxy(stub, {
    get(target, key) {
      if (key === "then") return undefined;
      const value = Reflect.get(target, key);
      if (typeof value !== "function") return value;
      return (...args) => {
        note("calls", `${name}: ${String(key)}`);
        // Not `apply`: of what a stub has, that would be the name of one more call.
        return target[key](...args);
      };
    },
  });
}

function watchedQueue(name, queue) {
  return new Proxy(queue, {
    get(target, key) {
      const value = Reflect.get(target, key);
      if (typeof value !== "function") return value;
      return (...args) => {
        if (key === "send") note("queue sends", name);
        if (key === "sendBatch") note("queue sends", `${name} (batch)`);
        return value.apply(target, args);
      };
    },
  });
}

/** The same database; a batch is one round trip of several statements. */
function watchDatabase(database) {
  const prototype = Object.getPrototypeOf(database.prepare("SELECT 1"));
  for (const method of ["run", "all", "raw", "first"]) {
    wrap(prototype, method, (statement, original, args) => {
      note("D1 statements", firstWords(statement.statement));
      note("D1 round trips", "single");
      return original.apply(statement, args);
    });
  }
  wrap(Object.getPrototypeOf(database), "batch", (self, batch, args) => {
    for (const { statement } of args[0]) note("D1 statements", firstWords(statement));
    note("D1 round trips", "batch");
    return batch.apply(self, args);
  });
}

let known = null;

/** What is built of an environment is kept by its identity, so that there is one of these. */
function watchedEnv(env) {
  if (known !== null) return known;
  watchDatabase(env.DB);
  known = { ...env };
  for (const [name, value] of Object.entries(env)) {
    if (typeof value?.getByName === "function") known[name] = watchedNamespace(name, value);
    if (typeof value?.sendBatch === "function") known[name] = watchedQueue(name, value);
  }
  for (const method of ["log", "warn", "error"]) {
    wrap(console, method, (self, log, args) => {
      note("log lines", /"event":"([a-z_]+)"/.exec(String(args[0]))?.[1] ?? method);
      return log.apply(self, args);
    });
  }
  return known;
}

const ofEnv = (Class) =>
  class extends Class {
    constructor(context, env) {
      super(context, watchedEnv(env));
    }
  };

const Batch = ofEnv(watched("BATCH", BatchObject));
const Endpoint = ofEnv(watched("ENDPOINT", EndpointObject));
const Limits = ofEnv(watched("LIMITS", LimitsObject));
const Memory = ofEnv(watched("MEMORY", MemoryObject));
const Meter = ofEnv(watched("METER", MeterObject));
const Offender = ofEnv(watched("OFFENDER", OffenderObject));
const Pool = ofEnv(watched("POOL", PoolObject));
const Task = ofEnv(watched("TASK", TaskObject));

export {
  Batch as BatchObject,
  Endpoint as EndpointObject,
  Limits as LimitsObject,
  Memory as MemoryObject,
  Meter as MeterObject,
  Offender as OffenderObject,
  Pool as PoolObject,
  Task as TaskObject,
};

/** What was counted since the last time. */
function takeCounts() {
  for (const { name, cursor } of cursors) {
    note("rows read", name, cursor.rowsRead);
    note("rows written", name, cursor.rowsWritten);
  }
  const taken = counts;
  counts = {};
  cursors = [];
  return Response.json(taken);
}

// oxlint-disable-next-line import/no-default-export -- a Worker is one.
export default {
  fetch(request, env, context) {
    if (new URL(request.url).pathname === "/counts") return takeCounts();
    note("requests", "HTTP");
    return worker.fetch(request, watchedEnv(env), context);
  },
  queue(batch, env, context) {
    note("queue batches", batch.queue);
    note("queue messages", batch.queue, batch.messages.length);
    return worker.queue(batch, watchedEnv(env), context);
  },
  scheduled: (event, env, context) => worker.scheduled(event, watchedEnv(env), context),
};
