-- The audit entries, the queue of what the log has still to cover, and what the ledger keeps beside them.

CREATE TABLE audit_entry (
    entry_id TEXT NOT NULL PRIMARY KEY CHECK (length(entry_id) <= 64),
    stream TEXT NOT NULL CHECK (length(stream) <= 64),
    rev INTEGER NOT NULL,
    prev BLOB,
    kind TEXT NOT NULL CHECK (length(kind) <= 64),
    lot_id TEXT CHECK (length(lot_id) <= 64),
    project_id TEXT CHECK (length(project_id) <= 64),
    org_id TEXT CHECK (length(org_id) <= 64),
    actor_id TEXT CHECK (length(actor_id) <= 64),
    at_ms INTEGER NOT NULL,
    sealed INTEGER NOT NULL CHECK (sealed IN (0, 1)),
    c BLOB NOT NULL,
    h_p BLOB NOT NULL,
    h_c BLOB NOT NULL,
    h_i BLOB NOT NULL,
    s_p BLOB NOT NULL,
    part_p TEXT NOT NULL CHECK (length(part_p) <= 65536),
    s_c BLOB NOT NULL,
    part_c TEXT NOT NULL CHECK (length(part_c) <= 1048576),
    UNIQUE (stream, rev),
    UNIQUE (c)
) STRICT;
CREATE INDEX audit_entry_time ON audit_entry (at_ms, entry_id);
CREATE INDEX audit_entry_lot ON audit_entry (lot_id, at_ms, entry_id);
CREATE INDEX audit_entry_project ON audit_entry (project_id, at_ms, entry_id);
CREATE INDEX audit_entry_org ON audit_entry (org_id, at_ms, entry_id);
CREATE INDEX audit_entry_actor ON audit_entry (actor_id, at_ms, entry_id);
CREATE INDEX audit_entry_kind ON audit_entry (kind, at_ms, entry_id);
CREATE TRIGGER audit_entry_append_insert BEFORE INSERT ON audit_entry WHEN EXISTS (SELECT 1 FROM audit_entry WHERE entry_id = NEW.entry_id) BEGIN
    SELECT RAISE(ABORT, 'audit_entry: entries are never written over');
END;
CREATE TRIGGER audit_entry_append_update BEFORE UPDATE ON audit_entry BEGIN
    SELECT RAISE(ABORT, 'audit_entry: entries are never changed');
END;
CREATE TRIGGER audit_entry_append_delete BEFORE DELETE ON audit_entry BEGIN
    SELECT RAISE(ABORT, 'audit_entry: entries are never deleted');
END;

CREATE TABLE audit_personal (
    entry_id TEXT NOT NULL PRIMARY KEY CHECK (length(entry_id) <= 64),
    s_i BLOB NOT NULL,
    part_i TEXT NOT NULL CHECK (length(part_i) <= 65536),
    FOREIGN KEY (entry_id) REFERENCES audit_entry (entry_id)
) STRICT;
CREATE TRIGGER audit_personal_append_insert BEFORE INSERT ON audit_personal WHEN EXISTS (SELECT 1 FROM audit_personal WHERE entry_id = NEW.entry_id) BEGIN
    SELECT RAISE(ABORT, 'audit_personal: entries are never written over');
END;
CREATE TRIGGER audit_personal_append_update BEFORE UPDATE ON audit_personal BEGIN
    SELECT RAISE(ABORT, 'audit_personal: entries are never changed');
END;

CREATE TABLE audit_pending (
    entry_id TEXT NOT NULL PRIMARY KEY CHECK (length(entry_id) <= 64),
    c BLOB NOT NULL,
    FOREIGN KEY (entry_id) REFERENCES audit_entry (entry_id)
) STRICT;

CREATE TABLE idempotency (
    principal TEXT NOT NULL CHECK (length(principal) <= 64),
    key TEXT NOT NULL CHECK (length(key) <= 128),
    request_hash BLOB NOT NULL,
    answer TEXT NOT NULL CHECK (length(answer) <= 1048576),
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (principal, key)
) STRICT;
CREATE INDEX idempotency_age ON idempotency (at_ms);

CREATE TABLE outbox (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    dedup TEXT NOT NULL CHECK (length(dedup) <= 200),
    recipient TEXT NOT NULL CHECK (length(recipient) <= 320),
    subject TEXT NOT NULL CHECK (length(subject) <= 400),
    body TEXT NOT NULL CHECK (length(body) <= 65536),
    sealed INTEGER NOT NULL CHECK (sealed IN (0, 1)),
    state TEXT NOT NULL CHECK (length(state) <= 16),
    attempts INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    lease_until INTEGER NOT NULL,
    last_error TEXT CHECK (length(last_error) <= 1000),
    lot_id TEXT CHECK (length(lot_id) <= 64),
    created_at INTEGER NOT NULL,
    sent_at INTEGER,
    UNIQUE (dedup)
) STRICT;
CREATE INDEX outbox_due ON outbox (state, next_at);

CREATE TABLE meta (
    name TEXT NOT NULL PRIMARY KEY CHECK (length(name) <= 64),
    value TEXT NOT NULL CHECK (length(value) <= 4096)
) STRICT;

CREATE TABLE leases (
    name TEXT NOT NULL PRIMARY KEY CHECK (length(name) <= 64),
    holder TEXT NOT NULL CHECK (length(holder) <= 64),
    until_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE instances (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    started_at INTEGER NOT NULL,
    beat_at INTEGER NOT NULL,
    inflight_since INTEGER,
    clock_offset_ms INTEGER NOT NULL
) STRICT;
