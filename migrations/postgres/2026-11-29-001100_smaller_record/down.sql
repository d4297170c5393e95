DROP TABLE audit_search;
DROP TABLE audit_name;
CREATE TABLE audit_search (
    entry_id TEXT NOT NULL PRIMARY KEY CHECK (length(entry_id) <= 64),
    at_ms BIGINT NOT NULL,
    kind TEXT NOT NULL CHECK (length(kind) <= 64),
    lot_id TEXT CHECK (length(lot_id) <= 64),
    project_id TEXT CHECK (length(project_id) <= 64),
    org_id TEXT CHECK (length(org_id) <= 64),
    actor_id TEXT CHECK (length(actor_id) <= 64),
    sealed BOOLEAN NOT NULL
);

INSERT INTO audit_search (entry_id, at_ms, kind, lot_id, project_id, org_id, actor_id, sealed)
SELECT entry_id, at_ms, kind, lot_id, project_id, org_id, actor_id, sealed FROM audit_entry
WHERE entry_id NOT IN (SELECT entry_id FROM audit_unsearched);

CREATE INDEX audit_search_time ON audit_search (at_ms, entry_id, sealed, kind, lot_id);
CREATE INDEX audit_search_lot ON audit_search (lot_id, at_ms, entry_id, sealed, kind);
CREATE INDEX audit_search_lot_kind ON audit_search (lot_id, kind, at_ms, entry_id, sealed);
CREATE INDEX audit_search_project ON audit_search (project_id, at_ms, entry_id, sealed, kind, lot_id);
CREATE INDEX audit_search_org ON audit_search (org_id, at_ms, entry_id, sealed, kind, lot_id);
CREATE INDEX audit_search_actor ON audit_search (actor_id, at_ms, entry_id, sealed, kind, lot_id);
CREATE INDEX audit_search_kind ON audit_search (kind, at_ms, entry_id, sealed, lot_id);
