-- What inspectors may look into.

CREATE TABLE mandates (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version BIGINT NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (length(state) <= 16),
    user_id TEXT NOT NULL CHECK (length(user_id) <= 64),
    matter TEXT NOT NULL CHECK (length(matter) <= 64),
    from_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL CHECK (until_at > from_at),
    body TEXT NOT NULL CHECK (length(body) <= 262144),
    FOREIGN KEY (user_id) REFERENCES users (id),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
);
CREATE INDEX mandates_user ON mandates (user_id, matter);
CREATE TRIGGER mandates_guard BEFORE INSERT OR UPDATE OR DELETE ON mandates FOR EACH ROW EXECUTE FUNCTION guard_subject();
CREATE TRIGGER mandates_guard_truncate BEFORE TRUNCATE ON mandates FOR EACH STATEMENT EXECUTE FUNCTION guard_subject();
ALTER TABLE mandates ENABLE ALWAYS TRIGGER mandates_guard, ENABLE ALWAYS TRIGGER mandates_guard_truncate;
