-- For development only: taking back a migration loses what the tables hold.
DROP TABLE reports;
DROP TABLE evaluations;
DROP TABLE objections;
DROP TABLE unsealings;
DROP TABLE openings;
