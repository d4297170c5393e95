-- What is traded: projects, lots, their documents, questions and publications; the calendar that counts the days.

CREATE TABLE projects (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version INTEGER NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (length(state) <= 16),
    org_id TEXT NOT NULL CHECK (length(org_id) <= 64),
    code TEXT NOT NULL CHECK (length(code) <= 64),
    name TEXT NOT NULL CHECK (length(name) <= 200),
    body TEXT NOT NULL CHECK (length(body) <= 262144),
    UNIQUE (org_id, code),
    FOREIGN KEY (org_id) REFERENCES organisations (id),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
) STRICT;
CREATE TRIGGER projects_guard_insert BEFORE INSERT ON projects BEGIN
    SELECT RAISE(ABORT, 'projects: a new row is version 1 and needs its audit entry first')
    WHERE NEW.version <> 1 OR EXISTS (SELECT 1 FROM projects WHERE id = NEW.id)
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER projects_guard_update BEFORE UPDATE ON projects BEGIN
    SELECT RAISE(ABORT, 'projects: a change is the next version and needs its audit entry first')
    WHERE NEW.id <> OLD.id OR NEW.version <> OLD.version + 1
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER projects_guard_delete BEFORE DELETE ON projects BEGIN
    SELECT RAISE(ABORT, 'projects: nothing on record is deleted');
END;

CREATE TABLE lots (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version INTEGER NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (length(state) <= 24),
    hold TEXT CHECK (length(hold) <= 24),
    project_id TEXT NOT NULL CHECK (length(project_id) <= 64),
    org_id TEXT NOT NULL CHECK (length(org_id) <= 64),
    edition TEXT NOT NULL CHECK (length(edition) <= 32),
    category TEXT NOT NULL CHECK (length(category) <= 32),
    title TEXT NOT NULL CHECK (length(title) <= 200),
    deadline_at INTEGER,
    due_at INTEGER,
    unsealed_at INTEGER,
    unsealed_for TEXT CHECK (length(unsealed_for) <= 16),
    previous_lot_id TEXT CHECK (length(previous_lot_id) <= 64),
    created_at INTEGER NOT NULL,
    body TEXT NOT NULL CHECK (length(body) <= 262144),
    FOREIGN KEY (project_id) REFERENCES projects (id),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
) STRICT;
CREATE INDEX lots_due ON lots (due_at);
CREATE INDEX lots_state ON lots (state, created_at, id);
CREATE INDEX lots_created ON lots (created_at, id);
CREATE UNIQUE INDEX lots_retender ON lots (previous_lot_id);
CREATE TRIGGER lots_guard_insert BEFORE INSERT ON lots BEGIN
    SELECT RAISE(ABORT, 'lots: a new row is version 1 and needs its audit entry first')
    WHERE NEW.version <> 1 OR EXISTS (SELECT 1 FROM lots WHERE id = NEW.id)
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER lots_guard_update BEFORE UPDATE ON lots BEGIN
    SELECT RAISE(ABORT, 'lots: a change is the next version and needs its audit entry first')
    WHERE NEW.id <> OLD.id OR NEW.version <> OLD.version + 1
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER lots_guard_delete BEFORE DELETE ON lots BEGIN
    SELECT RAISE(ABORT, 'lots: nothing on record is deleted');
END;

CREATE TABLE documents (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version INTEGER NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (length(state) <= 16),
    lot_id TEXT NOT NULL CHECK (length(lot_id) <= 64),
    name TEXT NOT NULL CHECK (length(name) <= 200),
    media_type TEXT NOT NULL CHECK (length(media_type) <= 100),
    size_bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL CHECK (length(sha256) <= 64),
    upload_id TEXT NOT NULL CHECK (length(upload_id) <= 64),
    FOREIGN KEY (lot_id) REFERENCES lots (id),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
) STRICT;
CREATE INDEX documents_lot ON documents (lot_id);
CREATE TRIGGER documents_guard_insert BEFORE INSERT ON documents BEGIN
    SELECT RAISE(ABORT, 'documents: a new row is version 1 and needs its audit entry first')
    WHERE NEW.version <> 1 OR EXISTS (SELECT 1 FROM documents WHERE id = NEW.id)
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER documents_guard_update BEFORE UPDATE ON documents BEGIN
    SELECT RAISE(ABORT, 'documents: a change is the next version and needs its audit entry first')
    WHERE NEW.id <> OLD.id OR NEW.version <> OLD.version + 1
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER documents_guard_delete BEFORE DELETE ON documents BEGIN
    SELECT RAISE(ABORT, 'documents: nothing on record is deleted');
END;

CREATE TABLE questions (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version INTEGER NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (length(state) <= 16),
    kind TEXT NOT NULL CHECK (length(kind) <= 16),
    lot_id TEXT NOT NULL CHECK (length(lot_id) <= 64),
    org_id TEXT NOT NULL CHECK (length(org_id) <= 64),
    body TEXT NOT NULL CHECK (length(body) <= 262144),
    FOREIGN KEY (lot_id) REFERENCES lots (id),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
) STRICT;
CREATE INDEX questions_lot ON questions (lot_id);
CREATE TRIGGER questions_guard_insert BEFORE INSERT ON questions BEGIN
    SELECT RAISE(ABORT, 'questions: a new row is version 1 and needs its audit entry first')
    WHERE NEW.version <> 1 OR EXISTS (SELECT 1 FROM questions WHERE id = NEW.id)
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER questions_guard_update BEFORE UPDATE ON questions BEGIN
    SELECT RAISE(ABORT, 'questions: a change is the next version and needs its audit entry first')
    WHERE NEW.id <> OLD.id OR NEW.version <> OLD.version + 1
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER questions_guard_delete BEFORE DELETE ON questions BEGIN
    SELECT RAISE(ABORT, 'questions: nothing on record is deleted');
END;

CREATE TABLE notices (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version INTEGER NOT NULL CHECK (version >= 1),
    lot_id TEXT NOT NULL CHECK (length(lot_id) <= 64),
    kind TEXT NOT NULL CHECK (length(kind) <= 32),
    published_at INTEGER NOT NULL,
    content_sha256 TEXT NOT NULL CHECK (length(content_sha256) <= 64),
    body TEXT NOT NULL CHECK (length(body) <= 262144),
    FOREIGN KEY (lot_id) REFERENCES lots (id),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
) STRICT;
CREATE INDEX notices_lot ON notices (lot_id, published_at, id);
CREATE INDEX notices_time ON notices (published_at, id);
CREATE TRIGGER notices_guard_insert BEFORE INSERT ON notices BEGIN
    SELECT RAISE(ABORT, 'notices: a new row is version 1 and needs its audit entry first')
    WHERE NEW.version <> 1 OR EXISTS (SELECT 1 FROM notices WHERE id = NEW.id)
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER notices_guard_update BEFORE UPDATE ON notices BEGIN
    SELECT RAISE(ABORT, 'notices: a change is the next version and needs its audit entry first')
    WHERE NEW.id <> OLD.id OR NEW.version <> OLD.version + 1
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER notices_guard_delete BEFORE DELETE ON notices BEGIN
    SELECT RAISE(ABORT, 'notices: nothing on record is deleted');
END;

CREATE TABLE followers (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version INTEGER NOT NULL CHECK (version >= 1),
    lot_id TEXT NOT NULL CHECK (length(lot_id) <= 64),
    org_id TEXT NOT NULL CHECK (length(org_id) <= 64),
    at_ms INTEGER NOT NULL,
    UNIQUE (lot_id, org_id),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
) STRICT;
CREATE TRIGGER followers_guard_insert BEFORE INSERT ON followers BEGIN
    SELECT RAISE(ABORT, 'followers: a new row is version 1 and needs its audit entry first')
    WHERE NEW.version <> 1 OR EXISTS (SELECT 1 FROM followers WHERE id = NEW.id)
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER followers_guard_update BEFORE UPDATE ON followers BEGIN
    SELECT RAISE(ABORT, 'followers: a change is the next version and needs its audit entry first')
    WHERE NEW.id <> OLD.id OR NEW.version <> OLD.version + 1
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER followers_guard_delete BEFORE DELETE ON followers BEGIN
    SELECT RAISE(ABORT, 'followers: nothing on record is deleted');
END;

CREATE TABLE calendar_years (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    version INTEGER NOT NULL CHECK (version >= 1),
    year INTEGER NOT NULL,
    body TEXT NOT NULL CHECK (length(body) <= 262144),
    UNIQUE (year),
    FOREIGN KEY (id, version) REFERENCES audit_entry (stream, rev)
) STRICT;
CREATE TRIGGER calendar_years_guard_insert BEFORE INSERT ON calendar_years BEGIN
    SELECT RAISE(ABORT, 'calendar_years: a new row is version 1 and needs its audit entry first')
    WHERE NEW.version <> 1 OR EXISTS (SELECT 1 FROM calendar_years WHERE id = NEW.id)
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER calendar_years_guard_update BEFORE UPDATE ON calendar_years BEGIN
    SELECT RAISE(ABORT, 'calendar_years: a change is the next version and needs its audit entry first')
    WHERE NEW.id <> OLD.id OR NEW.version <> OLD.version + 1
        OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE stream = NEW.id AND rev = NEW.version);
END;
CREATE TRIGGER calendar_years_guard_delete BEFORE DELETE ON calendar_years BEGIN
    SELECT RAISE(ABORT, 'calendar_years: nothing on record is deleted');
END;
