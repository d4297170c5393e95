-- When the bytes of an upload are read again, and which of them were found damaged.

ALTER TABLE uploads ADD COLUMN read_due_at INTEGER NOT NULL DEFAULT 0;
CREATE INDEX uploads_read_due ON uploads (state, read_due_at);

CREATE TABLE damages (
    upload_id TEXT NOT NULL PRIMARY KEY REFERENCES uploads (id) ON DELETE CASCADE CHECK (length(upload_id) <= 64),
    found_at INTEGER NOT NULL,
    leaves_lost INTEGER NOT NULL CHECK (leaves_lost IN (0, 1)),
    chunks TEXT NOT NULL CHECK (length(chunks) <= 262144)
) STRICT;
