-- Technical figures of each tenant by minute, hour and day; the tenant '' is the installation itself. One row for all
-- series of a step, as JSON, routes and methods together, written once by the tenant's MeterObject.
CREATE TABLE meter_minute (
  tenant TEXT NOT NULL,
  -- Seconds that the row stands for: 60, 3600 or 86400.
  step INTEGER NOT NULL,
  -- Start of them in epoch seconds.
  bucket INTEGER NOT NULL,
  tally TEXT NOT NULL,
  PRIMARY KEY (tenant, step, bucket)
) WITHOUT ROWID;
