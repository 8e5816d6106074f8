-- Rules that watch figures, and objectives, as tenants have put them. JSON without the id.
CREATE TABLE alert_rule (
  tenant TEXT NOT NULL,
  rule_id TEXT NOT NULL,
  rule TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  PRIMARY KEY (tenant, rule_id)
) WITHOUT ROWID;
CREATE TABLE objective (
  tenant TEXT NOT NULL,
  slo_id TEXT NOT NULL,
  objective TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  PRIMARY KEY (tenant, slo_id)
) WITHOUT ROWID;

-- How far a rule has come with what it is about: only of rules that are bad, or were just now.
CREATE TABLE alert_watch (
  tenant TEXT NOT NULL,
  rule_id TEXT NOT NULL,
  subject TEXT NOT NULL,
  watch TEXT NOT NULL,
  PRIMARY KEY (tenant, rule_id, subject)
) WITHOUT ROWID;

CREATE TABLE alert (
  tenant TEXT NOT NULL,
  alert_id TEXT NOT NULL,
  rule_id TEXT NOT NULL,
  subject TEXT NOT NULL,
  severity TEXT NOT NULL,
  state TEXT NOT NULL,
  title TEXT NOT NULL,
  detail TEXT NOT NULL,
  evidence TEXT NOT NULL,
  pending_since TEXT NOT NULL,
  fired_at TEXT NOT NULL,
  resolved_at TEXT,
  acknowledged_at TEXT,
  acknowledged_by TEXT,
  note TEXT,
  silenced_by TEXT,
  -- JSON list of channels.
  told TEXT NOT NULL,
  -- fired, resolved or both: what has still to be told of it.
  untold TEXT,
  PRIMARY KEY (tenant, alert_id)
) WITHOUT ROWID;
CREATE INDEX alert_by_time ON alert (tenant, fired_at, alert_id);
-- A rule and what it is about have one alert that fires, whoever judges at the same time.
CREATE UNIQUE INDEX alert_firing ON alert (tenant, rule_id, subject) WHERE state = 'firing';
CREATE INDEX alert_untold ON alert (tenant, fired_at) WHERE untold IS NOT NULL;
-- What is forgotten in time, of all tenants.
CREATE INDEX alert_by_end ON alert (resolved_at) WHERE state = 'resolved';

CREATE TABLE silence (
  tenant TEXT NOT NULL,
  silence_id TEXT NOT NULL,
  rule_id TEXT,
  max_severity TEXT NOT NULL,
  reason TEXT NOT NULL,
  created_at TEXT NOT NULL,
  created_by TEXT NOT NULL,
  ends_at TEXT NOT NULL,
  PRIMARY KEY (tenant, silence_id)
) WITHOUT ROWID;
