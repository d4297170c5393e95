-- For development only: taking back a migration loses what the tables hold.
DROP TABLE reset_tokens;
DROP TABLE refresh_tokens;
DROP TABLE sessions;
DROP TABLE user_secrets;
DROP TABLE signing_keys;
DROP TABLE users;
DROP TABLE organisations;
