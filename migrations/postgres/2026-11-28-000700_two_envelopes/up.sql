-- Two envelopes: a lot has a key set and a session for each round of openings, and a bid says in which version it was sealed,
-- since passing the first envelope makes a new version of it.

ALTER TABLE key_sets ADD COLUMN round BIGINT NOT NULL DEFAULT 1 CHECK (round IN (1, 2));
ALTER TABLE key_sets ALTER COLUMN round DROP DEFAULT;
ALTER TABLE key_sets DROP CONSTRAINT key_sets_lot_id_key;
ALTER TABLE key_sets ADD UNIQUE (lot_id, round);

ALTER TABLE openings ADD COLUMN round BIGINT NOT NULL DEFAULT 1 CHECK (round IN (1, 2));
ALTER TABLE openings ALTER COLUMN round DROP DEFAULT;
ALTER TABLE openings DROP CONSTRAINT openings_lot_id_key;
ALTER TABLE openings ADD UNIQUE (lot_id, round);

ALTER TABLE bids ADD COLUMN sealed_version BIGINT NOT NULL
    GENERATED ALWAYS AS ((body::jsonb ->> 'sealed_version')::bigint) STORED;
