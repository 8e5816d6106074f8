import { storedBookSchema, type StoredBook } from "./meter-book.ts";

/** Stores the figures of a tenant in its object: one row, so that each storing costs one. */
export class MeterStore {
  readonly #sql: SqlStorage;
  #hasTable: boolean;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    const found = sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'book'").toArray();
    this.#hasTable = found.length > 0;
  }

  /** Null while nothing was stored. */
  read(): StoredBook | null {
    if (!this.#hasTable) return null;
    const [row] = this.#sql.exec<{ value: string }>("SELECT value FROM book").toArray();
    return row === undefined ? null : storedBookSchema.parse(JSON.parse(row.value));
  }

  write(value: string): void {
    if (!this.#hasTable) {
      this.#sql.exec(
        "CREATE TABLE IF NOT EXISTS book (id INTEGER PRIMARY KEY, value TEXT NOT NULL)",
      );
      this.#hasTable = true;
    }
    this.#sql.exec("INSERT OR REPLACE INTO book (id, value) VALUES (1, ?)", value);
  }
}
