-- The public log: its head, the batches in which it grew, and which leaf is which entry. Its tiles are files.

CREATE TABLE audit_head (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    size INTEGER NOT NULL,
    root BLOB NOT NULL,
    batch INTEGER NOT NULL,
    slot INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    holder TEXT CHECK (length(holder) <= 64),
    lease_until INTEGER NOT NULL,
    published_size INTEGER NOT NULL,
    published_ms INTEGER NOT NULL,
    published TEXT CHECK (length(published) <= 65536),
    halted TEXT CHECK (length(halted) <= 1000)
) STRICT;
-- The root of a tree without leaves is the hash of nothing (RFC 6962 section 2.1).
INSERT INTO audit_head (id, size, root, batch, slot, epoch, lease_until, published_size, published_ms)
VALUES (1, 0, x'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', 0, 0, 0, 0, 0, 0);

CREATE TABLE audit_batch (
    batch INTEGER NOT NULL PRIMARY KEY,
    size_before INTEGER NOT NULL,
    size_after INTEGER NOT NULL,
    n_real INTEGER NOT NULL,
    pad_key BLOB NOT NULL,
    slot INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    root BLOB NOT NULL,
    UNIQUE (size_before),
    CHECK (size_after > size_before AND n_real <= size_after - size_before)
) STRICT;

-- Without a foreign key to the entry: the queue has one, and looking it up again for every leaf would double the time of a batch.
CREATE TABLE audit_leaf (
    entry_id TEXT NOT NULL PRIMARY KEY CHECK (length(entry_id) <= 64),
    leaf_index INTEGER NOT NULL,
    UNIQUE (leaf_index)
) STRICT;

-- Verifier keys of the log and of promises, and for which sizes they signed.
CREATE TABLE audit_key (
    vkey TEXT NOT NULL PRIMARY KEY CHECK (length(vkey) <= 1000),
    role TEXT NOT NULL CHECK (role IN ('log', 'promise')),
    first_size INTEGER NOT NULL,
    last_size INTEGER
) STRICT;
CREATE TRIGGER audit_batch_append_update BEFORE UPDATE ON audit_batch BEGIN
    SELECT RAISE(ABORT, 'audit_batch: the log only grows');
END;
CREATE TRIGGER audit_batch_append_delete BEFORE DELETE ON audit_batch BEGIN
    SELECT RAISE(ABORT, 'audit_batch: the log only grows');
END;
CREATE TRIGGER audit_leaf_append_update BEFORE UPDATE ON audit_leaf BEGIN
    SELECT RAISE(ABORT, 'audit_leaf: the log only grows');
END;
CREATE TRIGGER audit_leaf_append_delete BEFORE DELETE ON audit_leaf BEGIN
    SELECT RAISE(ABORT, 'audit_leaf: the log only grows');
END;
CREATE TRIGGER audit_head_grows BEFORE UPDATE ON audit_head
WHEN NEW.size < OLD.size OR NEW.published_size < OLD.published_size OR NEW.epoch < OLD.epoch OR NEW.slot < OLD.slot
    OR (NEW.size = OLD.size AND NEW.root <> OLD.root) BEGIN
    SELECT RAISE(ABORT, 'audit_head: the log only grows');
END;
CREATE TRIGGER audit_head_stays BEFORE DELETE ON audit_head BEGIN
    SELECT RAISE(ABORT, 'audit_head: the log only grows');
END;

-- Lots that were opened and are not disclosed with proof yet.
CREATE TABLE disclosures_due (
    lot_id TEXT NOT NULL PRIMARY KEY CHECK (length(lot_id) <= 64),
    entry_id TEXT CHECK (length(entry_id) <= 64)
) STRICT;
