//! Appends entries: the record of a change in its three salted parts, chained within its stream.
//!
//! Part `p` has these keys, in RFC 8785 order: `at` (when, six fraction digits), `data` (the public facts of the kind),
//! `from`, `id` (the entry's), `kind`, `lot`, `object` (SHA-256 of the row's canonical form), `prev` (commitment of the
//! stream's previous entry), `rev`, `role`, `stream`, `to`, `v`. Keys without a value are absent. Part `c` has `actor`,
//! `data`, `org`, `request`; part `i` has `agent`, `data`, `ip`.

use diesel::prelude::*;
use ring::rand::{SecureRandom, SystemRandom};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::change::WriteConn;
use super::context::Context;
use super::error::{Error, Result};
use super::record::Record;
use crate::db::schema::{audit_entry, audit_pending, audit_personal, audit_unsearched};
use crate::db::{Conn, Insert, Kept};
use crate::kernel::canonical;
use crate::kernel::digest::{Digest, sha256};
use crate::kernel::encoding::hex;
use crate::kernel::id;
use crate::kernel::time::Timestamp;
use crate::tlog::entry::{Part, Salt, commitment, part_digest};
use crate::tlog::receipt::Opening;

/// What a use case may know of the entry it made: enough for a receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The entry's id.
    pub entry_id: String,
    /// The commitment over its parts.
    pub commitment: Digest,
    /// The salt that opens part `p`.
    pub salt: Salt,
    /// Part `p`, exactly as hashed.
    pub public: String,
    /// Digest of part `c`.
    pub restricted_digest: Digest,
    /// Digest of part `i`.
    pub personal_digest: Digest,
    /// When it was recorded.
    pub at: Timestamp,
}

/// A row of `audit_entry`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = audit_entry, treat_none_as_default_value = false)]
pub struct EntryRow {
    /// The entry's id, random.
    pub entry_id: String,
    /// The subject's id.
    pub stream: String,
    /// The subject's version.
    pub rev: i64,
    /// Commitment of the stream's previous entry.
    pub prev: Option<Vec<u8>>,
    /// `noun.verb`.
    pub kind: String,
    /// The lot it belongs to.
    pub lot_id: Option<String>,
    /// The project it belongs to.
    pub project_id: Option<String>,
    /// The organisation it is about.
    pub org_id: Option<String>,
    /// The user who acted.
    pub actor_id: Option<String>,
    /// When, epoch milliseconds.
    pub at_ms: i64,
    /// Hidden until the lot's boxes are open.
    pub sealed: bool,
    /// Commitment.
    pub c: Vec<u8>,
    /// Digest of part `p`.
    pub h_p: Vec<u8>,
    /// Digest of part `c`.
    pub h_c: Vec<u8>,
    /// Digest of part `i`.
    pub h_i: Vec<u8>,
    /// Salt of part `p`.
    pub s_p: Vec<u8>,
    /// Part `p`.
    pub part_p: String,
    /// Salt of part `c`.
    pub s_c: Vec<u8>,
    /// Part `c`.
    pub part_c: String,
}

impl EntryRow {
    /// What opens part `p`, for a receipt.
    ///
    /// # Errors
    /// Damage where a salt or a digest has not 32 bytes.
    pub fn opening(&self) -> Result<Opening> {
        let bytes =
            |value: &[u8]| <[u8; 32]>::try_from(value).map_err(|_| Error::damaged(format!("entry {}", self.entry_id)));
        Ok(Opening {
            s_p: bytes(&self.s_p)?,
            p: self.part_p.clone().into_bytes(),
            h_c: Digest::from_bytes(bytes(&self.h_c)?),
            h_i: Digest::from_bytes(bytes(&self.h_i)?),
        })
    }
}

/// An entry ready to be written, with its erasable part.
pub(super) struct Composed {
    row: EntryRow,
    personal_salt: Salt,
    personal: String,
    entry: Entry,
}

impl Composed {
    pub(super) fn into_entry(self) -> Entry {
        self.entry
    }
}

/// The step of a stream that an entry explains.
pub(super) struct Transition<'a> {
    pub(super) stream: &'a str,
    pub(super) rev: i64,
    pub(super) from: Option<&'a str>,
    pub(super) to: Option<&'a str>,
    pub(super) object: Option<String>,
}

/// SHA-256 of a row's canonical form, in hex: what `object` says.
pub fn row_digest(row: &impl Serialize) -> Result<String> {
    let value = serde_json::to_value(row).map_err(|error| Error::internal(format!("row: {error}")))?;
    Ok(sha256(canonical_text(&value)?.as_bytes()).to_string())
}

fn canonical_text(value: &Value) -> Result<String> {
    canonical::to_string(value).map_err(|error| Error::internal(format!("canonical form: {error}")))
}

fn salt() -> Result<Salt> {
    let mut salt = [0; 32];
    SystemRandom::new().fill(&mut salt).map_err(|_| Error::internal("the system gives no random numbers"))?;
    Ok(salt)
}

pub(super) fn compose(
    conn: &mut Conn,
    context: &Context,
    now: Timestamp,
    step: Transition<'_>,
    record: Record,
) -> Result<Composed> {
    let prev = if step.rev > 1 { Some(previous(conn, step.stream, step.rev - 1)?) } else { None };
    let entry_id = id::random("ent");
    let public = canonical_text(&public_part(&entry_id, context, now, &step, prev.as_deref(), &record))?;
    let restricted = canonical_text(&restricted_part(context, &record))?;
    let personal = canonical_text(&personal_part(context, &record))?;
    let (s_p, s_c, s_i) = (salt()?, salt()?, salt()?);
    let h_p = part_digest(Part::Public, &s_p, public.as_bytes());
    let h_c = part_digest(Part::Restricted, &s_c, restricted.as_bytes());
    let h_i = part_digest(Part::Personal, &s_i, personal.as_bytes());
    let c = commitment(&h_p, &h_c, &h_i);
    let row = EntryRow {
        entry_id: entry_id.clone(),
        stream: step.stream.to_owned(),
        rev: step.rev,
        prev,
        kind: record.kind.to_owned(),
        lot_id: record.lot_id,
        project_id: record.project_id,
        org_id: record.org_id.or_else(|| context.org_id.clone()),
        actor_id: context.actor_id.clone(),
        at_ms: now.millis(),
        sealed: record.sealed,
        c: c.as_bytes().to_vec(),
        h_p: h_p.as_bytes().to_vec(),
        h_c: h_c.as_bytes().to_vec(),
        h_i: h_i.as_bytes().to_vec(),
        s_p: s_p.to_vec(),
        part_p: public.clone(),
        s_c: s_c.to_vec(),
        part_c: restricted,
    };
    let entry =
        Entry { entry_id, commitment: c, salt: s_p, public, restricted_digest: h_c, personal_digest: h_i, at: now };
    Ok(Composed { row, personal_salt: s_i, personal, entry })
}

/// With six fraction digits, of which the last three are zero: instants are kept to the millisecond.
fn micros(at: Timestamp) -> String {
    at.to_string().replace('Z', "000Z")
}

fn public_part(
    entry_id: &str,
    context: &Context,
    now: Timestamp,
    step: &Transition<'_>,
    prev: Option<&[u8]>,
    record: &Record,
) -> Value {
    let mut part = Map::new();
    part.insert("at".into(), json!(micros(now)));
    part.insert("id".into(), json!(entry_id));
    part.insert("kind".into(), json!(record.kind));
    part.insert("rev".into(), json!(step.rev));
    part.insert("role".into(), json!(context.role));
    part.insert("stream".into(), json!(step.stream));
    part.insert("v".into(), json!(1));
    let optional = [
        ("from", step.from.map(str::to_owned)),
        ("to", step.to.map(str::to_owned)),
        ("lot", record.lot_id.clone()),
        ("object", step.object.clone()),
        ("prev", prev.map(hex)),
    ];
    for (key, value) in optional {
        if let Some(value) = value {
            part.insert(key.into(), json!(value));
        }
    }
    if !record.public.is_empty() {
        part.insert("data".into(), Value::Object(record.public.clone()));
    }
    Value::Object(part)
}

fn restricted_part(context: &Context, record: &Record) -> Value {
    let mut part = Map::new();
    part.insert("request".into(), json!(context.request_id));
    if let Some(actor) = &context.actor_id {
        part.insert("actor".into(), json!(actor));
    }
    if let Some(org) = record.org_id.as_ref().or(context.org_id.as_ref()) {
        part.insert("org".into(), json!(org));
    }
    if !record.restricted.is_empty() {
        part.insert("data".into(), Value::Object(record.restricted.clone()));
    }
    Value::Object(part)
}

fn personal_part(context: &Context, record: &Record) -> Value {
    let mut part = Map::new();
    if let Some(ip) = &context.ip {
        part.insert("ip".into(), json!(ip));
    }
    if let Some(agent) = &context.agent {
        part.insert("agent".into(), json!(agent));
    }
    if !record.personal.is_empty() {
        part.insert("data".into(), Value::Object(record.personal.clone()));
    }
    Value::Object(part)
}

fn previous(conn: &mut Conn, stream: &str, rev: i64) -> Result<Vec<u8>> {
    Ok(audit_entry::table
        .filter(audit_entry::stream.eq(stream))
        .filter(audit_entry::rev.eq(rev))
        .select(audit_entry::c)
        .first(conn)?)
}

/// The last revision of a stream; 0 where it has none.
pub(super) fn last_rev(conn: &mut Conn, stream: &str) -> Result<i64> {
    let last: Option<i64> = audit_entry::table
        .filter(audit_entry::stream.eq(stream))
        .select(diesel::dsl::max(audit_entry::rev))
        .first(conn)?;
    Ok(last.unwrap_or(0))
}

/// Writes an entry: one round trip on PostgreSQL, four prepared statements on SQLite, where they cost nothing.
pub(super) fn append(conn: &mut WriteConn<'_>, composed: &Composed) -> diesel::QueryResult<()> {
    match conn.get() {
        Conn::Pg(conn) => append_at_once(conn, composed),
        conn @ Conn::Sqlite(_) => append_one_by_one(conn, composed),
    }
}

#[expect(clippy::disallowed_methods, reason = "the record is written here and nowhere else")]
fn append_one_by_one(conn: &mut Conn, composed: &Composed) -> diesel::QueryResult<()> {
    crate::kept!(conn, Insert<EntryRow>, diesel::insert_into(audit_entry::table).values(&composed.row))?;
    let personal = (
        audit_personal::entry_id.eq(&composed.row.entry_id),
        audit_personal::s_i.eq(&composed.personal_salt[..]),
        audit_personal::part_i.eq(&composed.personal),
    );
    crate::kept!(conn, Personal, diesel::insert_into(audit_personal::table).values(personal))?;
    let pending = (audit_pending::entry_id.eq(&composed.row.entry_id), audit_pending::c.eq(&composed.row.c));
    crate::kept!(conn, Pending, diesel::insert_into(audit_pending::table).values(pending))?;
    let unsearched = audit_unsearched::entry_id.eq(&composed.row.entry_id);
    crate::kept!(conn, Unsearched, diesel::insert_into(audit_unsearched::table).values(unsearched))?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "four inserts in one statement have no typed form")]
fn append_at_once(conn: &mut PgConnection, composed: &Composed) -> diesel::QueryResult<()> {
    use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text};
    let row = &composed.row;
    let insert = diesel::sql_query(
        "WITH entry AS (INSERT INTO audit_entry (entry_id, stream, rev, prev, kind, lot_id, project_id, org_id, actor_id, \
         at_ms, sealed, c, h_p, h_c, h_i, s_p, part_p, s_c, part_c) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)), \
         personal AS (INSERT INTO audit_personal (entry_id, s_i, part_i) VALUES ($1, $20, $21)), \
         unsearched AS (INSERT INTO audit_unsearched (entry_id) VALUES ($1)) \
         INSERT INTO audit_pending (entry_id, c) VALUES ($1, $12)",
    )
    .bind::<Text, _>(&row.entry_id)
    .bind::<Text, _>(&row.stream)
    .bind::<BigInt, _>(row.rev)
    .bind::<Nullable<Binary>, _>(&row.prev)
    .bind::<Text, _>(&row.kind)
    .bind::<Nullable<Text>, _>(&row.lot_id)
    .bind::<Nullable<Text>, _>(&row.project_id)
    .bind::<Nullable<Text>, _>(&row.org_id)
    .bind::<Nullable<Text>, _>(&row.actor_id)
    .bind::<BigInt, _>(row.at_ms)
    .bind::<Bool, _>(row.sealed)
    .bind::<Binary, _>(&row.c)
    .bind::<Binary, _>(&row.h_p)
    .bind::<Binary, _>(&row.h_c)
    .bind::<Binary, _>(&row.h_i)
    .bind::<Binary, _>(&row.s_p)
    .bind::<Text, _>(&row.part_p)
    .bind::<Binary, _>(&row.s_c)
    .bind::<Text, _>(&row.part_c)
    .bind::<Binary, _>(&composed.personal_salt[..])
    .bind::<Text, _>(&composed.personal);
    Kept::<AtOnce, _>::new(insert).execute(conn).map(drop)
}

/// Names of statements.
enum Personal {}
enum Pending {}
enum Unsearched {}
enum AtOnce {}
