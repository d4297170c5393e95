-- What waits for the log waits in the order in which it came.
ALTER TABLE audit_pending DROP CONSTRAINT audit_pending_pkey;
ALTER TABLE audit_pending ADD COLUMN place BIGINT NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY;
