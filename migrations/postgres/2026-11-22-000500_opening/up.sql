-- The opening: session, outcomes, objections; then evaluation and award.

CREATE TABLE openings (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version BIGINT NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (length(state) <= 16),
    lot_id TEXT NOT NULL CHECK (length(lot_id) <= 64),
    body TEXT NOT NULL CHECK (length(body) <= 262144),
    UNIQUE (lot_id),
    FOREIGN KEY (lot_id) REFERENCES lots (id),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
);
CREATE TRIGGER openings_guard BEFORE INSERT OR UPDATE OR DELETE ON openings FOR EACH ROW EXECUTE FUNCTION guard_subject();
CREATE TRIGGER openings_guard_truncate BEFORE TRUNCATE ON openings FOR EACH STATEMENT EXECUTE FUNCTION guard_subject();
ALTER TABLE openings ENABLE ALWAYS TRIGGER openings_guard, ENABLE ALWAYS TRIGGER openings_guard_truncate;

CREATE TABLE unsealings (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version BIGINT NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (length(state) <= 16),
    lot_id TEXT NOT NULL CHECK (length(lot_id) <= 64),
    bid_id TEXT NOT NULL CHECK (length(bid_id) <= 64),
    envelope_id TEXT NOT NULL CHECK (length(envelope_id) <= 64),
    part TEXT NOT NULL CHECK (length(part) <= 16),
    body TEXT NOT NULL CHECK (length(body) <= 262144),
    UNIQUE (envelope_id),
    FOREIGN KEY (lot_id) REFERENCES lots (id),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
);
CREATE INDEX unsealings_lot ON unsealings (lot_id);
CREATE TRIGGER unsealings_guard BEFORE INSERT OR UPDATE OR DELETE ON unsealings FOR EACH ROW EXECUTE FUNCTION guard_subject();
CREATE TRIGGER unsealings_guard_truncate BEFORE TRUNCATE ON unsealings FOR EACH STATEMENT EXECUTE FUNCTION guard_subject();
ALTER TABLE unsealings ENABLE ALWAYS TRIGGER unsealings_guard, ENABLE ALWAYS TRIGGER unsealings_guard_truncate;

CREATE TABLE objections (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version BIGINT NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (length(state) <= 16),
    kind TEXT NOT NULL CHECK (length(kind) <= 16),
    lot_id TEXT NOT NULL CHECK (length(lot_id) <= 64),
    org_id TEXT NOT NULL CHECK (length(org_id) <= 64),
    body TEXT NOT NULL CHECK (length(body) <= 262144),
    FOREIGN KEY (lot_id) REFERENCES lots (id),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
);
CREATE INDEX objections_lot ON objections (lot_id);
CREATE TRIGGER objections_guard BEFORE INSERT OR UPDATE OR DELETE ON objections FOR EACH ROW EXECUTE FUNCTION guard_subject();
CREATE TRIGGER objections_guard_truncate BEFORE TRUNCATE ON objections FOR EACH STATEMENT EXECUTE FUNCTION guard_subject();
ALTER TABLE objections ENABLE ALWAYS TRIGGER objections_guard, ENABLE ALWAYS TRIGGER objections_guard_truncate;

CREATE TABLE evaluations (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version BIGINT NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (length(state) <= 16),
    lot_id TEXT NOT NULL CHECK (length(lot_id) <= 64),
    bid_id TEXT NOT NULL CHECK (length(bid_id) <= 64),
    body TEXT NOT NULL CHECK (length(body) <= 262144),
    UNIQUE (bid_id),
    FOREIGN KEY (lot_id) REFERENCES lots (id),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
);
CREATE INDEX evaluations_lot ON evaluations (lot_id);
CREATE TRIGGER evaluations_guard BEFORE INSERT OR UPDATE OR DELETE ON evaluations FOR EACH ROW EXECUTE FUNCTION guard_subject();
CREATE TRIGGER evaluations_guard_truncate BEFORE TRUNCATE ON evaluations FOR EACH STATEMENT EXECUTE FUNCTION guard_subject();
ALTER TABLE evaluations ENABLE ALWAYS TRIGGER evaluations_guard, ENABLE ALWAYS TRIGGER evaluations_guard_truncate;

CREATE TABLE reports (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version BIGINT NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (length(state) <= 16),
    lot_id TEXT NOT NULL CHECK (length(lot_id) <= 64),
    body TEXT NOT NULL CHECK (length(body) <= 262144),
    UNIQUE (lot_id),
    FOREIGN KEY (lot_id) REFERENCES lots (id),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
);
CREATE TRIGGER reports_guard BEFORE INSERT OR UPDATE OR DELETE ON reports FOR EACH ROW EXECUTE FUNCTION guard_subject();
CREATE TRIGGER reports_guard_truncate BEFORE TRUNCATE ON reports FOR EACH STATEMENT EXECUTE FUNCTION guard_subject();
ALTER TABLE reports ENABLE ALWAYS TRIGGER reports_guard, ENABLE ALWAYS TRIGGER reports_guard_truncate;
