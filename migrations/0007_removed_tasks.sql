-- Tasks that were removed when their retention was over. Their ids stay taken, and whoever asks is told what became of them.
CREATE TABLE removed_task (
  tenant TEXT NOT NULL,
  task_id TEXT NOT NULL,
  ended_at TEXT NOT NULL,
  removed_at TEXT NOT NULL,
  agent_id TEXT,
  body_hash TEXT,
  outcome TEXT NOT NULL,
  archive_key TEXT,
  archive_offset INTEGER,
  archive_length INTEGER,
  PRIMARY KEY (tenant, task_id)
) WITHOUT ROWID;

-- By which the same request is known again when the task's object is empty.
ALTER TABLE task ADD COLUMN body_hash TEXT;
