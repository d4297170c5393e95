-- Bidders' keys in escrow: a key set for them beside those of the rounds, and lists of shares that were made with such a key say
-- from which envelope it came.

ALTER TABLE key_sets DROP CONSTRAINT key_sets_round_check;
ALTER TABLE key_sets ADD CONSTRAINT key_sets_round_check CHECK (round IN (1, 2, 3));

ALTER TABLE partial_lists ADD COLUMN escrow TEXT CHECK (length(escrow) <= 64);
