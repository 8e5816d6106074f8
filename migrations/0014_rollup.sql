-- Figures of tasks, added up by history in the transaction that writes what they count. Wide, so that a step of time,
-- task type and executor is one row, whatever happens in it.
CREATE TABLE task_rollup (
  tenant TEXT NOT NULL,
  -- Seconds that the row stands for: 60, 3600 or 86400; their negative: the same time of all executors together; 0: the
  -- total of all that was folded.
  step INTEGER NOT NULL,
  -- Start of them in epoch seconds; 0 of a total.
  bucket INTEGER NOT NULL,
  task_type TEXT NOT NULL,
  -- Empty where there is none.
  agent_id TEXT NOT NULL,
  -- Durations in milliseconds and by bucket, money in billionths of a dollar, scores in millionths.
  created INTEGER NOT NULL DEFAULT 0,
  completed INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  cancelled INTEGER NOT NULL DEFAULT 0,
  escalated INTEGER NOT NULL DEFAULT 0,
  duration_ms INTEGER NOT NULL DEFAULT 0,
  duration_0 INTEGER NOT NULL DEFAULT 0,
  duration_1 INTEGER NOT NULL DEFAULT 0,
  duration_2 INTEGER NOT NULL DEFAULT 0,
  duration_3 INTEGER NOT NULL DEFAULT 0,
  duration_4 INTEGER NOT NULL DEFAULT 0,
  duration_5 INTEGER NOT NULL DEFAULT 0,
  duration_6 INTEGER NOT NULL DEFAULT 0,
  duration_7 INTEGER NOT NULL DEFAULT 0,
  duration_8 INTEGER NOT NULL DEFAULT 0,
  duration_9 INTEGER NOT NULL DEFAULT 0,
  duration_10 INTEGER NOT NULL DEFAULT 0,
  duration_11 INTEGER NOT NULL DEFAULT 0,
  duration_12 INTEGER NOT NULL DEFAULT 0,
  duration_13 INTEGER NOT NULL DEFAULT 0,
  cost_nano_usd INTEGER NOT NULL DEFAULT 0,
  tokens INTEGER NOT NULL DEFAULT 0,
  quality_sum INTEGER NOT NULL DEFAULT 0,
  quality_count INTEGER NOT NULL DEFAULT 0,
  rating_sum INTEGER NOT NULL DEFAULT 0,
  rating_count INTEGER NOT NULL DEFAULT 0,
  retries INTEGER NOT NULL DEFAULT 0,
  escalations INTEGER NOT NULL DEFAULT 0,
  task_started INTEGER NOT NULL DEFAULT 0,
  task_progress INTEGER NOT NULL DEFAULT 0,
  task_completed INTEGER NOT NULL DEFAULT 0,
  task_failed INTEGER NOT NULL DEFAULT 0,
  task_escalated INTEGER NOT NULL DEFAULT 0,
  agent_end_task INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant, step, bucket, task_type, agent_id)
) WITHOUT ROWID;
