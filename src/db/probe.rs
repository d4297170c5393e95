//! What a database says of itself, for those who look after it.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::Conn;

/// The database's own time, in milliseconds; `None` on SQLite, which has no clock but ours.
///
/// # Errors
/// The database's.
pub fn clock_ms(conn: &mut Conn) -> QueryResult<Option<i64>> {
    match conn {
        Conn::Sqlite(_) => Ok(None),
        Conn::Pg(conn) => diesel::select(sql::<BigInt>("(extract(epoch FROM clock_timestamp()) * 1000)::bigint"))
            .get_result(conn)
            .map(Some),
    }
}
