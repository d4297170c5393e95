-- Custodians, their ceremonies, and what they and bidders give when a box opens.

CREATE TABLE custodians (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version INTEGER NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (length(state) <= 16),
    user_id TEXT NOT NULL CHECK (length(user_id) <= 64),
    org_id TEXT NOT NULL CHECK (length(org_id) <= 64),
    sign_kid TEXT NOT NULL CHECK (length(sign_kid) <= 64),
    kem TEXT NOT NULL CHECK (length(kem) <= 64),
    UNIQUE (user_id),
    FOREIGN KEY (user_id) REFERENCES users (id),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
) STRICT;
CREATE TRIGGER custodians_guard_insert BEFORE INSERT ON custodians BEGIN
    SELECT RAISE(ABORT, 'custodians: a new row is version 1 and needs its audit entry first')
    WHERE NEW.version <> 1 OR EXISTS (SELECT 1 FROM custodians WHERE id = NEW.id)
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER custodians_guard_update BEFORE UPDATE ON custodians BEGIN
    SELECT RAISE(ABORT, 'custodians: a change is the next version and needs its audit entry first')
    WHERE NEW.id <> OLD.id OR NEW.version <> OLD.version + 1
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER custodians_guard_delete BEFORE DELETE ON custodians BEGIN
    SELECT RAISE(ABORT, 'custodians: nothing on record is deleted');
END;

CREATE TABLE ceremonies (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version INTEGER NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (length(state) <= 16),
    lot_id TEXT NOT NULL CHECK (length(lot_id) <= 64),
    digest TEXT NOT NULL CHECK (length(digest) <= 64),
    expires_at INTEGER NOT NULL,
    body TEXT NOT NULL CHECK (length(body) <= 262144),
    UNIQUE (digest),
    FOREIGN KEY (lot_id) REFERENCES lots (id),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
) STRICT;
CREATE INDEX ceremonies_lot ON ceremonies (lot_id);
CREATE INDEX ceremonies_state ON ceremonies (state, expires_at);
CREATE TRIGGER ceremonies_guard_insert BEFORE INSERT ON ceremonies BEGIN
    SELECT RAISE(ABORT, 'ceremonies: a new row is version 1 and needs its audit entry first')
    WHERE NEW.version <> 1 OR EXISTS (SELECT 1 FROM ceremonies WHERE id = NEW.id)
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER ceremonies_guard_update BEFORE UPDATE ON ceremonies BEGIN
    SELECT RAISE(ABORT, 'ceremonies: a change is the next version and needs its audit entry first')
    WHERE NEW.id <> OLD.id OR NEW.version <> OLD.version + 1
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER ceremonies_guard_delete BEFORE DELETE ON ceremonies BEGIN
    SELECT RAISE(ABORT, 'ceremonies: nothing on record is deleted');
END;

CREATE TABLE ceremony_messages (
    owner_id TEXT NOT NULL CHECK (length(owner_id) <= 64),
    owner_version INTEGER NOT NULL,
    step TEXT NOT NULL CHECK (length(step) <= 16),
    member INTEGER NOT NULL,
    body TEXT NOT NULL CHECK (length(body) <= 65536),
    PRIMARY KEY (owner_id, step, member),
    FOREIGN KEY (owner_id, owner_version) REFERENCES audit_entry (stream, rev)
) STRICT;
CREATE TRIGGER ceremony_messages_append_insert BEFORE INSERT ON ceremony_messages WHEN EXISTS (SELECT 1 FROM ceremony_messages WHERE owner_id = NEW.owner_id AND step = NEW.step AND member = NEW.member) BEGIN
    SELECT RAISE(ABORT, 'ceremony_messages: entries are never written over');
END;
CREATE TRIGGER ceremony_messages_append_update BEFORE UPDATE ON ceremony_messages BEGIN
    SELECT RAISE(ABORT, 'ceremony_messages: entries are never changed');
END;
CREATE TRIGGER ceremony_messages_append_delete BEFORE DELETE ON ceremony_messages BEGIN
    SELECT RAISE(ABORT, 'ceremony_messages: entries are never deleted');
END;

CREATE TABLE share_backups (
    owner_id TEXT NOT NULL CHECK (length(owner_id) <= 64),
    owner_version INTEGER NOT NULL,
    member INTEGER NOT NULL,
    body TEXT NOT NULL CHECK (length(body) <= 65536),
    PRIMARY KEY (owner_id, member),
    FOREIGN KEY (owner_id, owner_version) REFERENCES audit_entry (stream, rev)
) STRICT;
CREATE TRIGGER share_backups_append_insert BEFORE INSERT ON share_backups WHEN EXISTS (SELECT 1 FROM share_backups WHERE owner_id = NEW.owner_id AND member = NEW.member) BEGIN
    SELECT RAISE(ABORT, 'share_backups: entries are never written over');
END;
CREATE TRIGGER share_backups_append_update BEFORE UPDATE ON share_backups BEGIN
    SELECT RAISE(ABORT, 'share_backups: entries are never changed');
END;
CREATE TRIGGER share_backups_append_delete BEFORE DELETE ON share_backups BEGIN
    SELECT RAISE(ABORT, 'share_backups: entries are never deleted');
END;

CREATE TABLE bidder_keys (
    owner_id TEXT NOT NULL CHECK (length(owner_id) <= 64),
    owner_version INTEGER NOT NULL,
    kid TEXT NOT NULL CHECK (length(kid) <= 64),
    body TEXT NOT NULL CHECK (length(body) <= 65536),
    PRIMARY KEY (owner_id, owner_version),
    FOREIGN KEY (owner_id, owner_version) REFERENCES audit_entry (stream, rev)
) STRICT;
CREATE TRIGGER bidder_keys_append_insert BEFORE INSERT ON bidder_keys WHEN EXISTS (SELECT 1 FROM bidder_keys WHERE owner_id = NEW.owner_id AND owner_version = NEW.owner_version) BEGIN
    SELECT RAISE(ABORT, 'bidder_keys: entries are never written over');
END;
CREATE TRIGGER bidder_keys_append_update BEFORE UPDATE ON bidder_keys BEGIN
    SELECT RAISE(ABORT, 'bidder_keys: entries are never changed');
END;
CREATE TRIGGER bidder_keys_append_delete BEFORE DELETE ON bidder_keys BEGIN
    SELECT RAISE(ABORT, 'bidder_keys: entries are never deleted');
END;

CREATE TABLE snapshots (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version INTEGER NOT NULL CHECK (version >= 1),
    lot_id TEXT NOT NULL CHECK (length(lot_id) <= 64),
    kid TEXT NOT NULL CHECK (length(kid) <= 64),
    root TEXT NOT NULL CHECK (length(root) <= 64),
    body TEXT NOT NULL CHECK (length(body) <= 65536),
    UNIQUE (kid),
    FOREIGN KEY (lot_id) REFERENCES lots (id),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
) STRICT;
CREATE INDEX snapshots_lot ON snapshots (lot_id);
CREATE TRIGGER snapshots_guard_insert BEFORE INSERT ON snapshots BEGIN
    SELECT RAISE(ABORT, 'snapshots: a new row is version 1 and needs its audit entry first')
    WHERE NEW.version <> 1 OR EXISTS (SELECT 1 FROM snapshots WHERE id = NEW.id)
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER snapshots_guard_update BEFORE UPDATE ON snapshots BEGIN
    SELECT RAISE(ABORT, 'snapshots: a change is the next version and needs its audit entry first')
    WHERE NEW.id <> OLD.id OR NEW.version <> OLD.version + 1
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER snapshots_guard_delete BEFORE DELETE ON snapshots BEGIN
    SELECT RAISE(ABORT, 'snapshots: nothing on record is deleted');
END;

CREATE TABLE partial_lists (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version INTEGER NOT NULL CHECK (version >= 1),
    lot_id TEXT NOT NULL CHECK (length(lot_id) <= 64),
    kid TEXT NOT NULL CHECK (length(kid) <= 64),
    member INTEGER NOT NULL,
    digest TEXT NOT NULL CHECK (length(digest) <= 64),
    body TEXT NOT NULL CHECK (length(body) <= 262144),
    UNIQUE (digest),
    FOREIGN KEY (lot_id) REFERENCES lots (id),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
) STRICT;
CREATE INDEX partial_lists_lot ON partial_lists (lot_id, kid, member);
CREATE TRIGGER partial_lists_guard_insert BEFORE INSERT ON partial_lists BEGIN
    SELECT RAISE(ABORT, 'partial_lists: a new row is version 1 and needs its audit entry first')
    WHERE NEW.version <> 1 OR EXISTS (SELECT 1 FROM partial_lists WHERE id = NEW.id)
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER partial_lists_guard_update BEFORE UPDATE ON partial_lists BEGIN
    SELECT RAISE(ABORT, 'partial_lists: a change is the next version and needs its audit entry first')
    WHERE NEW.id <> OLD.id OR NEW.version <> OLD.version + 1
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER partial_lists_guard_delete BEFORE DELETE ON partial_lists BEGIN
    SELECT RAISE(ABORT, 'partial_lists: nothing on record is deleted');
END;

CREATE TABLE partials (
    owner_id TEXT NOT NULL CHECK (length(owner_id) <= 64),
    owner_version INTEGER NOT NULL,
    envelope_id TEXT NOT NULL CHECK (length(envelope_id) <= 64),
    slot INTEGER NOT NULL,
    member INTEGER NOT NULL,
    d TEXT NOT NULL CHECK (length(d) <= 64),
    proof TEXT NOT NULL CHECK (length(proof) <= 128),
    PRIMARY KEY (envelope_id, slot, member),
    FOREIGN KEY (owner_id, owner_version) REFERENCES audit_entry (stream, rev)
) STRICT;
CREATE TRIGGER partials_append_insert BEFORE INSERT ON partials WHEN EXISTS (SELECT 1 FROM partials WHERE envelope_id = NEW.envelope_id AND slot = NEW.slot AND member = NEW.member) BEGIN
    SELECT RAISE(ABORT, 'partials: entries are never written over');
END;
CREATE TRIGGER partials_append_update BEFORE UPDATE ON partials BEGIN
    SELECT RAISE(ABORT, 'partials: entries are never changed');
END;
CREATE TRIGGER partials_append_delete BEFORE DELETE ON partials BEGIN
    SELECT RAISE(ABORT, 'partials: entries are never deleted');
END;
