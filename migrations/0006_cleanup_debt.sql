-- What the ends of tasks left undone: a row only for a task that has a debt.
CREATE TABLE cleanup_debt (
  tenant TEXT NOT NULL,
  debt_id TEXT NOT NULL,
  task_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  stage TEXT,
  what TEXT NOT NULL,
  owner TEXT NOT NULL,
  state TEXT NOT NULL,
  created_at TEXT NOT NULL,
  expires_at TEXT,
  due_at TEXT NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0,
  last_tried_at TEXT,
  last_detail TEXT,
  settled_at TEXT,
  settled_by TEXT,
  PRIMARY KEY (tenant, debt_id)
) WITHOUT ROWID;
CREATE INDEX cleanup_debt_by_creation ON cleanup_debt (tenant, created_at, debt_id);
CREATE INDEX cleanup_debt_open ON cleanup_debt (tenant, created_at, debt_id) WHERE state = 'open';
-- What the sweeper looks at, of all tenants; a debt that is closed leaves it.
CREATE INDEX cleanup_debt_by_due ON cleanup_debt (due_at) WHERE state = 'open';
