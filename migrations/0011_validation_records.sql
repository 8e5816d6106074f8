-- What was checked of messages, sampled. The id begins with the time: its order is that of arrival.
CREATE TABLE validation_record (
  record_id TEXT PRIMARY KEY,
  tenant TEXT NOT NULL,
  outcome TEXT NOT NULL,
  route TEXT NOT NULL,
  code TEXT,
  weight INTEGER NOT NULL,
  record TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX validation_record_by_tenant ON validation_record (tenant, record_id);
