/** A Batuta whose clock can be put forward, and whose state can be looked into: `clock-worker.mjs` from outside. */
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { ADMIN_KEY } from "../servers.mjs";
import { Caller } from "./caller.mjs";
import { Heap } from "./heap.mjs";

/** Objects of one call. */
const NAMES_AT_ONCE = 500;

/** What a call of so many objects may take, milliseconds. */
const WITHIN_MS = 120_000;

/** The crons of wrangler.toml: the one that sweeps. */
const SWEEP = "*/5 * * * *";

/** Memory is looked at so often and this far apart, milliseconds: what counts is the least. */
const LOOKS = 4;
const LOOK_EVERY_MS = 300;

/** Days that an installation keeps things in these runs: the least that can be set. */
const KEPT = {
  TASK_RETENTION_DAYS: "1",
  HISTORY_RETENTION_DAYS: "30",
  WEBHOOK_RETENTION_DAYS: "7",
};

/** One that is started for a run. */
export class ClockedBatuta {
  aheadMs = 0;
  #server;
  #heap;
  #caller;

  static async start(workshop) {
    const main = path.join(import.meta.dirname, "../clock-worker.mjs");
    const server = await workshop.startWorker(main, { variables: KEPT, isInspected: true });
    return new ClockedBatuta(server, await Heap.of(server));
  }

  constructor(server, heap) {
    this.#server = server;
    this.#heap = heap;
    this.url = server.url;
    this.#caller = new Caller(server.url, ADMIN_KEY, { withinMs: WITHIN_MS });
  }

  get server() {
    return this.#server;
  }

  /** The instant on its clock, epoch milliseconds. */
  now() {
    return Date.now() + this.aheadMs;
  }

  /**
   * Puts the clock forward.
   *
   * @param {[string, string[]][]} objects by the name of their binding, those whose alarms are to notice
   */
  async forward(by_ms, objects) {
    await this.#caller.call("POST", "/clock/forward", { by_ms });
    this.aheadMs += by_ms;
    for (const [binding, names] of objects) {
      for (const part of parts(names)) {
        // oxlint-disable-next-line no-await-in-loop
        await this.#caller.call("POST", "/clock/rearm", { binding, names: part, by_ms });
      }
    }
  }

  /** What objects of one binding store, added up: `objects`, `alarms`, `bytes`, and `rows` by table. */
  async census(binding, names) {
    const sum = { objects: 0, alarms: 0, bytes: 0, rows: 0 };
    for (const part of parts(names)) {
      // oxlint-disable-next-line no-await-in-loop
      const of = await this.#caller.call("POST", "/clock/census", { binding, names: part });
      sum.objects += of.objects;
      sum.alarms += of.alarms;
      sum.bytes += of.bytes;
      sum.rows += Object.values(of.rows).reduce((all, count) => all + count, 0);
    }
    return sum;
  }

  /** One round of what the platform's cron starts. */
  sweep() {
    return this.#caller.call("POST", "/clock/cron", { cron: SWEEP });
  }

  /** Rows of each table of D1 that has any. */
  async tables() {
    const database = await this.#server.database();
    const { results } = await database
      .prepare(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'",
      )
      .all();
    const rows = {};
    for (const { name } of results) {
      // oxlint-disable-next-line no-await-in-loop
      const count = await database
        .prepare(`SELECT count(*) AS count FROM "${name}"`)
        .first("count");
      if (count > 0) rows[name] = count;
    }
    return rows;
  }

  /** Bytes that its process has in memory when it does nothing; null where there is no /proc. */
  async memoryBytes() {
    let least = null;
    for (let look = 0; look < LOOKS; look += 1) {
      // oxlint-disable-next-line no-await-in-loop
      await sleep(LOOK_EVERY_MS);
      const bytes = this.#server.memoryBytes();
      if (bytes !== null) least = Math.min(least ?? bytes, bytes);
    }
    return least;
  }

  /** Bytes that JavaScript really uses: those of its isolate after everything unused was collected; null if nobody says. */
  heapBytes() {
    return this.#heap.bytes();
  }

  /** Bytes on the disk of all that it stores. */
  stateBytes() {
    return this.#server.stateBytes();
  }

  async stop() {
    this.#heap.close();
    this.#caller.close();
    await this.#server.stop();
  }
}

function parts(names) {
  const count = Math.ceil(names.length / NAMES_AT_ONCE);
  return Array.from({ length: count }, (_, index) =>
    names.slice(index * NAMES_AT_ONCE, (index + 1) * NAMES_AT_ONCE),
  );
}
