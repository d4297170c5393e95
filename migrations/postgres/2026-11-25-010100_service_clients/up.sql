-- Software of an organisation that signs in by itself, and the assertions with which it has done so.
CREATE TABLE service_clients (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version BIGINT NOT NULL CHECK (version >= 1),
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
);
CREATE INDEX service_clients_org ON service_clients (org_id);
CREATE TRIGGER service_clients_guard BEFORE INSERT OR UPDATE OR DELETE ON service_clients FOR EACH ROW EXECUTE FUNCTION guard_subject();
CREATE TRIGGER service_clients_guard_truncate BEFORE TRUNCATE ON service_clients FOR EACH STATEMENT EXECUTE FUNCTION guard_subject();
ALTER TABLE service_clients ENABLE ALWAYS TRIGGER service_clients_guard, ENABLE ALWAYS TRIGGER service_clients_guard_truncate;

CREATE TABLE used_assertions (
    client_id TEXT NOT NULL CHECK (length(client_id) <= 64),
    jti_hash TEXT NOT NULL CHECK (length(jti_hash) <= 64),
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (client_id, jti_hash)
);
CREATE INDEX used_assertions_expiry ON used_assertions (expires_at);
