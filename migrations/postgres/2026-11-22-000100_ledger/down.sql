-- For development only: taking back a migration loses what the tables hold.
DROP TABLE instances;
DROP TABLE leases;
DROP TABLE meta;
DROP TABLE outbox;
DROP TABLE idempotency;
DROP TABLE audit_pending;
DROP TABLE audit_personal;
DROP TABLE audit_entry;
DROP FUNCTION guard_append();
DROP FUNCTION guard_subject();
