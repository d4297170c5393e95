-- Who acts: organisations, users, their signing keys; sessions beside them.

CREATE TABLE organisations (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version BIGINT NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (length(state) <= 16),
    scheme TEXT NOT NULL CHECK (length(scheme) <= 32),
    identifier TEXT NOT NULL CHECK (length(identifier) <= 64),
    name TEXT NOT NULL CHECK (length(name) <= 200),
    body TEXT NOT NULL CHECK (length(body) <= 262144),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
);
CREATE INDEX organisations_identifier ON organisations (scheme, identifier);
CREATE UNIQUE INDEX organisations_claimed ON organisations (scheme, identifier) WHERE state = 'confirmed';
CREATE TRIGGER organisations_guard BEFORE INSERT OR UPDATE OR DELETE ON organisations FOR EACH ROW EXECUTE FUNCTION guard_subject();
CREATE TRIGGER organisations_guard_truncate BEFORE TRUNCATE ON organisations FOR EACH STATEMENT EXECUTE FUNCTION guard_subject();
ALTER TABLE organisations ENABLE ALWAYS TRIGGER organisations_guard, ENABLE ALWAYS TRIGGER organisations_guard_truncate;

CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version BIGINT NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (length(state) <= 16),
    org_id TEXT NOT NULL CHECK (length(org_id) <= 64),
    login TEXT NOT NULL CHECK (length(login) <= 100),
    roles TEXT NOT NULL CHECK (length(roles) <= 100),
    body TEXT NOT NULL CHECK (length(body) <= 262144),
    UNIQUE (login),
    FOREIGN KEY (org_id) REFERENCES organisations (id),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
);
CREATE INDEX users_org ON users (org_id);
CREATE TRIGGER users_guard BEFORE INSERT OR UPDATE OR DELETE ON users FOR EACH ROW EXECUTE FUNCTION guard_subject();
CREATE TRIGGER users_guard_truncate BEFORE TRUNCATE ON users FOR EACH STATEMENT EXECUTE FUNCTION guard_subject();
ALTER TABLE users ENABLE ALWAYS TRIGGER users_guard, ENABLE ALWAYS TRIGGER users_guard_truncate;

CREATE TABLE signing_keys (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version BIGINT NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (length(state) <= 16),
    kid TEXT NOT NULL CHECK (length(kid) <= 64),
    org_id TEXT NOT NULL CHECK (length(org_id) <= 64),
    user_id TEXT NOT NULL CHECK (length(user_id) <= 64),
    alg TEXT NOT NULL CHECK (length(alg) <= 16),
    public_key TEXT NOT NULL CHECK (length(public_key) <= 200),
    UNIQUE (kid),
    FOREIGN KEY (user_id) REFERENCES users (id),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
);
CREATE INDEX signing_keys_org ON signing_keys (org_id);
CREATE TRIGGER signing_keys_guard BEFORE INSERT OR UPDATE OR DELETE ON signing_keys FOR EACH ROW EXECUTE FUNCTION guard_subject();
CREATE TRIGGER signing_keys_guard_truncate BEFORE TRUNCATE ON signing_keys FOR EACH STATEMENT EXECUTE FUNCTION guard_subject();
ALTER TABLE signing_keys ENABLE ALWAYS TRIGGER signing_keys_guard, ENABLE ALWAYS TRIGGER signing_keys_guard_truncate;

CREATE TABLE user_secrets (
    user_id TEXT NOT NULL PRIMARY KEY CHECK (length(user_id) <= 64),
    password_hash TEXT NOT NULL CHECK (length(password_hash) <= 400),
    changed_at BIGINT NOT NULL
);

CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    user_id TEXT NOT NULL CHECK (length(user_id) <= 64),
    started_at BIGINT NOT NULL,
    ended_at BIGINT,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);

CREATE TABLE refresh_tokens (
    hash TEXT NOT NULL PRIMARY KEY CHECK (length(hash) <= 64),
    session_id TEXT NOT NULL CHECK (length(session_id) <= 64),
    issued_at BIGINT NOT NULL,
    used_at BIGINT,
    successor TEXT CHECK (length(successor) <= 1000),
    expires_at BIGINT NOT NULL
);
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);

CREATE TABLE reset_tokens (
    hash TEXT NOT NULL PRIMARY KEY CHECK (length(hash) <= 64),
    user_id TEXT NOT NULL CHECK (length(user_id) <= 64),
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
