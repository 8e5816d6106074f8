-- A rotated key keeps its id: the new secret takes the place of the old one, which counts until `former_until`.
ALTER TABLE api_key ADD COLUMN former_hash TEXT;
ALTER TABLE api_key ADD COLUMN former_until TEXT;
ALTER TABLE api_key ADD COLUMN rotated_at TEXT;
-- Written once an hour at most.
ALTER TABLE api_key ADD COLUMN last_used_at TEXT;
CREATE UNIQUE INDEX api_key_by_former ON api_key (former_hash);
