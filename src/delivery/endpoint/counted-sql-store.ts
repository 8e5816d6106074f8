/** Counts the rows that an object's statements write, as they are billed: index entries and schema included. */
export class CountedSql {
  /** The object's own SQL; what is executed through it is counted. */
  readonly sql: SqlStorage;
  #rows = 0;

  constructor(sql: SqlStorage) {
    const exec: SqlStorage["exec"] = (query, ...bindings) => {
      const cursor = sql.exec<never>(query, ...bindings);
      // A statement has written all that it writes once it has given its first row.
      this.#rows += cursor.rowsWritten;
      return cursor;
    };
    this.sql = new Proxy(sql, {
      get: (target, name) => (name === "exec" ? exec : Reflect.get(target, name, target)),
    });
  }

  /** Rows since the last call. */
  take(): number {
    const rows = this.#rows;
    this.#rows = 0;
    return rows;
  }
}
