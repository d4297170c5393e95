-- For development only: taking back a migration loses what the tables hold.
DROP TABLE calendar_years;
DROP TABLE followers;
DROP TABLE notices;
DROP TABLE questions;
DROP TABLE documents;
DROP TABLE lots;
DROP TABLE projects;
