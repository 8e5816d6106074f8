-- What the breaker, the challenge, selective subscriptions, the audit and the sweep need.

ALTER TABLE webhook ADD COLUMN level INTEGER NOT NULL DEFAULT 0;
ALTER TABLE webhook ADD COLUMN is_verified INTEGER NOT NULL DEFAULT 1;
ALTER TABLE webhook ADD COLUMN routing TEXT NOT NULL DEFAULT '[]';

-- `facet` is what a notification must show for the row to be found; '*' is found by all, and filters decide then.
CREATE TABLE webhook_subscription_by_facet (
  tenant TEXT NOT NULL,
  type TEXT NOT NULL,
  facet TEXT NOT NULL,
  webhook_id TEXT NOT NULL,
  PRIMARY KEY (tenant, type, facet, webhook_id)
) WITHOUT ROWID;
INSERT INTO webhook_subscription_by_facet SELECT tenant, type, '*', webhook_id FROM webhook_subscription;
DROP TABLE webhook_subscription;
ALTER TABLE webhook_subscription_by_facet RENAME TO webhook_subscription;

CREATE TABLE audit (
  tenant TEXT NOT NULL,
  subject TEXT NOT NULL,
  at TEXT NOT NULL,
  audit_id TEXT NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  detail TEXT NOT NULL,
  PRIMARY KEY (tenant, subject, at, audit_id)
) WITHOUT ROWID;
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'audit rows are never changed'); END;
CREATE TRIGGER audit_is_never_removed BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'audit rows are never removed'); END;
-- REPLACE removes a row without a DELETE trigger (sqlite.org/lang_conflict.html): the row that is there stays.
CREATE TRIGGER audit_is_never_replaced BEFORE INSERT ON audit
WHEN EXISTS (
  SELECT 1 FROM audit
  WHERE tenant = NEW.tenant AND subject = NEW.subject AND at = NEW.at AND audit_id = NEW.audit_id
)
BEGIN SELECT RAISE(IGNORE); END;

CREATE TABLE endpoint_sweep (
  name TEXT PRIMARY KEY,
  due INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX endpoint_sweep_by_due ON endpoint_sweep (due);
