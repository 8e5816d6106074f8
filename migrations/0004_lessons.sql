-- What executors learned, one row each. `words` is the text for searching: ' retry the parser '.
-- No FTS5: a database with virtual tables can't be exported (developers.cloudflare.com/d1, Import and export data).
CREATE TABLE lesson (
  tenant TEXT NOT NULL,
  created_at TEXT NOT NULL,
  lesson_id TEXT NOT NULL,
  task_id TEXT NOT NULL,
  task_type TEXT NOT NULL,
  agent_id TEXT,
  text TEXT NOT NULL,
  words TEXT NOT NULL,
  PRIMARY KEY (tenant, created_at, lesson_id)
) WITHOUT ROWID;

-- Where the sweeper goes on; written when it could not look at everything in one run.
CREATE TABLE sweep_cursor (
  name TEXT PRIMARY KEY,
  cursor TEXT NOT NULL
) WITHOUT ROWID;
