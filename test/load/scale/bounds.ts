/* What the platform and Batuta itself can do at most. */

/**
 * What the platform gives (facts/platform.md, section in brackets). Of a range the lower end, because nobody here has
 * measured the upper one.
 */
export const PLATFORM = {
  /** Calls a second of an object that writes (§4: soft limit 1,000, 200 to 500 with writes). */
  callsOfObject: 200,
  /** Messages a second of a queue (§4). */
  messagesOfQueue: 5_000,
  /** Consumers of a queue at one time (§4). */
  consumersOfQueue: 250,
  /** Messages of a batch (§4). */
  messagesOfBatch: 100,
  /** Bytes of a database, not raisable (§4: 10 GB). */
  bytesOfDatabase: 10e9,
  /** Queries a second of a database at a millisecond each: it has one thread (§4). */
  queriesOfDatabase: 1_000,
  /** Statements of an invocation (§4). */
  statementsOfRun: 1_000,
  /** Bindings of a Worker (§4). */
  bindings: 5_000,
  /** Dollars for a gigabyte of D1 for a month, and gigabytes included (§4). */
  databaseGigabyteMonth: 0.75,
  databaseGigabytesIncluded: 5,
} as const;

/** What Batuta's own bounds are: constants of src, by their file. */
export const OWN = {
  /** Requests in flight of an endpoint's object (src/delivery/endpoint/courier.ts, README: Shards). */
  slotsOfEndpoint: 6,
  shardsOfEndpoint: 16,
  /**
   * Tasks that one run removes (src/history/retention.ts: 20 pages of 250), for how long a sweep goes on with further runs
   * (src/services-sweep.ts), and sweeps of a day: every five minutes. What a run takes is assumed: 25 groups, each some
   * statements and a file, 15 s.
   */
  removedOfRun: 5_000,
  removalSeconds: 200,
  removalSecondsOfRun: 15,
  sweepsOfDay: 288,
  /** Rows of removed tasks that a sweep looks at (src/history/forgetting.ts: 40 pages of 10,000); each has its turn once a day. */
  rememberedOfRun: 400_000,
  /**
   * Days that a removed task is remembered at least beside one day of history, the least there is: nothing of it is with an
   * endpoint then (src/config.ts). And days for which its row is kept behind those (src/history/removed.ts).
   */
  leastRemovedDays: 7,
  marginOfRemovedDays: 14,
  /** Folds of one run (src/history/rollup-fold.ts); each tenant has one for every hour. */
  foldsOfRun: 100,
  foldsOfTenantDay: 24,
  /** Tenants that alerts are judged for in a minute (src/observe/alerts/sweep.ts). */
  judgedOfMinute: 100,
  /**
   * Times that one sweep asks every database: tasks, retention, folds of minutes and of hours, debts; and where the forgetting
   * of removed tasks stands there, before and after.
   */
  statementsOfSweepByDatabase: 7,
  /** Statements that a sweep needs beside those: its groups, pages and cursors, and 90 of that forgetting. */
  statementsOfSweep: 540,
  /** Seconds between two tellings of an isolate: figures (src/services-meter.ts), leases of limits (limit-lease.ts). */
  tellingSeconds: 5,
  /** Classes of operations that an isolate holds leases of (src/access/limit-policy.ts). */
  leaseClasses: 4,
  /** Statements a minute in DB for each tenant: its minute of figures and the judging of its alerts. */
  statementsOfTenantMinute: 9,
} as const;
