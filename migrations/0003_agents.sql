-- Executors that finish what they have and get no more: 1 while one does.
ALTER TABLE agent ADD COLUMN is_draining INTEGER NOT NULL DEFAULT 0;
