//! The transaction of a use case, and the one form in which a subject is written.
//!
//! A handler has nothing to write with: [`WriteConn`] has no public constructor.

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use serde::Serialize;

use super::audit::{self, Entry};
use super::context::Context;
use super::error::{Error, Result};
use super::outbox::{self, Mail};
use super::record::Record;
use crate::db::Conn;
use crate::kernel::time::Timestamp;

/// A connection that may write. Only the ledger makes one, and only for as long as one write.
pub struct WriteConn<'a>(&'a mut Conn);

impl<'a> WriteConn<'a> {
    /// For upkeep, which has transactions of its own.
    pub(super) fn lent(conn: &'a mut Conn) -> Self {
        Self(conn)
    }
}

impl WriteConn<'_> {
    /// The connection, for the statement at hand.
    pub fn get(&mut self) -> &mut Conn {
        self.0
    }
}

/// A row that changes only with its entry: it has an id of its own that is the name of its stream, and a version that
/// is the revision of the entry that explains it.
pub trait Subject: Serialize + Clone {
    /// Its stream.
    fn id(&self) -> &str;
    /// The revision it is at.
    fn version(&self) -> i64;
    /// Sets the revision; the ledger calls it.
    fn set_version(&mut self, version: i64);
    /// Its state, where it is a machine.
    fn state(&self) -> Option<&str>;
    /// Inserts the row.
    fn insert(&self, conn: &mut WriteConn<'_>) -> diesel::QueryResult<usize>;
    /// Replaces the row that is one version older.
    fn update(&self, conn: &mut WriteConn<'_>) -> diesel::QueryResult<usize>;
}

/// Writes [`Subject`] for a row type whose fields are the table's columns: all of them, whatever their values, so that the
/// statements have one text (`treat_none_as_null`, `treat_none_as_default_value = false`).
#[macro_export]
macro_rules! subject {
    ($row:ty, $table:ident, stateless) => {
        $crate::subject!(@imp $row, $table, |_row| None);
    };
    ($row:ty, $table:ident) => {
        $crate::subject!(@imp $row, $table, |row| Some(row.state.as_str()));
    };
    (@imp $row:ty, $table:ident, |$this:ident| $state:expr) => {
        impl $crate::ledger::Subject for $row {
            fn id(&self) -> &str {
                &self.id
            }
            fn version(&self) -> i64 {
                self.version
            }
            fn set_version(&mut self, version: i64) {
                self.version = version;
            }
            fn state(&self) -> Option<&str> {
                let $this = self;
                $state
            }
            #[expect(clippy::disallowed_methods, reason = "a subject is written here and nowhere else")]
            fn insert(&self, conn: &mut $crate::ledger::WriteConn<'_>) -> diesel::QueryResult<usize> {
                $crate::kept!(
                    conn.get(),
                    $crate::db::Insert<$row>,
                    diesel::insert_into($crate::db::schema::$table::table).values(self)
                )
            }
            #[expect(clippy::disallowed_methods, reason = "a subject is written here and nowhere else")]
            fn update(&self, conn: &mut $crate::ledger::WriteConn<'_>) -> diesel::QueryResult<usize> {
                use diesel::prelude::*;
                use $crate::db::schema::$table::dsl;
                $crate::kept!(
                    conn.get(),
                    $crate::db::Update<$row>,
                    diesel::update(dsl::$table.filter(dsl::id.eq(&self.id)).filter(dsl::version.eq(self.version - 1))).set(self)
                )
            }
        }
    };
}

/// One use case's transaction.
pub struct Tx<'a> {
    conn: &'a mut Conn,
    context: &'a Context,
    now: Timestamp,
    applied: u32,
    wrote: bool,
}

impl<'a> Tx<'a> {
    pub(super) fn new(conn: &'a mut Conn, context: &'a Context, now: Timestamp) -> Self {
        Self { conn, context, now, applied: 0, wrote: false }
    }

    /// The instant that the record will show for everything in this use case.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Who asks.
    pub fn context(&self) -> &'a Context {
        self.context
    }

    /// For reading within the transaction.
    pub fn conn(&mut self) -> &mut Conn {
        self.conn
    }

    /// How many entries this use case has written.
    pub(super) fn applied(&self) -> u32 {
        self.applied
    }

    /// Whether anything was written, or tried to.
    pub(super) fn wrote(&self) -> bool {
        self.wrote
    }

    fn write(&mut self) -> WriteConn<'_> {
        self.wrote = true;
        WriteConn(self.conn)
    }

    /// Does what follows from an act in the same transaction, but as the system: its entries name neither the caller nor the
    /// request, so that they may be open where the act itself is sealed.
    pub fn as_system<T>(&mut self, why: &str, work: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        let context = Context::system(self.now, why);
        let mut system = Tx { conn: &mut *self.conn, context: &context, now: self.now, applied: 0, wrote: false };
        let result = work(&mut system);
        let (applied, wrote) = (system.applied, system.wrote);
        self.applied += applied;
        self.wrote |= wrote;
        result
    }

    /// Puts a new subject on record and inserts it. Returns the row and the commitment of its entry.
    pub fn insert<S: Subject>(&mut self, mut row: S, record: Record) -> Result<(S, Entry)> {
        row.set_version(1);
        let entry = self.append(row.id(), 1, None, row.state(), Some(audit::row_digest(&row)?), record)?;
        row.insert(&mut self.write())?;
        Ok((row, entry))
    }

    /// Puts a change of `old` on record and writes it as `new`, one version later.
    pub fn update<S: Subject>(&mut self, old: &S, mut new: S, record: Record) -> Result<(S, Entry)> {
        debug_assert_eq!(old.id(), new.id(), "a change does not change whose change it is");
        new.set_version(old.version() + 1);
        let entry =
            self.append(new.id(), new.version(), old.state(), new.state(), Some(audit::row_digest(&new)?), record)?;
        match new.update(&mut self.write())? {
            1 => Ok((new, entry)),
            _ => Err(lost_race(new.id())),
        }
    }

    /// Puts something on record that changes no row: a look, an attempt.
    pub fn note(&mut self, stream: &str, record: Record) -> Result<Entry> {
        self.append(stream, 1, None, None, None, record)
    }

    /// Puts something on record that changes no row and may happen often: the stream takes `most` entries and no more, so
    /// that nobody can fill the record with it. None where it is full.
    pub fn note_in(&mut self, stream: &str, most: i64, record: Record) -> Result<Option<Entry>> {
        let rev = audit::last_rev(self.conn, stream)? + 1;
        if rev > most {
            return Ok(None);
        }
        self.append(stream, rev, None, None, None, record).map(Some)
    }

    /// Writes rows that are part of a subject's version, or working state beside the record. Tables that may be written
    /// this way are listed, with reasons, by the architecture test; triggers refuse the others.
    pub fn beside<T>(&mut self, write: impl FnOnce(&mut WriteConn<'_>) -> diesel::QueryResult<T>) -> Result<T> {
        Ok(write(&mut self.write())?)
    }

    /// Stores a message to be sent once this use case is committed.
    pub fn send(&mut self, mail: Mail) -> Result<()> {
        let now = self.now;
        Ok(outbox::store(&mut self.write(), &mail, now)?)
    }

    fn append(
        &mut self,
        stream: &str,
        rev: i64,
        from: Option<&str>,
        to: Option<&str>,
        object: Option<String>,
        record: Record,
    ) -> Result<Entry> {
        let entry = audit::compose(
            self.conn,
            self.context,
            self.now,
            audit::Transition { stream, rev, from, to, object },
            record,
        )?;
        audit::append(&mut self.write(), &entry)?;
        self.applied += 1;
        Ok(entry.into_entry())
    }
}

/// Somebody else changed the row since it was read: the use case runs again and looks anew.
fn lost_race(id: &str) -> Error {
    Error::from(DieselError::DatabaseError(
        DatabaseErrorKind::SerializationFailure,
        Box::new(format!("{id} was changed meanwhile")),
    ))
}
