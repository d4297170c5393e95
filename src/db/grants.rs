//! What the application's role may do on PostgreSQL, beside the owner of the tables who migrates them.
//!
//! The owner needs no login while the server runs. Triggers and grants are guard rails against mistakes and against a
//! captured application; they do not stop whoever administers the database.

use diesel::connection::SimpleConnection;

use super::Conn;

/// Entries and their parts: added and read, never changed.
const APPEND_ONLY: &[&str] = &[
    "audit_entry",
    "audit_batch",
    "audit_leaf",
    "bid_envelopes",
    "outages",
    "ceremony_messages",
    "share_backups",
    "bidder_keys",
    "partials",
];
/// Subjects: added and changed, never deleted; each change is held to its entry by triggers.
const SUBJECTS: &[&str] = &[
    "organisations",
    "users",
    "signing_keys",
    "service_clients",
    "projects",
    "lots",
    "documents",
    "questions",
    "notices",
    "followers",
    "calendar_years",
    "key_sets",
    "bids",
    "refusals",
    "openings",
    "unsealings",
    "objections",
    "evaluations",
    "reports",
    "mandates",
    "break_glasses",
    "erasures",
    "custodians",
    "ceremonies",
    "snapshots",
    "partial_lists",
];
/// Working state beside the record: free to change.
const PLUMBING: &[&str] = &[
    "audit_personal",
    "audit_pending",
    "audit_head",
    "audit_key",
    "disclosures_due",
    "audit_name",
    "audit_search",
    "audit_unsearched",
    "idempotency",
    "outbox",
    "meta",
    "leases",
    "instances",
    "user_secrets",
    "sessions",
    "refresh_tokens",
    "reset_tokens",
    "used_assertions",
    "key_secrets",
    "uploads",
    "damages",
];

/// Every subject table, by name.
pub fn subject_tables() -> &'static [&'static str] {
    SUBJECTS
}

/// Grants `role` what `serve` needs. Does nothing on SQLite, which has no roles.
///
/// # Errors
/// The database's, when the role does not exist or the caller does not own the tables.
pub fn grant_application_role(conn: &mut Conn, role: &str) -> Result<(), diesel::result::Error> {
    let Conn::Pg(conn) = conn else { return Ok(()) };
    let role = format!("\"{}\"", role.replace('"', ""));
    let mut sql =
        format!("GRANT USAGE ON SCHEMA public TO {role}; GRANT SELECT ON __diesel_schema_migrations TO {role};");
    for (tables, rights) in [
        (APPEND_ONLY, "SELECT, INSERT"),
        (SUBJECTS, "SELECT, INSERT, UPDATE"),
        (PLUMBING, "SELECT, INSERT, UPDATE, DELETE"),
    ] {
        for table in tables {
            sql.push_str(&format!("REVOKE ALL ON {table} FROM {role}; GRANT {rights} ON {table} TO {role};"));
        }
    }
    conn.batch_execute(&sql)
}
