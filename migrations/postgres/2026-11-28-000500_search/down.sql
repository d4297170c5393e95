CREATE INDEX audit_entry_time ON audit_entry (at_ms, entry_id, sealed, kind, lot_id);
CREATE INDEX audit_entry_lot ON audit_entry (lot_id, at_ms, entry_id, sealed, kind);
CREATE INDEX audit_entry_project ON audit_entry (project_id, at_ms, entry_id, sealed, kind, lot_id);
CREATE INDEX audit_entry_org ON audit_entry (org_id, at_ms, entry_id, sealed, kind, lot_id);
CREATE INDEX audit_entry_actor ON audit_entry (actor_id, at_ms, entry_id, sealed, kind, lot_id);
CREATE INDEX audit_entry_kind ON audit_entry (kind, at_ms, entry_id, sealed, lot_id);
DROP TABLE audit_unsearched;
DROP TABLE audit_search;
