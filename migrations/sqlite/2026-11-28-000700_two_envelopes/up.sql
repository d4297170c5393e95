-- Two envelopes: a lot has a key set and a session for each round of openings, and a bid says in which version it was sealed,
-- since passing the first envelope makes a new version of it.

ALTER TABLE key_sets RENAME TO key_sets_before;
CREATE TABLE key_sets (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version INTEGER NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (length(state) <= 16),
    kid TEXT NOT NULL CHECK (length(kid) <= 64),
    lot_id TEXT NOT NULL CHECK (length(lot_id) <= 64),
    body TEXT NOT NULL CHECK (length(body) <= 262144),
    round INTEGER NOT NULL CHECK (round IN (1, 2)),
    UNIQUE (kid),
    UNIQUE (lot_id, round),
    FOREIGN KEY (lot_id) REFERENCES lots (id),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
) STRICT;
INSERT INTO key_sets (id, version, state, kid, lot_id, body, round) SELECT id, version, state, kid, lot_id, body, 1 FROM key_sets_before;
DROP TABLE key_sets_before;
CREATE TRIGGER key_sets_guard_insert BEFORE INSERT ON key_sets BEGIN
    SELECT RAISE(ABORT, 'key_sets: a new row is version 1 and needs its audit entry first')
    WHERE NEW.version <> 1 OR EXISTS (SELECT 1 FROM key_sets WHERE id = NEW.id)
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER key_sets_guard_update BEFORE UPDATE ON key_sets BEGIN
    SELECT RAISE(ABORT, 'key_sets: a change is the next version and needs its audit entry first')
    WHERE NEW.id <> OLD.id OR NEW.version <> OLD.version + 1
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER key_sets_guard_delete BEFORE DELETE ON key_sets BEGIN
    SELECT RAISE(ABORT, 'key_sets: nothing on record is deleted');
END;

ALTER TABLE openings RENAME TO openings_before;
CREATE TABLE openings (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version INTEGER NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (length(state) <= 16),
    lot_id TEXT NOT NULL CHECK (length(lot_id) <= 64),
    body TEXT NOT NULL CHECK (length(body) <= 262144),
    round INTEGER NOT NULL CHECK (round IN (1, 2)),
    UNIQUE (lot_id, round),
    FOREIGN KEY (lot_id) REFERENCES lots (id),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
) STRICT;
INSERT INTO openings (id, version, state, lot_id, body, round) SELECT id, version, state, lot_id, body, 1 FROM openings_before;
DROP TABLE openings_before;
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

ALTER TABLE bids ADD COLUMN sealed_version INTEGER NOT NULL GENERATED ALWAYS AS (json_extract(body, '$.sealed_version')) VIRTUAL;
