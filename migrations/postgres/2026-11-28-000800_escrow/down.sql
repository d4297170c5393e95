-- Possible only while no lot has an escrow.
ALTER TABLE partial_lists DROP COLUMN escrow;
ALTER TABLE key_sets DROP CONSTRAINT key_sets_round_check;
ALTER TABLE key_sets ADD CONSTRAINT key_sets_round_check CHECK (round IN (1, 2));
