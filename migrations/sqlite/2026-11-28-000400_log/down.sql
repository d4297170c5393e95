DROP TABLE disclosures_due;
DROP TABLE audit_key;
DROP TABLE audit_leaf;
DROP TABLE audit_batch;
DROP TABLE audit_head;
