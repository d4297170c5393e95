-- The audit entries, the queue of what the log has still to cover, and what the ledger keeps beside them.

CREATE FUNCTION guard_subject() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR TG_OP = 'TRUNCATE' THEN
        RAISE EXCEPTION '%: nothing on record is deleted', TG_TABLE_NAME;
    END IF;
    IF TG_OP = 'INSERT' AND NEW.version <> 1 THEN
        RAISE EXCEPTION '%: a new row is version 1 and needs its audit entry first', TG_TABLE_NAME;
    END IF;
    IF TG_OP = 'UPDATE' AND (NEW.id <> OLD.id OR NEW.version <> OLD.version + 1) THEN
        RAISE EXCEPTION '%: a change is the next version and needs its audit entry first', TG_TABLE_NAME;
    END IF;
    IF NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version) THEN
        RAISE EXCEPTION '%: a change needs its audit entry first', TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION guard_append() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%: entries are never changed or deleted', TG_TABLE_NAME;
END $$;

CREATE TABLE audit_entry (
    entry_id TEXT NOT NULL PRIMARY KEY CHECK (length(entry_id) <= 64),
    stream TEXT NOT NULL CHECK (length(stream) <= 64),
    rev BIGINT NOT NULL,
    prev BYTEA,
    kind TEXT NOT NULL CHECK (length(kind) <= 64),
    lot_id TEXT CHECK (length(lot_id) <= 64),
    project_id TEXT CHECK (length(project_id) <= 64),
    org_id TEXT CHECK (length(org_id) <= 64),
    actor_id TEXT CHECK (length(actor_id) <= 64),
    at_ms BIGINT NOT NULL,
    sealed BOOLEAN NOT NULL,
    c BYTEA NOT NULL,
    h_p BYTEA NOT NULL,
    h_c BYTEA NOT NULL,
    h_i BYTEA NOT NULL,
    s_p BYTEA NOT NULL,
    part_p TEXT NOT NULL CHECK (length(part_p) <= 65536),
    s_c BYTEA NOT NULL,
    part_c TEXT NOT NULL CHECK (length(part_c) <= 1048576),
    UNIQUE (stream, rev),
    UNIQUE (c)
);
CREATE INDEX audit_entry_time ON audit_entry (at_ms, entry_id);
CREATE INDEX audit_entry_lot ON audit_entry (lot_id, at_ms, entry_id);
CREATE INDEX audit_entry_project ON audit_entry (project_id, at_ms, entry_id);
CREATE INDEX audit_entry_org ON audit_entry (org_id, at_ms, entry_id);
CREATE INDEX audit_entry_actor ON audit_entry (actor_id, at_ms, entry_id);
CREATE INDEX audit_entry_kind ON audit_entry (kind, at_ms, entry_id);
CREATE TRIGGER audit_entry_append BEFORE UPDATE OR DELETE ON audit_entry FOR EACH ROW EXECUTE FUNCTION guard_append();
CREATE TRIGGER audit_entry_append_truncate BEFORE TRUNCATE ON audit_entry FOR EACH STATEMENT EXECUTE FUNCTION guard_append();
ALTER TABLE audit_entry ENABLE ALWAYS TRIGGER audit_entry_append, ENABLE ALWAYS TRIGGER audit_entry_append_truncate;

CREATE TABLE audit_personal (
    entry_id TEXT NOT NULL PRIMARY KEY CHECK (length(entry_id) <= 64),
    s_i BYTEA NOT NULL,
    part_i TEXT NOT NULL CHECK (length(part_i) <= 65536),
    FOREIGN KEY (entry_id) REFERENCES audit_entry (entry_id)
);
CREATE TRIGGER audit_personal_append BEFORE UPDATE ON audit_personal FOR EACH ROW EXECUTE FUNCTION guard_append();
CREATE TRIGGER audit_personal_append_truncate BEFORE TRUNCATE ON audit_personal FOR EACH STATEMENT EXECUTE FUNCTION guard_append();
ALTER TABLE audit_personal ENABLE ALWAYS TRIGGER audit_personal_append, ENABLE ALWAYS TRIGGER audit_personal_append_truncate;

CREATE TABLE audit_pending (
    entry_id TEXT NOT NULL PRIMARY KEY CHECK (length(entry_id) <= 64),
    c BYTEA NOT NULL,
    FOREIGN KEY (entry_id) REFERENCES audit_entry (entry_id)
);

CREATE TABLE idempotency (
    principal TEXT NOT NULL CHECK (length(principal) <= 64),
    key TEXT NOT NULL CHECK (length(key) <= 128),
    request_hash BYTEA NOT NULL,
    answer TEXT NOT NULL CHECK (length(answer) <= 1048576),
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (principal, key)
);
CREATE INDEX idempotency_age ON idempotency (at_ms);

CREATE TABLE outbox (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    dedup TEXT NOT NULL CHECK (length(dedup) <= 200),
    recipient TEXT NOT NULL CHECK (length(recipient) <= 320),
    subject TEXT NOT NULL CHECK (length(subject) <= 400),
    body TEXT NOT NULL CHECK (length(body) <= 65536),
    sealed BOOLEAN NOT NULL,
    state TEXT NOT NULL CHECK (length(state) <= 16),
    attempts BIGINT NOT NULL,
    next_at BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    last_error TEXT CHECK (length(last_error) <= 1000),
    lot_id TEXT CHECK (length(lot_id) <= 64),
    created_at BIGINT NOT NULL,
    sent_at BIGINT,
    UNIQUE (dedup)
);
CREATE INDEX outbox_due ON outbox (state, next_at);

CREATE TABLE meta (
    name TEXT NOT NULL PRIMARY KEY CHECK (length(name) <= 64),
    value TEXT NOT NULL CHECK (length(value) <= 4096)
);

CREATE TABLE leases (
    name TEXT NOT NULL PRIMARY KEY CHECK (length(name) <= 64),
    holder TEXT NOT NULL CHECK (length(holder) <= 64),
    until_ms BIGINT NOT NULL
);

CREATE TABLE instances (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    started_at BIGINT NOT NULL,
    beat_at BIGINT NOT NULL,
    inflight_since BIGINT,
    clock_offset_ms BIGINT NOT NULL
);
