-- What is traded: projects, lots, their documents, questions and publications; the calendar that counts the days.

CREATE TABLE projects (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version BIGINT NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (length(state) <= 16),
    org_id TEXT NOT NULL CHECK (length(org_id) <= 64),
    code TEXT NOT NULL CHECK (length(code) <= 64),
    name TEXT NOT NULL CHECK (length(name) <= 200),
    body TEXT NOT NULL CHECK (length(body) <= 262144),
    UNIQUE (org_id, code),
    FOREIGN KEY (org_id) REFERENCES organisations (id),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
);
CREATE TRIGGER projects_guard BEFORE INSERT OR UPDATE OR DELETE ON projects FOR EACH ROW EXECUTE FUNCTION guard_subject();
CREATE TRIGGER projects_guard_truncate BEFORE TRUNCATE ON projects FOR EACH STATEMENT EXECUTE FUNCTION guard_subject();
ALTER TABLE projects ENABLE ALWAYS TRIGGER projects_guard, ENABLE ALWAYS TRIGGER projects_guard_truncate;

CREATE TABLE lots (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version BIGINT NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (length(state) <= 24),
    hold TEXT CHECK (length(hold) <= 24),
    project_id TEXT NOT NULL CHECK (length(project_id) <= 64),
    org_id TEXT NOT NULL CHECK (length(org_id) <= 64),
    edition TEXT NOT NULL CHECK (length(edition) <= 32),
    category TEXT NOT NULL CHECK (length(category) <= 32),
    title TEXT NOT NULL CHECK (length(title) <= 200),
    deadline_at BIGINT,
    due_at BIGINT,
    unsealed_at BIGINT,
    unsealed_for TEXT CHECK (length(unsealed_for) <= 16),
    previous_lot_id TEXT CHECK (length(previous_lot_id) <= 64),
    created_at BIGINT NOT NULL,
    body TEXT NOT NULL CHECK (length(body) <= 262144),
    FOREIGN KEY (project_id) REFERENCES projects (id),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
);
CREATE INDEX lots_due ON lots (due_at);
CREATE INDEX lots_state ON lots (state, created_at, id);
CREATE INDEX lots_created ON lots (created_at, id);
CREATE UNIQUE INDEX lots_retender ON lots (previous_lot_id);
CREATE TRIGGER lots_guard BEFORE INSERT OR UPDATE OR DELETE ON lots FOR EACH ROW EXECUTE FUNCTION guard_subject();
CREATE TRIGGER lots_guard_truncate BEFORE TRUNCATE ON lots FOR EACH STATEMENT EXECUTE FUNCTION guard_subject();
ALTER TABLE lots ENABLE ALWAYS TRIGGER lots_guard, ENABLE ALWAYS TRIGGER lots_guard_truncate;

CREATE TABLE documents (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version BIGINT NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (length(state) <= 16),
    lot_id TEXT NOT NULL CHECK (length(lot_id) <= 64),
    name TEXT NOT NULL CHECK (length(name) <= 200),
    media_type TEXT NOT NULL CHECK (length(media_type) <= 100),
    size_bytes BIGINT NOT NULL,
    sha256 TEXT NOT NULL CHECK (length(sha256) <= 64),
    upload_id TEXT NOT NULL CHECK (length(upload_id) <= 64),
    FOREIGN KEY (lot_id) REFERENCES lots (id),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
);
CREATE INDEX documents_lot ON documents (lot_id);
CREATE TRIGGER documents_guard BEFORE INSERT OR UPDATE OR DELETE ON documents FOR EACH ROW EXECUTE FUNCTION guard_subject();
CREATE TRIGGER documents_guard_truncate BEFORE TRUNCATE ON documents FOR EACH STATEMENT EXECUTE FUNCTION guard_subject();
ALTER TABLE documents ENABLE ALWAYS TRIGGER documents_guard, ENABLE ALWAYS TRIGGER documents_guard_truncate;

CREATE TABLE questions (
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
CREATE INDEX questions_lot ON questions (lot_id);
CREATE TRIGGER questions_guard BEFORE INSERT OR UPDATE OR DELETE ON questions FOR EACH ROW EXECUTE FUNCTION guard_subject();
CREATE TRIGGER questions_guard_truncate BEFORE TRUNCATE ON questions FOR EACH STATEMENT EXECUTE FUNCTION guard_subject();
ALTER TABLE questions ENABLE ALWAYS TRIGGER questions_guard, ENABLE ALWAYS TRIGGER questions_guard_truncate;

CREATE TABLE notices (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version BIGINT NOT NULL CHECK (version >= 1),
    lot_id TEXT NOT NULL CHECK (length(lot_id) <= 64),
    kind TEXT NOT NULL CHECK (length(kind) <= 32),
    published_at BIGINT NOT NULL,
    content_sha256 TEXT NOT NULL CHECK (length(content_sha256) <= 64),
    body TEXT NOT NULL CHECK (length(body) <= 262144),
    FOREIGN KEY (lot_id) REFERENCES lots (id),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
);
CREATE INDEX notices_lot ON notices (lot_id, published_at, id);
CREATE INDEX notices_time ON notices (published_at, id);
CREATE TRIGGER notices_guard BEFORE INSERT OR UPDATE OR DELETE ON notices FOR EACH ROW EXECUTE FUNCTION guard_subject();
CREATE TRIGGER notices_guard_truncate BEFORE TRUNCATE ON notices FOR EACH STATEMENT EXECUTE FUNCTION guard_subject();
ALTER TABLE notices ENABLE ALWAYS TRIGGER notices_guard, ENABLE ALWAYS TRIGGER notices_guard_truncate;

CREATE TABLE followers (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version BIGINT NOT NULL CHECK (version >= 1),
    lot_id TEXT NOT NULL CHECK (length(lot_id) <= 64),
    org_id TEXT NOT NULL CHECK (length(org_id) <= 64),
    at_ms BIGINT NOT NULL,
    UNIQUE (lot_id, org_id),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
);
CREATE TRIGGER followers_guard BEFORE INSERT OR UPDATE OR DELETE ON followers FOR EACH ROW EXECUTE FUNCTION guard_subject();
CREATE TRIGGER followers_guard_truncate BEFORE TRUNCATE ON followers FOR EACH STATEMENT EXECUTE FUNCTION guard_subject();
ALTER TABLE followers ENABLE ALWAYS TRIGGER followers_guard, ENABLE ALWAYS TRIGGER followers_guard_truncate;

CREATE TABLE calendar_years (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version BIGINT NOT NULL CHECK (version >= 1),
    year BIGINT NOT NULL,
    body TEXT NOT NULL CHECK (length(body) <= 262144),
    UNIQUE (year),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
);
CREATE TRIGGER calendar_years_guard BEFORE INSERT OR UPDATE OR DELETE ON calendar_years FOR EACH ROW EXECUTE FUNCTION guard_subject();
CREATE TRIGGER calendar_years_guard_truncate BEFORE TRUNCATE ON calendar_years FOR EACH STATEMENT EXECUTE FUNCTION guard_subject();
ALTER TABLE calendar_years ENABLE ALWAYS TRIGGER calendar_years_guard, ENABLE ALWAYS TRIGGER calendar_years_guard_truncate;
