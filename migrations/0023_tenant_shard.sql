-- In which database the history of a tenant is, by the name of its binding. Only where there is more than one.
CREATE TABLE tenant_shard (
  tenant TEXT NOT NULL PRIMARY KEY,
  shard TEXT NOT NULL
) WITHOUT ROWID;

-- Which databases are needed is asked at every look at how it goes: a scan would read all tenants.
CREATE INDEX tenant_shard_by_shard ON tenant_shard (shard);
