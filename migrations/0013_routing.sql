-- What the choice of models has learned, and every choice with all that it was made from.

-- Rewards of an arm in a (task type, band); task type '*' pools them all. Both sums forget, by `seen`.
CREATE TABLE routing_cell (
  tenant TEXT NOT NULL,
  task_type TEXT NOT NULL,
  band TEXT NOT NULL,
  model_id TEXT NOT NULL,
  weight REAL NOT NULL,
  total REAL NOT NULL,
  updates INTEGER NOT NULL,
  seen INTEGER NOT NULL,
  PRIMARY KEY (tenant, task_type, band, model_id)
) WITHOUT ROWID;

-- How a model does a task type: plain sums over all time, and [latency_s, cost_usd] of the last 50 runs.
CREATE TABLE model_statistic (
  tenant TEXT NOT NULL,
  task_type TEXT NOT NULL,
  model_id TEXT NOT NULL,
  runs INTEGER NOT NULL,
  judged INTEGER NOT NULL,
  successes INTEGER NOT NULL,
  faults INTEGER NOT NULL,
  qualities INTEGER NOT NULL,
  quality_sum REAL NOT NULL,
  latency_sum_s REAL NOT NULL,
  cost_usd REAL NOT NULL,
  tokens INTEGER NOT NULL,
  recent TEXT NOT NULL,
  PRIMARY KEY (tenant, task_type, model_id)
) WITHOUT ROWID;

-- `rank` says whose word the reward is, -1 nobody's yet; the ticks are those of its cell and its parent when it came.
CREATE TABLE routing_decision (
  tenant TEXT NOT NULL,
  decision_id TEXT NOT NULL,
  task_id TEXT NOT NULL,
  task_type TEXT NOT NULL,
  band TEXT NOT NULL,
  model_id TEXT,
  created_at TEXT NOT NULL,
  record TEXT NOT NULL,
  is_probe INTEGER NOT NULL,
  is_counted INTEGER NOT NULL DEFAULT 0,
  rank INTEGER NOT NULL DEFAULT -1,
  source TEXT,
  reward REAL,
  is_success INTEGER,
  cell_tick INTEGER,
  parent_tick INTEGER,
  settled_at TEXT,
  verdict TEXT,
  PRIMARY KEY (tenant, decision_id)
) WITHOUT ROWID;
CREATE INDEX routing_decision_by_task ON routing_decision (tenant, task_id, created_at, decision_id);
CREATE INDEX routing_decision_by_creation ON routing_decision (created_at);

-- Models that failed to answer; a row goes when one answers again.
CREATE TABLE routing_breaker (
  tenant TEXT NOT NULL,
  model_id TEXT NOT NULL,
  failures INTEGER NOT NULL,
  pause_ms INTEGER,
  probe_at INTEGER NOT NULL,
  failed_at INTEGER NOT NULL,
  version INTEGER NOT NULL,
  PRIMARY KEY (tenant, model_id)
) WITHOUT ROWID;
