-- Custodians, their ceremonies, and what they and bidders give when a box opens.

CREATE TABLE custodians (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version BIGINT NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (length(state) <= 16),
    user_id TEXT NOT NULL CHECK (length(user_id) <= 64),
    org_id TEXT NOT NULL CHECK (length(org_id) <= 64),
    sign_kid TEXT NOT NULL CHECK (length(sign_kid) <= 64),
    kem TEXT NOT NULL CHECK (length(kem) <= 64),
    UNIQUE (user_id),
    FOREIGN KEY (user_id) REFERENCES users (id),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
);
CREATE TRIGGER custodians_guard BEFORE INSERT OR UPDATE OR DELETE ON custodians FOR EACH ROW EXECUTE FUNCTION guard_subject();
CREATE TRIGGER custodians_guard_truncate BEFORE TRUNCATE ON custodians FOR EACH STATEMENT EXECUTE FUNCTION guard_subject();
ALTER TABLE custodians ENABLE ALWAYS TRIGGER custodians_guard, ENABLE ALWAYS TRIGGER custodians_guard_truncate;

CREATE TABLE ceremonies (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version BIGINT NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (length(state) <= 16),
    lot_id TEXT NOT NULL CHECK (length(lot_id) <= 64),
    digest TEXT NOT NULL CHECK (length(digest) <= 64),
    expires_at BIGINT NOT NULL,
    body TEXT NOT NULL CHECK (length(body) <= 262144),
    UNIQUE (digest),
    FOREIGN KEY (lot_id) REFERENCES lots (id),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
);
CREATE INDEX ceremonies_lot ON ceremonies (lot_id);
CREATE INDEX ceremonies_state ON ceremonies (state, expires_at);
CREATE TRIGGER ceremonies_guard BEFORE INSERT OR UPDATE OR DELETE ON ceremonies FOR EACH ROW EXECUTE FUNCTION guard_subject();
CREATE TRIGGER ceremonies_guard_truncate BEFORE TRUNCATE ON ceremonies FOR EACH STATEMENT EXECUTE FUNCTION guard_subject();
ALTER TABLE ceremonies ENABLE ALWAYS TRIGGER ceremonies_guard, ENABLE ALWAYS TRIGGER ceremonies_guard_truncate;

CREATE TABLE ceremony_messages (
    owner_id TEXT NOT NULL CHECK (length(owner_id) <= 64),
    owner_version BIGINT NOT NULL,
    step TEXT NOT NULL CHECK (length(step) <= 16),
    member BIGINT NOT NULL,
    body TEXT NOT NULL CHECK (length(body) <= 65536),
    PRIMARY KEY (owner_id, step, member),
    FOREIGN KEY (owner_id, owner_version) REFERENCES audit_entry (stream, rev)
);
CREATE TRIGGER ceremony_messages_append BEFORE UPDATE OR DELETE ON ceremony_messages FOR EACH ROW EXECUTE FUNCTION guard_append();
CREATE TRIGGER ceremony_messages_append_truncate BEFORE TRUNCATE ON ceremony_messages FOR EACH STATEMENT EXECUTE FUNCTION guard_append();
ALTER TABLE ceremony_messages ENABLE ALWAYS TRIGGER ceremony_messages_append, ENABLE ALWAYS TRIGGER ceremony_messages_append_truncate;

CREATE TABLE share_backups (
    owner_id TEXT NOT NULL CHECK (length(owner_id) <= 64),
    owner_version BIGINT NOT NULL,
    member BIGINT NOT NULL,
    body TEXT NOT NULL CHECK (length(body) <= 65536),
    PRIMARY KEY (owner_id, member),
    FOREIGN KEY (owner_id, owner_version) REFERENCES audit_entry (stream, rev)
);
CREATE TRIGGER share_backups_append BEFORE UPDATE OR DELETE ON share_backups FOR EACH ROW EXECUTE FUNCTION guard_append();
CREATE TRIGGER share_backups_append_truncate BEFORE TRUNCATE ON share_backups FOR EACH STATEMENT EXECUTE FUNCTION guard_append();
ALTER TABLE share_backups ENABLE ALWAYS TRIGGER share_backups_append, ENABLE ALWAYS TRIGGER share_backups_append_truncate;

CREATE TABLE bidder_keys (
    owner_id TEXT NOT NULL CHECK (length(owner_id) <= 64),
    owner_version BIGINT NOT NULL,
    kid TEXT NOT NULL CHECK (length(kid) <= 64),
    body TEXT NOT NULL CHECK (length(body) <= 65536),
    PRIMARY KEY (owner_id, owner_version),
    FOREIGN KEY (owner_id, owner_version) REFERENCES audit_entry (stream, rev)
);
CREATE TRIGGER bidder_keys_append BEFORE UPDATE OR DELETE ON bidder_keys FOR EACH ROW EXECUTE FUNCTION guard_append();
CREATE TRIGGER bidder_keys_append_truncate BEFORE TRUNCATE ON bidder_keys FOR EACH STATEMENT EXECUTE FUNCTION guard_append();
ALTER TABLE bidder_keys ENABLE ALWAYS TRIGGER bidder_keys_append, ENABLE ALWAYS TRIGGER bidder_keys_append_truncate;

CREATE TABLE snapshots (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version BIGINT NOT NULL CHECK (version >= 1),
    lot_id TEXT NOT NULL CHECK (length(lot_id) <= 64),
    kid TEXT NOT NULL CHECK (length(kid) <= 64),
    root TEXT NOT NULL CHECK (length(root) <= 64),
    body TEXT NOT NULL CHECK (length(body) <= 65536),
    UNIQUE (kid),
    FOREIGN KEY (lot_id) REFERENCES lots (id),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
);
CREATE INDEX snapshots_lot ON snapshots (lot_id);
CREATE TRIGGER snapshots_guard BEFORE INSERT OR UPDATE OR DELETE ON snapshots FOR EACH ROW EXECUTE FUNCTION guard_subject();
CREATE TRIGGER snapshots_guard_truncate BEFORE TRUNCATE ON snapshots FOR EACH STATEMENT EXECUTE FUNCTION guard_subject();
ALTER TABLE snapshots ENABLE ALWAYS TRIGGER snapshots_guard, ENABLE ALWAYS TRIGGER snapshots_guard_truncate;

CREATE TABLE partial_lists (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version BIGINT NOT NULL CHECK (version >= 1),
    lot_id TEXT NOT NULL CHECK (length(lot_id) <= 64),
    kid TEXT NOT NULL CHECK (length(kid) <= 64),
    member BIGINT NOT NULL,
    digest TEXT NOT NULL CHECK (length(digest) <= 64),
    body TEXT NOT NULL CHECK (length(body) <= 262144),
    UNIQUE (digest),
    FOREIGN KEY (lot_id) REFERENCES lots (id),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
);
CREATE INDEX partial_lists_lot ON partial_lists (lot_id, kid, member);
CREATE TRIGGER partial_lists_guard BEFORE INSERT OR UPDATE OR DELETE ON partial_lists FOR EACH ROW EXECUTE FUNCTION guard_subject();
CREATE TRIGGER partial_lists_guard_truncate BEFORE TRUNCATE ON partial_lists FOR EACH STATEMENT EXECUTE FUNCTION guard_subject();
ALTER TABLE partial_lists ENABLE ALWAYS TRIGGER partial_lists_guard, ENABLE ALWAYS TRIGGER partial_lists_guard_truncate;

CREATE TABLE partials (
    owner_id TEXT NOT NULL CHECK (length(owner_id) <= 64),
    owner_version BIGINT NOT NULL,
    envelope_id TEXT NOT NULL CHECK (length(envelope_id) <= 64),
    slot BIGINT NOT NULL,
    member BIGINT NOT NULL,
    d TEXT NOT NULL CHECK (length(d) <= 64),
    proof TEXT NOT NULL CHECK (length(proof) <= 128),
    PRIMARY KEY (envelope_id, slot, member),
    FOREIGN KEY (owner_id, owner_version) REFERENCES audit_entry (stream, rev)
);
CREATE TRIGGER partials_append BEFORE UPDATE OR DELETE ON partials FOR EACH ROW EXECUTE FUNCTION guard_append();
CREATE TRIGGER partials_append_truncate BEFORE TRUNCATE ON partials FOR EACH STATEMENT EXECUTE FUNCTION guard_append();
ALTER TABLE partials ENABLE ALWAYS TRIGGER partials_append, ENABLE ALWAYS TRIGGER partials_append_truncate;
