-- The audit of the whole installation: whose request it was, what kind of thing it befell, and what a list is found by.

ALTER TABLE audit ADD COLUMN subject_kind TEXT;
ALTER TABLE audit ADD COLUMN request_id TEXT;
CREATE INDEX audit_by_time ON audit (tenant, at, audit_id);
CREATE INDEX audit_by_actor ON audit (tenant, actor, at, audit_id);
CREATE INDEX audit_by_action ON audit (tenant, action, at, audit_id);
