-- Read model and registries. Every hot query has its index; each index is a row written, so there are few.

CREATE TABLE api_key (
  key_hash TEXT PRIMARY KEY,
  key_id TEXT NOT NULL,
  tenant TEXT NOT NULL,
  name TEXT NOT NULL,
  scopes TEXT NOT NULL,
  created_at TEXT NOT NULL,
  expires_at TEXT
) WITHOUT ROWID;
CREATE UNIQUE INDEX api_key_by_tenant ON api_key (tenant, key_id);

CREATE TABLE agent (
  tenant TEXT NOT NULL,
  agent_id TEXT NOT NULL,
  registration TEXT NOT NULL,
  secret TEXT NOT NULL,
  key_id TEXT,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  PRIMARY KEY (tenant, agent_id)
) WITHOUT ROWID;

CREATE TABLE webhook (
  tenant TEXT NOT NULL,
  webhook_id TEXT NOT NULL,
  registration TEXT NOT NULL,
  secrets TEXT NOT NULL,
  state TEXT NOT NULL,
  version INTEGER NOT NULL,
  created_at TEXT NOT NULL,
  deleted_at TEXT,
  PRIMARY KEY (tenant, webhook_id)
) WITHOUT ROWID;

-- One row for each notification type that an endpoint wants: fan-out looks up, it never scans.
CREATE TABLE webhook_subscription (
  tenant TEXT NOT NULL,
  type TEXT NOT NULL,
  webhook_id TEXT NOT NULL,
  PRIMARY KEY (tenant, type, webhook_id)
) WITHOUT ROWID;

CREATE TABLE callback_secret (
  tenant TEXT PRIMARY KEY,
  secrets TEXT NOT NULL
) WITHOUT ROWID;

-- `events` holds the events 1 to `events_to`: all of a common task, so that news of it cost one row.
CREATE TABLE task (
  tenant TEXT NOT NULL,
  task_id TEXT NOT NULL,
  created_at TEXT NOT NULL,
  seq INTEGER NOT NULL,
  status TEXT NOT NULL,
  phase TEXT NOT NULL,
  task_type TEXT NOT NULL,
  priority TEXT NOT NULL,
  agent_id TEXT,
  tags TEXT NOT NULL,
  events_to INTEGER NOT NULL,
  view TEXT NOT NULL,
  bulk TEXT,
  events TEXT NOT NULL,
  PRIMARY KEY (tenant, task_id)
) WITHOUT ROWID;
CREATE INDEX task_by_creation ON task (tenant, created_at, task_id);
-- Completed tasks are most of them and are found by creation; all others are few and found by status.
CREATE INDEX task_by_status ON task (tenant, status, created_at, task_id) WHERE status <> 'completed';

-- Runs of consecutive events that task.events does not hold: it was full, or they came out of order.
CREATE TABLE task_log (
  tenant TEXT NOT NULL,
  task_id TEXT NOT NULL,
  first_seq INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  events TEXT NOT NULL,
  PRIMARY KEY (tenant, task_id, first_seq)
) WITHOUT ROWID;

CREATE TABLE escalation (
  tenant TEXT NOT NULL,
  escalation_id TEXT NOT NULL,
  created_at TEXT NOT NULL,
  seq INTEGER NOT NULL,
  state TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (tenant, escalation_id)
) WITHOUT ROWID;
CREATE INDEX escalation_by_creation ON escalation (tenant, created_at, escalation_id);
CREATE INDEX escalation_by_state ON escalation (tenant, state, created_at, escalation_id);

CREATE TABLE dead_letter (
  id TEXT PRIMARY KEY,
  received_at TEXT NOT NULL,
  queue TEXT NOT NULL,
  reason TEXT NOT NULL,
  body TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX dead_letter_by_arrival ON dead_letter (received_at, id);
