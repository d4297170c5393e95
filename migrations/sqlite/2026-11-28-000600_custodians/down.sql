DROP TABLE partials;
DROP TABLE partial_lists;
DROP TABLE snapshots;
DROP TABLE bidder_keys;
DROP TABLE share_backups;
DROP TABLE ceremony_messages;
DROP TABLE ceremonies;
DROP TABLE custodians;
