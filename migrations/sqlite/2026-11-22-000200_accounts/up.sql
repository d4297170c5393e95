-- Who acts: organisations, users, their signing keys; sessions beside them.

CREATE TABLE organisations (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version INTEGER NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (length(state) <= 16),
    scheme TEXT NOT NULL CHECK (length(scheme) <= 32),
    identifier TEXT NOT NULL CHECK (length(identifier) <= 64),
    name TEXT NOT NULL CHECK (length(name) <= 200),
    body TEXT NOT NULL CHECK (length(body) <= 262144),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
) STRICT;
CREATE INDEX organisations_identifier ON organisations (scheme, identifier);
CREATE UNIQUE INDEX organisations_claimed ON organisations (scheme, identifier) WHERE state = 'confirmed';
CREATE TRIGGER organisations_guard_insert BEFORE INSERT ON organisations BEGIN
    SELECT RAISE(ABORT, 'organisations: a new row is version 1 and needs its audit entry first')
    WHERE NEW.version <> 1 OR EXISTS (SELECT 1 FROM organisations WHERE id = NEW.id)
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER organisations_guard_update BEFORE UPDATE ON organisations BEGIN
    SELECT RAISE(ABORT, 'organisations: a change is the next version and needs its audit entry first')
    WHERE NEW.id <> OLD.id OR NEW.version <> OLD.version + 1
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER organisations_guard_delete BEFORE DELETE ON organisations BEGIN
    SELECT RAISE(ABORT, 'organisations: nothing on record is deleted');
END;

CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version INTEGER NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (length(state) <= 16),
    org_id TEXT NOT NULL CHECK (length(org_id) <= 64),
    login TEXT NOT NULL CHECK (length(login) <= 100),
    roles TEXT NOT NULL CHECK (length(roles) <= 100),
    body TEXT NOT NULL CHECK (length(body) <= 262144),
    UNIQUE (login),
    FOREIGN KEY (org_id) REFERENCES organisations (id),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
) STRICT;
CREATE INDEX users_org ON users (org_id);
CREATE TRIGGER users_guard_insert BEFORE INSERT ON users BEGIN
    SELECT RAISE(ABORT, 'users: a new row is version 1 and needs its audit entry first')
    WHERE NEW.version <> 1 OR EXISTS (SELECT 1 FROM users WHERE id = NEW.id)
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER users_guard_update BEFORE UPDATE ON users BEGIN
    SELECT RAISE(ABORT, 'users: a change is the next version and needs its audit entry first')
    WHERE NEW.id <> OLD.id OR NEW.version <> OLD.version + 1
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER users_guard_delete BEFORE DELETE ON users BEGIN
    SELECT RAISE(ABORT, 'users: nothing on record is deleted');
END;

CREATE TABLE signing_keys (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version INTEGER NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (length(state) <= 16),
    kid TEXT NOT NULL CHECK (length(kid) <= 64),
    org_id TEXT NOT NULL CHECK (length(org_id) <= 64),
    user_id TEXT NOT NULL CHECK (length(user_id) <= 64),
    alg TEXT NOT NULL CHECK (length(alg) <= 16),
    public_key TEXT NOT NULL CHECK (length(public_key) <= 200),
    UNIQUE (kid),
    FOREIGN KEY (user_id) REFERENCES users (id),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
) STRICT;
CREATE INDEX signing_keys_org ON signing_keys (org_id);
CREATE TRIGGER signing_keys_guard_insert BEFORE INSERT ON signing_keys BEGIN
    SELECT RAISE(ABORT, 'signing_keys: a new row is version 1 and needs its audit entry first')
    WHERE NEW.version <> 1 OR EXISTS (SELECT 1 FROM signing_keys WHERE id = NEW.id)
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER signing_keys_guard_update BEFORE UPDATE ON signing_keys BEGIN
    SELECT RAISE(ABORT, 'signing_keys: a change is the next version and needs its audit entry first')
    WHERE NEW.id <> OLD.id OR NEW.version <> OLD.version + 1
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER signing_keys_guard_delete BEFORE DELETE ON signing_keys BEGIN
    SELECT RAISE(ABORT, 'signing_keys: nothing on record is deleted');
END;

CREATE TABLE user_secrets (
    user_id TEXT NOT NULL PRIMARY KEY CHECK (length(user_id) <= 64),
    password_hash TEXT NOT NULL CHECK (length(password_hash) <= 400),
    changed_at INTEGER NOT NULL
) STRICT;

CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    user_id TEXT NOT NULL CHECK (length(user_id) <= 64),
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_user ON sessions (user_id);

CREATE TABLE refresh_tokens (
    hash TEXT NOT NULL PRIMARY KEY CHECK (length(hash) <= 64),
    session_id TEXT NOT NULL CHECK (length(session_id) <= 64),
    issued_at INTEGER NOT NULL,
    used_at INTEGER,
    successor TEXT CHECK (length(successor) <= 1000),
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);

CREATE TABLE reset_tokens (
    hash TEXT NOT NULL PRIMARY KEY CHECK (length(hash) <= 64),
    user_id TEXT NOT NULL CHECK (length(user_id) <= 64),
    expires_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT;
