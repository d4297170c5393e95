DROP TABLE outages;
ALTER TABLE instances DROP COLUMN ready_at;
ALTER TABLE instances DROP COLUMN stopped_at;
