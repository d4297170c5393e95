DROP TABLE audit_search;
DROP TABLE audit_name;
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

DROP TRIGGER audit_personal_append_insert;
DROP TRIGGER audit_personal_append_update;
ALTER TABLE audit_personal RENAME TO audit_personal_before;
CREATE TABLE audit_personal (
    entry_id TEXT NOT NULL PRIMARY KEY CHECK (length(entry_id) <= 64),
    s_i BLOB NOT NULL,
    part_i TEXT NOT NULL CHECK (length(part_i) <= 65536),
    FOREIGN KEY (entry_id) REFERENCES audit_entry (entry_id)
) STRICT;
INSERT INTO audit_personal (entry_id, s_i, part_i) SELECT entry_id, s_i, part_i FROM audit_personal_before ORDER BY entry_id;
DROP TABLE audit_personal_before;
CREATE TRIGGER audit_personal_append_insert BEFORE INSERT ON audit_personal WHEN EXISTS (SELECT 1 FROM audit_personal WHERE entry_id = NEW.entry_id) BEGIN
    SELECT RAISE(ABORT, 'audit_personal: entries are never written over');
END;
CREATE TRIGGER audit_personal_append_update BEFORE UPDATE ON audit_personal BEGIN
    SELECT RAISE(ABORT, 'audit_personal: entries are never changed');
END;
