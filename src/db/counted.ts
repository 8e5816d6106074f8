/**
 * D1 with a count of the statements that were made of it: an invocation may send 1,000 (facts/platform.md §4). Those of a
 * batch count one by one, which is the most that the platform could mean.
 */
export function countedDb(real: D1Database): { db: D1Database; statements: () => number } {
  let statements = 0;
  const db: D1Database = {
    prepare(query) {
      statements += 1;
      return real.prepare(query);
    },
    batch: (list) => real.batch(list),
    exec: (query) => real.exec(query),
    withSession: (constraint) => real.withSession(constraint),
    dump: () => real.dump(),
  };
  return { db, statements: () => statements };
}
