-- What inspectors may look into.

CREATE TABLE mandates (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version INTEGER NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (length(state) <= 16),
    user_id TEXT NOT NULL CHECK (length(user_id) <= 64),
    matter TEXT NOT NULL CHECK (length(matter) <= 64),
    from_at INTEGER NOT NULL,
    until_at INTEGER NOT NULL CHECK (until_at > from_at),
    body TEXT NOT NULL CHECK (length(body) <= 262144),
    FOREIGN KEY (user_id) REFERENCES users (id),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
) STRICT;
CREATE INDEX mandates_user ON mandates (user_id, matter);
CREATE TRIGGER mandates_guard_insert BEFORE INSERT ON mandates BEGIN
    SELECT RAISE(ABORT, 'mandates: a new row is version 1 and needs its audit entry first')
    WHERE NEW.version <> 1 OR EXISTS (SELECT 1 FROM mandates WHERE id = NEW.id)
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER mandates_guard_update BEFORE UPDATE ON mandates BEGIN
    SELECT RAISE(ABORT, 'mandates: a change is the next version and needs its audit entry first')
    WHERE NEW.id <> OLD.id OR NEW.version <> OLD.version + 1
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER mandates_guard_delete BEFORE DELETE ON mandates BEGIN
    SELECT RAISE(ABORT, 'mandates: nothing on record is deleted');
END;
