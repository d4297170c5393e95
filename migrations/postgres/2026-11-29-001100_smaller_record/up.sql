-- What inspectors search by, in numbers: an id of 36 characters stood in each of seven indexes, for every entry.

-- Each kind, lot, project, organisation and user of the record once. The numbers mean nothing outside this database.
CREATE TABLE audit_name (
    n INTEGER NOT NULL PRIMARY KEY,
    name TEXT NOT NULL CHECK (length(name) <= 64),
    UNIQUE (name)
);

INSERT INTO audit_name (n, name)
SELECT row_number() OVER (ORDER BY name), name
FROM (
    SELECT kind AS name FROM audit_entry
    UNION SELECT lot_id FROM audit_entry
    UNION SELECT project_id FROM audit_entry
    UNION SELECT org_id FROM audit_entry
    UNION SELECT actor_id FROM audit_entry
) AS found
WHERE name IS NOT NULL;

-- `n` is the order in which entries came into the table: it decides between two of one instant.
DROP TABLE audit_search;
CREATE TABLE audit_search (
    n BIGINT NOT NULL PRIMARY KEY,
    entry_id TEXT NOT NULL CHECK (length(entry_id) <= 64),
    at_ms BIGINT NOT NULL,
    kind INTEGER NOT NULL,
    lot INTEGER,
    project INTEGER,
    org INTEGER,
    actor INTEGER,
    sealed BOOLEAN NOT NULL,
    UNIQUE (entry_id)
);

INSERT INTO audit_search (n, entry_id, at_ms, kind, lot, project, org, actor, sealed)
SELECT row_number() OVER (ORDER BY e.at_ms, e.entry_id), e.entry_id, e.at_ms, kind.n, lot.n, project.n, org.n, actor.n, e.sealed
FROM audit_entry AS e
JOIN audit_name AS kind ON kind.name = e.kind
LEFT JOIN audit_name AS lot ON lot.name = e.lot_id
LEFT JOIN audit_name AS project ON project.name = e.project_id
LEFT JOIN audit_name AS org ON org.name = e.org_id
LEFT JOIN audit_name AS actor ON actor.name = e.actor_id
WHERE e.entry_id NOT IN (SELECT entry_id FROM audit_unsearched);

-- The same indexes, and again whether an entry may be seen is decided within each.
CREATE INDEX audit_search_time ON audit_search (at_ms, n, sealed, kind, lot);
CREATE INDEX audit_search_lot ON audit_search (lot, at_ms, n, sealed, kind);
CREATE INDEX audit_search_lot_kind ON audit_search (lot, kind, at_ms, n, sealed);
CREATE INDEX audit_search_project ON audit_search (project, at_ms, n, sealed, kind, lot);
CREATE INDEX audit_search_org ON audit_search (org, at_ms, n, sealed, kind, lot);
CREATE INDEX audit_search_actor ON audit_search (actor, at_ms, n, sealed, kind, lot);
CREATE INDEX audit_search_kind ON audit_search (kind, at_ms, n, sealed, lot);
