ALTER TABLE audit_pending RENAME TO audit_pending_after;
CREATE TABLE audit_pending (
    entry_id TEXT NOT NULL PRIMARY KEY CHECK (length(entry_id) <= 64),
    c BLOB NOT NULL,
    FOREIGN KEY (entry_id) REFERENCES audit_entry (entry_id)
) STRICT;
INSERT INTO audit_pending (entry_id, c) SELECT entry_id, c FROM audit_pending_after ORDER BY place;
DROP TABLE audit_pending_after;

DROP TRIGGER audit_leaf_append_update;
DROP TRIGGER audit_leaf_append_delete;
ALTER TABLE audit_leaf RENAME TO audit_leaf_after;
CREATE TABLE audit_leaf (
    entry_id TEXT NOT NULL PRIMARY KEY CHECK (length(entry_id) <= 64),
    leaf_index INTEGER NOT NULL,
    UNIQUE (leaf_index)
) STRICT;
INSERT INTO audit_leaf (entry_id, leaf_index) SELECT entry_id, leaf_index FROM audit_leaf_after;
DROP TABLE audit_leaf_after;
CREATE TRIGGER audit_leaf_append_update BEFORE UPDATE ON audit_leaf BEGIN
    SELECT RAISE(ABORT, 'audit_leaf: the log only grows');
END;
CREATE TRIGGER audit_leaf_append_delete BEFORE DELETE ON audit_leaf BEGIN
    SELECT RAISE(ABORT, 'audit_leaf: the log only grows');
END;
