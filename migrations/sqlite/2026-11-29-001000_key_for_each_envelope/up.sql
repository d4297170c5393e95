-- Two envelopes under bidders' own keys: a version of a bid has one key of its bidder for each round of openings.

ALTER TABLE bidder_keys RENAME TO bidder_keys_before;
CREATE TABLE bidder_keys (
    owner_id TEXT NOT NULL CHECK (length(owner_id) <= 64),
    owner_version INTEGER NOT NULL,
    kid TEXT NOT NULL CHECK (length(kid) <= 64),
    body TEXT NOT NULL CHECK (length(body) <= 65536),
    round INTEGER NOT NULL CHECK (round IN (1, 2)),
    PRIMARY KEY (owner_id, owner_version, round),
    FOREIGN KEY (owner_id, owner_version) REFERENCES audit_entry (stream, rev)
) STRICT;
INSERT INTO bidder_keys (owner_id, owner_version, kid, body, round) SELECT owner_id, owner_version, kid, body, 1 FROM bidder_keys_before;
DROP TABLE bidder_keys_before;
CREATE TRIGGER bidder_keys_append_insert BEFORE INSERT ON bidder_keys WHEN EXISTS (SELECT 1 FROM bidder_keys WHERE owner_id = NEW.owner_id AND owner_version = NEW.owner_version AND round = NEW.round) BEGIN
    SELECT RAISE(ABORT, 'bidder_keys: entries are never written over');
END;
CREATE TRIGGER bidder_keys_append_update BEFORE UPDATE ON bidder_keys BEGIN
    SELECT RAISE(ABORT, 'bidder_keys: entries are never changed');
END;
CREATE TRIGGER bidder_keys_append_delete BEFORE DELETE ON bidder_keys BEGIN
    SELECT RAISE(ABORT, 'bidder_keys: entries are never deleted');
END;
