/**
 * The tables of an endpoint's object.
 *
 * A delivery is inserted once and updated once per attempt; its key is its only index, because each index entry is
 * a row on the bill. `delivery_due` holds only what has failed, `delivery_replay` only what is to be sent again. The
 * body comes last: a row is read without its overflow pages.
 */
export const SCHEMA = `
CREATE TABLE endpoint (
  id INTEGER PRIMARY KEY,
  config TEXT NOT NULL,
  paused_until INTEGER NOT NULL,
  is_index_complete INTEGER NOT NULL,
  breaker TEXT,
  rate_reserved INTEGER NOT NULL,
  swept_day INTEGER NOT NULL,
  reports TEXT NOT NULL
);
CREATE TABLE delivery (
  source TEXT NOT NULL,
  seq INTEGER NOT NULL,
  position INTEGER NOT NULL,
  type TEXT NOT NULL,
  priority INTEGER NOT NULL,
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  tries INTEGER NOT NULL,
  due INTEGER,
  replay_at INTEGER,
  first_failed_at INTEGER,
  is_recovering INTEGER NOT NULL,
  batch_id TEXT,
  bytes INTEGER NOT NULL,
  prev_seq INTEGER,
  correlation_id TEXT NOT NULL,
  delivered_at INTEGER,
  last_attempt TEXT,
  body TEXT NOT NULL,
  PRIMARY KEY (source, seq)
) WITHOUT ROWID;
CREATE INDEX delivery_due ON delivery (due) WHERE due IS NOT NULL;
CREATE INDEX delivery_replay ON delivery (replay_at) WHERE replay_at IS NOT NULL;
CREATE TABLE attempt (
  source TEXT NOT NULL,
  seq INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  record TEXT NOT NULL,
  PRIMARY KEY (source, seq, attempt)
) WITHOUT ROWID;`;

/** Brings the tables of the first version up to `SCHEMA`: nobody loses what was stored then. */
export const UPGRADE = `
ALTER TABLE endpoint ADD COLUMN breaker TEXT;
ALTER TABLE endpoint ADD COLUMN rate_reserved INTEGER NOT NULL DEFAULT 0;
ALTER TABLE endpoint ADD COLUMN swept_day INTEGER NOT NULL DEFAULT 0;
ALTER TABLE endpoint ADD COLUMN reports TEXT NOT NULL DEFAULT '[]';
ALTER TABLE endpoint DROP COLUMN is_unreported;
ALTER TABLE delivery ADD COLUMN first_failed_at INTEGER;
ALTER TABLE delivery ADD COLUMN is_recovering INTEGER NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN batch_id TEXT;
ALTER TABLE delivery ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;`;

/** Batches under way or kept for reading; made when the first one is, because a table is two rows on the bill. */
export const BATCH_SCHEMA = `
CREATE TABLE IF NOT EXISTS batch (
  batch_id TEXT PRIMARY KEY,
  at TEXT NOT NULL,
  is_open INTEGER NOT NULL,
  members TEXT NOT NULL
) WITHOUT ROWID`;

/** Recoveries; made when somebody asks for the first one. */
export const RECOVERY_SCHEMA = `
CREATE TABLE IF NOT EXISTS recovery (
  recovery_id TEXT PRIMARY KEY,
  state TEXT NOT NULL,
  since INTEGER NOT NULL,
  until INTEGER NOT NULL,
  wanted TEXT NOT NULL,
  source TEXT NOT NULL,
  seq INTEGER NOT NULL,
  matched INTEGER NOT NULL,
  replayed INTEGER NOT NULL
) WITHOUT ROWID`;
