-- What inspectors search by, beside the record: filled from a queue off the path of those who write, and made again from
-- the entries whenever somebody wants.

CREATE TABLE audit_search (
    entry_id TEXT NOT NULL PRIMARY KEY CHECK (length(entry_id) <= 64),
    at_ms INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (length(kind) <= 64),
    lot_id TEXT CHECK (length(lot_id) <= 64),
    project_id TEXT CHECK (length(project_id) <= 64),
    org_id TEXT CHECK (length(org_id) <= 64),
    actor_id TEXT CHECK (length(actor_id) <= 64),
    sealed INTEGER NOT NULL CHECK (sealed IN (0, 1))
) WITHOUT ROWID, STRICT;

CREATE TABLE audit_unsearched (
    entry_id TEXT NOT NULL PRIMARY KEY CHECK (length(entry_id) <= 64)
) WITHOUT ROWID, STRICT;

INSERT INTO audit_search (entry_id, at_ms, kind, lot_id, project_id, org_id, actor_id, sealed)
SELECT entry_id, at_ms, kind, lot_id, project_id, org_id, actor_id, sealed FROM audit_entry;

-- Whether an entry may be seen is decided within the index, as before.
CREATE INDEX audit_search_time ON audit_search (at_ms, entry_id, sealed, kind, lot_id);
CREATE INDEX audit_search_lot ON audit_search (lot_id, at_ms, entry_id, sealed, kind);
CREATE INDEX audit_search_lot_kind ON audit_search (lot_id, kind, at_ms, entry_id, sealed);
CREATE INDEX audit_search_project ON audit_search (project_id, at_ms, entry_id, sealed, kind, lot_id);
CREATE INDEX audit_search_org ON audit_search (org_id, at_ms, entry_id, sealed, kind, lot_id);
CREATE INDEX audit_search_actor ON audit_search (actor_id, at_ms, entry_id, sealed, kind, lot_id);
CREATE INDEX audit_search_kind ON audit_search (kind, at_ms, entry_id, sealed, lot_id);

DROP INDEX audit_entry_time;
DROP INDEX audit_entry_lot;
DROP INDEX audit_entry_project;
DROP INDEX audit_entry_org;
DROP INDEX audit_entry_actor;
DROP INDEX audit_entry_kind;
