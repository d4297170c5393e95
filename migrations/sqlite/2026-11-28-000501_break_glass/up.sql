-- Seeing before the opening that sealed entries exist, by two persons.

CREATE TABLE break_glasses (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version INTEGER NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (length(state) <= 16),
    lot_id TEXT NOT NULL CHECK (length(lot_id) <= 64),
    org_id TEXT NOT NULL CHECK (length(org_id) <= 64),
    user_id TEXT NOT NULL CHECK (length(user_id) <= 64),
    matter TEXT NOT NULL CHECK (length(matter) <= 64),
    until_at INTEGER NOT NULL,
    body TEXT NOT NULL CHECK (length(body) <= 65536),
    FOREIGN KEY (lot_id) REFERENCES lots (id),
    FOREIGN KEY (user_id) REFERENCES users (id),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
) STRICT;
CREATE INDEX break_glasses_org ON break_glasses (org_id, id);
CREATE TRIGGER break_glasses_guard_insert BEFORE INSERT ON break_glasses BEGIN
    SELECT RAISE(ABORT, 'break_glasses: a new row is version 1 and needs its audit entry first')
    WHERE NEW.version <> 1 OR EXISTS (SELECT 1 FROM break_glasses WHERE id = NEW.id)
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER break_glasses_guard_update BEFORE UPDATE ON break_glasses BEGIN
    SELECT RAISE(ABORT, 'break_glasses: a change is the next version and needs its audit entry first')
    WHERE NEW.id <> OLD.id OR NEW.version <> OLD.version + 1
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER break_glasses_guard_delete BEFORE DELETE ON break_glasses BEGIN
    SELECT RAISE(ABORT, 'break_glasses: nothing on record is deleted');
END;
