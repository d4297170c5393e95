DROP TABLE damages;
DROP INDEX uploads_read_due;
ALTER TABLE uploads DROP COLUMN read_due_at;
