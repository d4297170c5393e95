-- Sealed bids: the keys they are sealed to, uploads, headers, refusals.

CREATE TABLE key_sets (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version BIGINT NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (length(state) <= 16),
    kid TEXT NOT NULL CHECK (length(kid) <= 64),
    lot_id TEXT NOT NULL CHECK (length(lot_id) <= 64),
    body TEXT NOT NULL CHECK (length(body) <= 262144),
    UNIQUE (kid),
    UNIQUE (lot_id),
    FOREIGN KEY (lot_id) REFERENCES lots (id),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
);
CREATE TRIGGER key_sets_guard BEFORE INSERT OR UPDATE OR DELETE ON key_sets FOR EACH ROW EXECUTE FUNCTION guard_subject();
CREATE TRIGGER key_sets_guard_truncate BEFORE TRUNCATE ON key_sets FOR EACH STATEMENT EXECUTE FUNCTION guard_subject();
ALTER TABLE key_sets ENABLE ALWAYS TRIGGER key_sets_guard, ENABLE ALWAYS TRIGGER key_sets_guard_truncate;

CREATE TABLE key_secrets (
    kid TEXT NOT NULL PRIMARY KEY CHECK (length(kid) <= 64),
    wrapped BYTEA NOT NULL
);

CREATE TABLE uploads (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    org_id TEXT NOT NULL CHECK (length(org_id) <= 64),
    lot_id TEXT CHECK (length(lot_id) <= 64),
    purpose TEXT NOT NULL CHECK (length(purpose) <= 16),
    size_bytes BIGINT NOT NULL,
    chunk_bytes BIGINT NOT NULL,
    root TEXT NOT NULL CHECK (length(root) <= 64),
    state TEXT NOT NULL CHECK (length(state) <= 16),
    attached_to TEXT CHECK (length(attached_to) <= 64),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX uploads_expiry ON uploads (state, expires_at);
CREATE INDEX uploads_org ON uploads (org_id);

CREATE TABLE bids (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version BIGINT NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (length(state) <= 32),
    kind TEXT NOT NULL CHECK (length(kind) <= 16),
    lot_id TEXT NOT NULL CHECK (length(lot_id) <= 64),
    org_id TEXT NOT NULL CHECK (length(org_id) <= 64),
    rev BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    body TEXT NOT NULL CHECK (length(body) <= 262144),
    UNIQUE (lot_id, org_id),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
);
CREATE TRIGGER bids_guard BEFORE INSERT OR UPDATE OR DELETE ON bids FOR EACH ROW EXECUTE FUNCTION guard_subject();
CREATE TRIGGER bids_guard_truncate BEFORE TRUNCATE ON bids FOR EACH STATEMENT EXECUTE FUNCTION guard_subject();
ALTER TABLE bids ENABLE ALWAYS TRIGGER bids_guard, ENABLE ALWAYS TRIGGER bids_guard_truncate;

CREATE TABLE bid_envelopes (
    owner_id TEXT NOT NULL CHECK (length(owner_id) <= 64),
    owner_version BIGINT NOT NULL,
    envelope_id TEXT NOT NULL PRIMARY KEY CHECK (length(envelope_id) <= 64),
    lot_id TEXT NOT NULL CHECK (length(lot_id) <= 64),
    org_id TEXT NOT NULL CHECK (length(org_id) <= 64),
    part TEXT NOT NULL CHECK (length(part) <= 16),
    upload_id TEXT NOT NULL CHECK (length(upload_id) <= 64),
    enc TEXT NOT NULL CHECK (length(enc) <= 200),
    header TEXT NOT NULL CHECK (length(header) <= 65536),
    UNIQUE (enc),
    FOREIGN KEY (owner_id, owner_version) REFERENCES audit_entry (stream, rev)
);
CREATE INDEX bid_envelopes_owner ON bid_envelopes (owner_id, owner_version);
CREATE TRIGGER bid_envelopes_append BEFORE UPDATE OR DELETE ON bid_envelopes FOR EACH ROW EXECUTE FUNCTION guard_append();
CREATE TRIGGER bid_envelopes_append_truncate BEFORE TRUNCATE ON bid_envelopes FOR EACH STATEMENT EXECUTE FUNCTION guard_append();
ALTER TABLE bid_envelopes ENABLE ALWAYS TRIGGER bid_envelopes_append, ENABLE ALWAYS TRIGGER bid_envelopes_append_truncate;

CREATE TABLE refusals (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version BIGINT NOT NULL CHECK (version >= 1),
    lot_id TEXT NOT NULL CHECK (length(lot_id) <= 64),
    org_id TEXT NOT NULL CHECK (length(org_id) <= 64),
    code TEXT NOT NULL CHECK (length(code) <= 64),
    header_sha256 TEXT NOT NULL CHECK (length(header_sha256) <= 64),
    received_at BIGINT NOT NULL,
    body TEXT NOT NULL CHECK (length(body) <= 262144),
    UNIQUE (header_sha256),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
);
CREATE INDEX refusals_org ON refusals (org_id, lot_id);
CREATE TRIGGER refusals_guard BEFORE INSERT OR UPDATE OR DELETE ON refusals FOR EACH ROW EXECUTE FUNCTION guard_subject();
CREATE TRIGGER refusals_guard_truncate BEFORE TRUNCATE ON refusals FOR EACH STATEMENT EXECUTE FUNCTION guard_subject();
ALTER TABLE refusals ENABLE ALWAYS TRIGGER refusals_guard, ENABLE ALWAYS TRIGGER refusals_guard_truncate;
