-- The public log: its head, the batches in which it grew, and which leaf is which entry. Its tiles are files.

CREATE TABLE audit_head (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    size BIGINT NOT NULL,
    root BYTEA NOT NULL,
    batch BIGINT NOT NULL,
    slot BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    holder TEXT CHECK (length(holder) <= 64),
    lease_until BIGINT NOT NULL,
    published_size BIGINT NOT NULL,
    published_ms BIGINT NOT NULL,
    published TEXT CHECK (length(published) <= 65536),
    halted TEXT CHECK (length(halted) <= 1000)
);
-- The root of a tree without leaves is the hash of nothing (RFC 6962 section 2.1).
INSERT INTO audit_head (id, size, root, batch, slot, epoch, lease_until, published_size, published_ms)
VALUES (1, 0, '\xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', 0, 0, 0, 0, 0, 0);

CREATE TABLE audit_batch (
    batch BIGINT NOT NULL PRIMARY KEY,
    size_before BIGINT NOT NULL,
    size_after BIGINT NOT NULL,
    n_real BIGINT NOT NULL,
    pad_key BYTEA NOT NULL,
    slot BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    root BYTEA NOT NULL,
    UNIQUE (size_before),
    CHECK (size_after > size_before AND n_real <= size_after - size_before)
);

-- Without a foreign key to the entry: the queue has one, and looking it up again for every leaf would double the time of a batch.
CREATE TABLE audit_leaf (
    entry_id TEXT NOT NULL PRIMARY KEY CHECK (length(entry_id) <= 64),
    leaf_index BIGINT NOT NULL,
    UNIQUE (leaf_index)
);

-- Verifier keys of the log and of promises, and for which sizes they signed.
CREATE TABLE audit_key (
    vkey TEXT NOT NULL PRIMARY KEY CHECK (length(vkey) <= 1000),
    role TEXT NOT NULL CHECK (role IN ('log', 'promise')),
    first_size BIGINT NOT NULL,
    last_size BIGINT
);
CREATE TRIGGER audit_batch_append BEFORE UPDATE OR DELETE ON audit_batch FOR EACH ROW EXECUTE FUNCTION guard_append();
CREATE TRIGGER audit_batch_append_truncate BEFORE TRUNCATE ON audit_batch FOR EACH STATEMENT EXECUTE FUNCTION guard_append();
ALTER TABLE audit_batch ENABLE ALWAYS TRIGGER audit_batch_append, ENABLE ALWAYS TRIGGER audit_batch_append_truncate;
CREATE TRIGGER audit_leaf_append BEFORE UPDATE OR DELETE ON audit_leaf FOR EACH ROW EXECUTE FUNCTION guard_append();
CREATE TRIGGER audit_leaf_append_truncate BEFORE TRUNCATE ON audit_leaf FOR EACH STATEMENT EXECUTE FUNCTION guard_append();
ALTER TABLE audit_leaf ENABLE ALWAYS TRIGGER audit_leaf_append, ENABLE ALWAYS TRIGGER audit_leaf_append_truncate;
CREATE FUNCTION guard_head() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'UPDATE' OR NEW.size < OLD.size OR NEW.published_size < OLD.published_size OR NEW.epoch < OLD.epoch
        OR NEW.slot < OLD.slot OR (NEW.size = OLD.size AND NEW.root <> OLD.root) THEN
        RAISE EXCEPTION 'audit_head: the log only grows';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER audit_head_grows BEFORE UPDATE OR DELETE ON audit_head FOR EACH ROW EXECUTE FUNCTION guard_head();
CREATE TRIGGER audit_head_stays BEFORE TRUNCATE ON audit_head FOR EACH STATEMENT EXECUTE FUNCTION guard_append();
ALTER TABLE audit_head ENABLE ALWAYS TRIGGER audit_head_grows, ENABLE ALWAYS TRIGGER audit_head_stays;

-- Lots that were opened and are not disclosed with proof yet.
CREATE TABLE disclosures_due (
    lot_id TEXT NOT NULL PRIMARY KEY CHECK (length(lot_id) <= 64),
    entry_id TEXT CHECK (length(entry_id) <= 64)
);
