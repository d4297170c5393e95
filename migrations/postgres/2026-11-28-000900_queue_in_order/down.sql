ALTER TABLE audit_pending DROP COLUMN place;
ALTER TABLE audit_pending ADD PRIMARY KEY (entry_id);
