-- Software of an organisation that signs in by itself, and the assertions with which it has done so.
CREATE TABLE service_clients (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version INTEGER NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (length(state) <= 16),
    kid TEXT NOT NULL CHECK (length(kid) <= 64),
    org_id TEXT NOT NULL CHECK (length(org_id) <= 64),
    roles TEXT NOT NULL CHECK (length(roles) <= 100),
    alg TEXT NOT NULL CHECK (length(alg) <= 16),
    public_key TEXT NOT NULL CHECK (length(public_key) <= 200),
    body TEXT NOT NULL CHECK (length(body) <= 4000),
    UNIQUE (kid),
    FOREIGN KEY (org_id) REFERENCES organisations (id),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
) STRICT;
CREATE INDEX service_clients_org ON service_clients (org_id);
CREATE TRIGGER service_clients_guard_insert BEFORE INSERT ON service_clients BEGIN
    SELECT RAISE(ABORT, 'service_clients: a new row is version 1 and needs its audit entry first')
    WHERE NEW.version <> 1 OR EXISTS (SELECT 1 FROM service_clients WHERE id = NEW.id)
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER service_clients_guard_update BEFORE UPDATE ON service_clients BEGIN
    SELECT RAISE(ABORT, 'service_clients: a change is the next version and needs its audit entry first')
    WHERE NEW.id <> OLD.id OR NEW.version <> OLD.version + 1
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER service_clients_guard_delete BEFORE DELETE ON service_clients BEGIN
    SELECT RAISE(ABORT, 'service_clients: nothing on record is deleted');
END;

CREATE TABLE used_assertions (
    client_id TEXT NOT NULL CHECK (length(client_id) <= 64),
    jti_hash TEXT NOT NULL CHECK (length(jti_hash) <= 64),
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (client_id, jti_hash)
) STRICT;
CREATE INDEX used_assertions_expiry ON used_assertions (expires_at);
