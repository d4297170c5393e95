-- For development only: taking back a migration loses what the tables hold.
DROP TABLE used_assertions;
DROP TABLE service_clients;
