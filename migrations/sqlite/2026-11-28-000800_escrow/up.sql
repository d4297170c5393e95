-- Bidders' keys in escrow: a key set for them beside those of the rounds, and lists of shares that were made with such a key say
-- from which envelope it came.

ALTER TABLE key_sets RENAME TO key_sets_before;
CREATE TABLE key_sets (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version INTEGER NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (length(state) <= 16),
    kid TEXT NOT NULL CHECK (length(kid) <= 64),
    lot_id TEXT NOT NULL CHECK (length(lot_id) <= 64),
    body TEXT NOT NULL CHECK (length(body) <= 262144),
    round INTEGER NOT NULL CHECK (round IN (1, 2, 3)),
    UNIQUE (kid),
    UNIQUE (lot_id, round),
    FOREIGN KEY (lot_id) REFERENCES lots (id),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
) STRICT;
INSERT INTO key_sets (id, version, state, kid, lot_id, body, round) SELECT id, version, state, kid, lot_id, body, round FROM key_sets_before;
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

ALTER TABLE partial_lists ADD COLUMN escrow TEXT CHECK (length(escrow) <= 64);
