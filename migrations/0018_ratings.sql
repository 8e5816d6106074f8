-- How people judge the results of tasks: the newest word on each. `counted` is the score as it is in the roll-up.
CREATE TABLE task_rating (
  tenant TEXT NOT NULL,
  task_id TEXT NOT NULL,
  score REAL NOT NULL,
  counted INTEGER NOT NULL,
  comment TEXT,
  rated_by TEXT NOT NULL,
  rated_at TEXT NOT NULL,
  PRIMARY KEY (tenant, task_id)
) WITHOUT ROWID;
