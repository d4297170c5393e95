-- Whether an entry may be seen is decided within the index: a run of sealed entries, or of looks, is passed over without
-- reading them.

DROP INDEX audit_entry_time;
CREATE INDEX audit_entry_time ON audit_entry (at_ms, entry_id, sealed, kind, lot_id);
DROP INDEX audit_entry_lot;
CREATE INDEX audit_entry_lot ON audit_entry (lot_id, at_ms, entry_id, sealed, kind);
DROP INDEX audit_entry_project;
CREATE INDEX audit_entry_project ON audit_entry (project_id, at_ms, entry_id, sealed, kind, lot_id);
DROP INDEX audit_entry_org;
CREATE INDEX audit_entry_org ON audit_entry (org_id, at_ms, entry_id, sealed, kind, lot_id);
DROP INDEX audit_entry_actor;
CREATE INDEX audit_entry_actor ON audit_entry (actor_id, at_ms, entry_id, sealed, kind, lot_id);
DROP INDEX audit_entry_kind;
CREATE INDEX audit_entry_kind ON audit_entry (kind, at_ms, entry_id, sealed, lot_id);
