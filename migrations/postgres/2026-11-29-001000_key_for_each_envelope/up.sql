-- Two envelopes under bidders' own keys: a version of a bid has one key of its bidder for each round of openings.

ALTER TABLE bidder_keys ADD COLUMN round BIGINT NOT NULL DEFAULT 1 CHECK (round IN (1, 2));
ALTER TABLE bidder_keys ALTER COLUMN round DROP DEFAULT;
ALTER TABLE bidder_keys DROP CONSTRAINT bidder_keys_pkey;
ALTER TABLE bidder_keys ADD PRIMARY KEY (owner_id, owner_version, round);
