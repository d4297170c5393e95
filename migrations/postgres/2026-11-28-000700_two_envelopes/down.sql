-- Possible only while no lot has a second round.
ALTER TABLE bids DROP COLUMN sealed_version;
ALTER TABLE key_sets DROP CONSTRAINT key_sets_lot_id_round_key;
ALTER TABLE key_sets ADD UNIQUE (lot_id);
ALTER TABLE key_sets DROP COLUMN round;
ALTER TABLE openings DROP CONSTRAINT openings_lot_id_round_key;
ALTER TABLE openings ADD UNIQUE (lot_id);
ALTER TABLE openings DROP COLUMN round;
