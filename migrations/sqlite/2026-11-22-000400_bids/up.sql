-- Sealed bids: the keys they are sealed to, uploads, headers, refusals.

CREATE TABLE key_sets (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version INTEGER NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (length(state) <= 16),
    kid TEXT NOT NULL CHECK (length(kid) <= 64),
    lot_id TEXT NOT NULL CHECK (length(lot_id) <= 64),
    body TEXT NOT NULL CHECK (length(body) <= 262144),
    UNIQUE (kid),
    UNIQUE (lot_id),
    FOREIGN KEY (lot_id) REFERENCES lots (id),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
) STRICT;
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

CREATE TABLE key_secrets (
    kid TEXT NOT NULL PRIMARY KEY CHECK (length(kid) <= 64),
    wrapped BLOB NOT NULL
) STRICT;

CREATE TABLE uploads (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    org_id TEXT NOT NULL CHECK (length(org_id) <= 64),
    lot_id TEXT CHECK (length(lot_id) <= 64),
    purpose TEXT NOT NULL CHECK (length(purpose) <= 16),
    size_bytes INTEGER NOT NULL,
    chunk_bytes INTEGER NOT NULL,
    root TEXT NOT NULL CHECK (length(root) <= 64),
    state TEXT NOT NULL CHECK (length(state) <= 16),
    attached_to TEXT CHECK (length(attached_to) <= 64),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX uploads_expiry ON uploads (state, expires_at);
CREATE INDEX uploads_org ON uploads (org_id);

CREATE TABLE bids (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version INTEGER NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (length(state) <= 32),
    kind TEXT NOT NULL CHECK (length(kind) <= 16),
    lot_id TEXT NOT NULL CHECK (length(lot_id) <= 64),
    org_id TEXT NOT NULL CHECK (length(org_id) <= 64),
    rev INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    body TEXT NOT NULL CHECK (length(body) <= 262144),
    UNIQUE (lot_id, org_id),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
) STRICT;
CREATE TRIGGER bids_guard_insert BEFORE INSERT ON bids BEGIN
    SELECT RAISE(ABORT, 'bids: a new row is version 1 and needs its audit entry first')
    WHERE NEW.version <> 1 OR EXISTS (SELECT 1 FROM bids WHERE id = NEW.id)
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER bids_guard_update BEFORE UPDATE ON bids BEGIN
    SELECT RAISE(ABORT, 'bids: a change is the next version and needs its audit entry first')
    WHERE NEW.id <> OLD.id OR NEW.version <> OLD.version + 1
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER bids_guard_delete BEFORE DELETE ON bids BEGIN
    SELECT RAISE(ABORT, 'bids: nothing on record is deleted');
END;

CREATE TABLE bid_envelopes (
    owner_id TEXT NOT NULL CHECK (length(owner_id) <= 64),
    owner_version INTEGER NOT NULL,
    envelope_id TEXT NOT NULL PRIMARY KEY CHECK (length(envelope_id) <= 64),
    lot_id TEXT NOT NULL CHECK (length(lot_id) <= 64),
    org_id TEXT NOT NULL CHECK (length(org_id) <= 64),
    part TEXT NOT NULL CHECK (length(part) <= 16),
    upload_id TEXT NOT NULL CHECK (length(upload_id) <= 64),
    enc TEXT NOT NULL CHECK (length(enc) <= 200),
    header TEXT NOT NULL CHECK (length(header) <= 65536),
    UNIQUE (enc),
    FOREIGN KEY (owner_id, owner_version) REFERENCES audit_entry (stream, rev)
) STRICT;
CREATE INDEX bid_envelopes_owner ON bid_envelopes (owner_id, owner_version);
CREATE TRIGGER bid_envelopes_append_insert BEFORE INSERT ON bid_envelopes WHEN EXISTS (SELECT 1 FROM bid_envelopes WHERE envelope_id = NEW.envelope_id) BEGIN
    SELECT RAISE(ABORT, 'bid_envelopes: entries are never written over');
END;
CREATE TRIGGER bid_envelopes_append_update BEFORE UPDATE ON bid_envelopes BEGIN
    SELECT RAISE(ABORT, 'bid_envelopes: entries are never changed');
END;
CREATE TRIGGER bid_envelopes_append_delete BEFORE DELETE ON bid_envelopes BEGIN
    SELECT RAISE(ABORT, 'bid_envelopes: entries are never deleted');
END;

CREATE TABLE refusals (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version INTEGER NOT NULL CHECK (version >= 1),
    lot_id TEXT NOT NULL CHECK (length(lot_id) <= 64),
    org_id TEXT NOT NULL CHECK (length(org_id) <= 64),
    code TEXT NOT NULL CHECK (length(code) <= 64),
    header_sha256 TEXT NOT NULL CHECK (length(header_sha256) <= 64),
    received_at INTEGER NOT NULL,
    body TEXT NOT NULL CHECK (length(body) <= 262144),
    UNIQUE (header_sha256),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
) STRICT;
CREATE INDEX refusals_org ON refusals (org_id, lot_id);
CREATE TRIGGER refusals_guard_insert BEFORE INSERT ON refusals BEGIN
    SELECT RAISE(ABORT, 'refusals: a new row is version 1 and needs its audit entry first')
    WHERE NEW.version <> 1 OR EXISTS (SELECT 1 FROM refusals WHERE id = NEW.id)
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER refusals_guard_update BEFORE UPDATE ON refusals BEGIN
    SELECT RAISE(ABORT, 'refusals: a change is the next version and needs its audit entry first')
    WHERE NEW.id <> OLD.id OR NEW.version <> OLD.version + 1
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER refusals_guard_delete BEFORE DELETE ON refusals BEGIN
    SELECT RAISE(ABORT, 'refusals: nothing on record is deleted');
END;
