-- For development only: taking back a migration loses what the tables hold.
DROP TABLE refusals;
DROP TABLE bid_envelopes;
DROP TABLE bids;
DROP TABLE uploads;
DROP TABLE key_secrets;
DROP TABLE key_sets;
