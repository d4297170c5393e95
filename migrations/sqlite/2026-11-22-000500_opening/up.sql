-- The opening: session, outcomes, objections; then evaluation and award.

CREATE TABLE openings (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version INTEGER NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (length(state) <= 16),
    lot_id TEXT NOT NULL CHECK (length(lot_id) <= 64),
    body TEXT NOT NULL CHECK (length(body) <= 262144),
    UNIQUE (lot_id),
    FOREIGN KEY (lot_id) REFERENCES lots (id),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
) STRICT;
CREATE TRIGGER openings_guard_insert BEFORE INSERT ON openings BEGIN
    SELECT RAISE(ABORT, 'openings: a new row is version 1 and needs its audit entry first')
    WHERE NEW.version <> 1 OR EXISTS (SELECT 1 FROM openings WHERE id = NEW.id)
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER openings_guard_update BEFORE UPDATE ON openings BEGIN
    SELECT RAISE(ABORT, 'openings: a change is the next version and needs its audit entry first')
    WHERE NEW.id <> OLD.id OR NEW.version <> OLD.version + 1
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER openings_guard_delete BEFORE DELETE ON openings BEGIN
    SELECT RAISE(ABORT, 'openings: nothing on record is deleted');
END;

CREATE TABLE unsealings (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version INTEGER NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (length(state) <= 16),
    lot_id TEXT NOT NULL CHECK (length(lot_id) <= 64),
    bid_id TEXT NOT NULL CHECK (length(bid_id) <= 64),
    envelope_id TEXT NOT NULL CHECK (length(envelope_id) <= 64),
    part TEXT NOT NULL CHECK (length(part) <= 16),
    body TEXT NOT NULL CHECK (length(body) <= 262144),
    UNIQUE (envelope_id),
    FOREIGN KEY (lot_id) REFERENCES lots (id),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
) STRICT;
CREATE INDEX unsealings_lot ON unsealings (lot_id);
CREATE TRIGGER unsealings_guard_insert BEFORE INSERT ON unsealings BEGIN
    SELECT RAISE(ABORT, 'unsealings: a new row is version 1 and needs its audit entry first')
    WHERE NEW.version <> 1 OR EXISTS (SELECT 1 FROM unsealings WHERE id = NEW.id)
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER unsealings_guard_update BEFORE UPDATE ON unsealings BEGIN
    SELECT RAISE(ABORT, 'unsealings: a change is the next version and needs its audit entry first')
    WHERE NEW.id <> OLD.id OR NEW.version <> OLD.version + 1
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER unsealings_guard_delete BEFORE DELETE ON unsealings BEGIN
    SELECT RAISE(ABORT, 'unsealings: nothing on record is deleted');
END;

CREATE TABLE objections (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version INTEGER NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (length(state) <= 16),
    kind TEXT NOT NULL CHECK (length(kind) <= 16),
    lot_id TEXT NOT NULL CHECK (length(lot_id) <= 64),
    org_id TEXT NOT NULL CHECK (length(org_id) <= 64),
    body TEXT NOT NULL CHECK (length(body) <= 262144),
    FOREIGN KEY (lot_id) REFERENCES lots (id),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
) STRICT;
CREATE INDEX objections_lot ON objections (lot_id);
CREATE TRIGGER objections_guard_insert BEFORE INSERT ON objections BEGIN
    SELECT RAISE(ABORT, 'objections: a new row is version 1 and needs its audit entry first')
    WHERE NEW.version <> 1 OR EXISTS (SELECT 1 FROM objections WHERE id = NEW.id)
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER objections_guard_update BEFORE UPDATE ON objections BEGIN
    SELECT RAISE(ABORT, 'objections: a change is the next version and needs its audit entry first')
    WHERE NEW.id <> OLD.id OR NEW.version <> OLD.version + 1
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER objections_guard_delete BEFORE DELETE ON objections BEGIN
    SELECT RAISE(ABORT, 'objections: nothing on record is deleted');
END;

CREATE TABLE evaluations (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version INTEGER NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (length(state) <= 16),
    lot_id TEXT NOT NULL CHECK (length(lot_id) <= 64),
    bid_id TEXT NOT NULL CHECK (length(bid_id) <= 64),
    body TEXT NOT NULL CHECK (length(body) <= 262144),
    UNIQUE (bid_id),
    FOREIGN KEY (lot_id) REFERENCES lots (id),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
) STRICT;
CREATE INDEX evaluations_lot ON evaluations (lot_id);
CREATE TRIGGER evaluations_guard_insert BEFORE INSERT ON evaluations BEGIN
    SELECT RAISE(ABORT, 'evaluations: a new row is version 1 and needs its audit entry first')
    WHERE NEW.version <> 1 OR EXISTS (SELECT 1 FROM evaluations WHERE id = NEW.id)
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER evaluations_guard_update BEFORE UPDATE ON evaluations BEGIN
    SELECT RAISE(ABORT, 'evaluations: a change is the next version and needs its audit entry first')
    WHERE NEW.id <> OLD.id OR NEW.version <> OLD.version + 1
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER evaluations_guard_delete BEFORE DELETE ON evaluations BEGIN
    SELECT RAISE(ABORT, 'evaluations: nothing on record is deleted');
END;

CREATE TABLE reports (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version INTEGER NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (length(state) <= 16),
    lot_id TEXT NOT NULL CHECK (length(lot_id) <= 64),
    body TEXT NOT NULL CHECK (length(body) <= 262144),
    UNIQUE (lot_id),
    FOREIGN KEY (lot_id) REFERENCES lots (id),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
) STRICT;
CREATE TRIGGER reports_guard_insert BEFORE INSERT ON reports BEGIN
    SELECT RAISE(ABORT, 'reports: a new row is version 1 and needs its audit entry first')
    WHERE NEW.version <> 1 OR EXISTS (SELECT 1 FROM reports WHERE id = NEW.id)
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER reports_guard_update BEFORE UPDATE ON reports BEGIN
    SELECT RAISE(ABORT, 'reports: a change is the next version and needs its audit entry first')
    WHERE NEW.id <> OLD.id OR NEW.version <> OLD.version + 1
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER reports_guard_delete BEFORE DELETE ON reports BEGIN
    SELECT RAISE(ABORT, 'reports: nothing on record is deleted');
END;
