-- When a server last said that it is ready, when it stopped in order, and the times in which none was ready.

ALTER TABLE instances ADD COLUMN ready_at INTEGER;
ALTER TABLE instances ADD COLUMN stopped_at INTEGER;

CREATE TABLE outages (
    owner_id TEXT NOT NULL PRIMARY KEY CHECK (length(owner_id) <= 64),
    owner_version INTEGER NOT NULL,
    from_at INTEGER NOT NULL,
    until_at INTEGER NOT NULL CHECK (until_at >= from_at),
    FOREIGN KEY (owner_id, owner_version) REFERENCES audit_entry (stream, rev)
) STRICT;
CREATE INDEX outages_until ON outages (until_at);
CREATE TRIGGER outages_append_insert BEFORE INSERT ON outages WHEN EXISTS (SELECT 1 FROM outages WHERE owner_id = NEW.owner_id) BEGIN
    SELECT RAISE(ABORT, 'outages: entries are never written over');
END;
CREATE TRIGGER outages_append_update BEFORE UPDATE ON outages BEGIN
    SELECT RAISE(ABORT, 'outages: entries are never changed');
END;
CREATE TRIGGER outages_append_delete BEFORE DELETE ON outages BEGIN
    SELECT RAISE(ABORT, 'outages: entries are never deleted');
END;
