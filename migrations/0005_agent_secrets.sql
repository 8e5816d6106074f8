-- The secret that a rotation replaced, sealed, and the instant until which it still counts.
ALTER TABLE agent ADD COLUMN former_secret TEXT;
ALTER TABLE agent ADD COLUMN former_until TEXT;
