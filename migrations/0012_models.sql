-- Models that tenants have registered. `registration` is JSON without its key; `api_key` is sealed.
CREATE TABLE model (
  tenant TEXT NOT NULL,
  model_id TEXT NOT NULL,
  registration TEXT NOT NULL,
  api_key TEXT,
  updated_at TEXT NOT NULL,
  PRIMARY KEY (tenant, model_id)
) WITHOUT ROWID;
