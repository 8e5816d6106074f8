-- Where alerts go. `channel` is JSON of its settings without its secret, which is its endpoint's: `webhook_id` is the row
-- of `webhook` that carries it.
CREATE TABLE alert_channel (
  tenant TEXT NOT NULL,
  channel_id TEXT NOT NULL,
  webhook_id TEXT NOT NULL,
  channel TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  PRIMARY KEY (tenant, channel_id)
) WITHOUT ROWID;
