-- Erasure of the personal parts of entries.

CREATE TABLE erasures (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version INTEGER NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (length(state) <= 16),
    subject_id TEXT NOT NULL CHECK (length(subject_id) <= 64),
    before_at INTEGER NOT NULL,
    body TEXT NOT NULL CHECK (length(body) <= 65536),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
) STRICT;
CREATE INDEX erasures_state ON erasures (state, id);
CREATE TRIGGER erasures_guard_insert BEFORE INSERT ON erasures BEGIN
    SELECT RAISE(ABORT, 'erasures: a new row is version 1 and needs its audit entry first')
    WHERE NEW.version <> 1 OR EXISTS (SELECT 1 FROM erasures WHERE id = NEW.id)
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER erasures_guard_update BEFORE UPDATE ON erasures BEGIN
    SELECT RAISE(ABORT, 'erasures: a change is the next version and needs its audit entry first')
    WHERE NEW.id <> OLD.id OR NEW.version <> OLD.version + 1
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER erasures_guard_delete BEFORE DELETE ON erasures BEGIN
    SELECT RAISE(ABORT, 'erasures: nothing on record is deleted');
END;
