-- When a server last said that it is ready, when it stopped in order, and the times in which none was ready.

ALTER TABLE instances ADD COLUMN ready_at BIGINT;
ALTER TABLE instances ADD COLUMN stopped_at BIGINT;

CREATE TABLE outages (
    owner_id TEXT NOT NULL PRIMARY KEY CHECK (length(owner_id) <= 64),
    owner_version BIGINT NOT NULL,
    from_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL CHECK (until_at >= from_at),
    FOREIGN KEY (owner_id, owner_version) REFERENCES audit_entry (stream, rev)
);
CREATE INDEX outages_until ON outages (until_at);
CREATE TRIGGER outages_append BEFORE UPDATE OR DELETE ON outages FOR EACH ROW EXECUTE FUNCTION guard_append();
CREATE TRIGGER outages_append_truncate BEFORE TRUNCATE ON outages FOR EACH STATEMENT EXECUTE FUNCTION guard_append();
ALTER TABLE outages ENABLE ALWAYS TRIGGER outages_append, ENABLE ALWAYS TRIGGER outages_append_truncate;
