-- Erasure of the personal parts of entries.

CREATE TABLE erasures (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version BIGINT NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (length(state) <= 16),
    subject_id TEXT NOT NULL CHECK (length(subject_id) <= 64),
    before_at BIGINT NOT NULL,
    body TEXT NOT NULL CHECK (length(body) <= 65536),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
);
CREATE INDEX erasures_state ON erasures (state, id);
CREATE TRIGGER erasures_guard BEFORE INSERT OR UPDATE OR DELETE ON erasures FOR EACH ROW EXECUTE FUNCTION guard_subject();
CREATE TRIGGER erasures_guard_truncate BEFORE TRUNCATE ON erasures FOR EACH STATEMENT EXECUTE FUNCTION guard_subject();
ALTER TABLE erasures ENABLE ALWAYS TRIGGER erasures_guard, ENABLE ALWAYS TRIGGER erasures_guard_truncate;
