import * as z from "zod";

import type { PerClass } from "../protocol/limits.ts";
import { parseStored } from "../protocol/stored.ts";
import {
  DEFAULT_SETTING,
  settingSchema,
  type LimitKeeping,
  type Setting,
} from "./limit-setting.ts";

/*
 * One table of names and JSON, made when something is first stored: `setting` is what is set and what became of it;
 * `window/<principal>` what a busy principal has used of its window.
 */

const count = z.number();
const storedWindowSchema = z.object({
  started_at: z.number(),
  used: z.object({ execute: count, notify: count, status: count, admin: count }),
});

interface Row extends Record<string, SqlStorageValue> {
  name: string;
  value: string;
}

const WINDOW = "window/";

/** Windows that ended so long ago are removed when the object wakes. */
const STALE_MS = 86_400_000;

/** Stores in the object of the tenant. */
export class LimitStore implements LimitKeeping {
  readonly #sql: SqlStorage;
  #hasTable: boolean;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    const found = sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'kept'").toArray();
    this.#hasTable = found.length > 0;
  }

  setting(): Setting {
    const [row] = this.#rows("name = 'setting'");
    return row === undefined ? DEFAULT_SETTING : parseStored(settingSchema, JSON.parse(row.value));
  }

  writeSetting(setting: Setting): void {
    this.#write("setting", setting);
  }

  windows(now: number): Map<string, { started_at: number; used: PerClass }> {
    const rows = this.#rows("name <> 'setting'");
    const windows = rows.map(({ name, value }) => ({
      name,
      window: storedWindowSchema.parse(JSON.parse(value)),
    }));
    for (const { name, window } of windows) {
      if (now > window.started_at + STALE_MS) {
        this.#sql.exec("DELETE FROM kept WHERE name = ?", name);
      }
    }
    return new Map(windows.map(({ name, window }) => [name.slice(WINDOW.length), window]));
  }

  writeWindow(principal: string, window: { started_at: number; used: PerClass }): void {
    this.#write(WINDOW + principal, { started_at: window.started_at, used: window.used });
  }

  #rows(condition: "name = 'setting'" | "name <> 'setting'"): Row[] {
    if (!this.#hasTable) return [];
    return this.#sql.exec<Row>(`SELECT name, value FROM kept WHERE ${condition}`).toArray();
  }

  #write(name: string, value: unknown): void {
    if (!this.#hasTable) {
      // Without a rowid the key is the table itself: one row written for each row.
      this.#sql.exec(
        "CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
      );
      this.#hasTable = true;
    }
    const text = JSON.stringify(value);
    this.#sql.exec("INSERT OR REPLACE INTO kept (name, value) VALUES (?, ?)", name, text);
  }
}
