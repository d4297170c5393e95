//! The words of the record as the search table has them: every kind, lot, project, organisation and user is a number there.

use std::collections::{BTreeSet, HashMap};

use diesel::prelude::*;

use crate::db::Conn;
use crate::db::schema::audit_name;
use crate::ledger::Result;

/// The number of a word; none where no entry in the table has it.
///
/// # Errors
/// The database's.
pub fn number(conn: &mut Conn, name: &str) -> Result<Option<i32>> {
    Ok(audit_name::table.filter(audit_name::name.eq(name)).select(audit_name::n).first(conn).optional()?)
}

/// The numbers of those words that entries in the table have.
///
/// # Errors
/// The database's.
pub fn numbers(conn: &mut Conn, names: &[&str]) -> Result<Vec<i32>> {
    Ok(audit_name::table.filter(audit_name::name.eq_any(names)).select(audit_name::n).load(conn)?)
}

/// Words by their numbers.
#[derive(Debug)]
pub struct Names(HashMap<i32, String>);

impl Names {
    /// Those of some numbers.
    ///
    /// # Errors
    /// The database's.
    pub fn load(conn: &mut Conn, numbers: impl Iterator<Item = i32>) -> Result<Self> {
        let numbers: BTreeSet<i32> = numbers.collect();
        let names = audit_name::table
            .filter(audit_name::n.eq_any(numbers))
            .select((audit_name::n, audit_name::name))
            .load::<(i32, String)>(conn)?;
        Ok(Self(names.into_iter().collect()))
    }

    /// Whether a number stands for a word, and none for none.
    pub fn is(&self, number: Option<i32>, name: Option<&str>) -> bool {
        match (number, name) {
            (Some(number), Some(name)) => self.0.get(&number).is_some_and(|known| known == name),
            (None, None) => true,
            _ => false,
        }
    }
}
