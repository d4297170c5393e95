-- Possible only while no bid has two keys.
ALTER TABLE bidder_keys DROP CONSTRAINT bidder_keys_pkey;
ALTER TABLE bidder_keys ADD PRIMARY KEY (owner_id, owner_version);
ALTER TABLE bidder_keys DROP COLUMN round;
