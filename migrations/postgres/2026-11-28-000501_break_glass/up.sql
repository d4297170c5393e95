-- Seeing before the opening that sealed entries exist, by two persons.

CREATE TABLE break_glasses (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version BIGINT NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (length(state) <= 16),
    lot_id TEXT NOT NULL CHECK (length(lot_id) <= 64),
    org_id TEXT NOT NULL CHECK (length(org_id) <= 64),
    user_id TEXT NOT NULL CHECK (length(user_id) <= 64),
    matter TEXT NOT NULL CHECK (length(matter) <= 64),
    until_at BIGINT NOT NULL,
    body TEXT NOT NULL CHECK (length(body) <= 65536),
    FOREIGN KEY (lot_id) REFERENCES lots (id),
    FOREIGN KEY (user_id) REFERENCES users (id),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
);
CREATE INDEX break_glasses_org ON break_glasses (org_id, id);
CREATE TRIGGER break_glasses_guard BEFORE INSERT OR UPDATE OR DELETE ON break_glasses FOR EACH ROW EXECUTE FUNCTION guard_subject();
CREATE TRIGGER break_glasses_guard_truncate BEFORE TRUNCATE ON break_glasses FOR EACH STATEMENT EXECUTE FUNCTION guard_subject();
ALTER TABLE break_glasses ENABLE ALWAYS TRIGGER break_glasses_guard, ENABLE ALWAYS TRIGGER break_glasses_guard_truncate;
