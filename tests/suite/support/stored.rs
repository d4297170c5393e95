//! Everything that a platform has stored, as whoever holds the database or the disk would read it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use diesel::prelude::*;
use diesel::sql_types::Text;
use memchr::memmem;
use sealbid::db::Conn;
use sealbid::db::schema::uploads;

use super::world::World;

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

#[expect(clippy::disallowed_methods, reason = "a dump of every table has no typed form")]
fn lines(conn: &mut Conn, sql: &str) -> Vec<String> {
    let query = diesel::sql_query(sql);
    let found: Vec<Line> = match conn {
        Conn::Pg(conn) => query.load(conn),
        Conn::Sqlite(conn) => query.load(conn),
    }
    .unwrap_or_else(|error| panic!("{sql}: {error}"));
    found.into_iter().map(|line| line.line).collect()
}

/// Every row of every table as text, bytes in hex.
pub fn tables(world: &World) -> BTreeMap<String, Vec<String>> {
    let dump = world.app().reader.read_blocking(|conn| {
        let postgres = matches!(conn, Conn::Pg(_));
        let names = if postgres {
            "SELECT table_name::text AS line FROM information_schema.tables WHERE table_schema = 'public'"
        } else {
            "SELECT name AS line FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        };
        let names = lines(conn, names);
        let rows = |table: String| {
            let sql = if postgres {
                format!("SELECT t::text AS line FROM \"{table}\" t")
            } else {
                let columns = lines(
                    conn,
                    &format!("SELECT 'quote(\"' || name || '\")' AS line FROM pragma_table_info('{table}')"),
                );
                format!("SELECT {} AS line FROM \"{table}\"", columns.join(" || '|' || "))
            };
            let found = lines(conn, &sql);
            (table, found)
        };
        Ok(names.into_iter().map(rows).collect())
    });
    dump.expect("read")
}

/// An upload of a purpose, where there is one.
pub fn upload_for(world: &World, purpose: &'static str) -> Option<String> {
    let found = world.app().reader.read_blocking(move |conn| {
        Ok(uploads::table.filter(uploads::purpose.eq(purpose)).select(uploads::id).first(conn).optional()?)
    });
    found.expect("read")
}

/// Every file below a directory with its bytes.
pub fn files(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let bytes = std::fs::read(&path).expect("readable");
            found.push((path, bytes));
        }
    }
    found.sort();
    found
}

/// A text in every form in which it could lie somewhere: plain, hex, base64 and base64url at each alignment, and each of
/// these as the hex of a dumped column.
pub fn forms(text: &str) -> Vec<String> {
    let mut plain = vec![text.to_owned()];
    for before in 0..3 {
        let shifted = [&vec![0; before], text.as_bytes()].concat();
        // Six bits a letter: what letters share with the bytes before and after is left out.
        let (from, to) = ((before * 8).div_ceil(6), shifted.len() * 8 / 6);
        plain.extend([STANDARD.encode(&shifted)[from..to].to_owned(), URL_SAFE.encode(&shifted)[from..to].to_owned()]);
    }
    let hex = |text: &String, upper: bool| -> String {
        text.bytes().map(|byte| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") }).collect()
    };
    let mut all = plain.clone();
    all.extend(plain.iter().flat_map(|text| [hex(text, true), hex(text, false)]));
    all.sort();
    all.dedup();
    all
}

/// Bytes as a text in which ASCII can be looked for.
pub fn latin(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// Whether a text lies in some bytes. What is searched grows with every test, and the standard library's search is slow in a
/// build that is not optimised.
pub fn holds(bytes: &[u8], text: &str) -> bool {
    memmem::find(bytes, text.as_bytes()).is_some()
}

/// Names the form in which `text` is found in `place`.
pub fn found_in(place: &str, text: &str) -> Option<String> {
    forms(text).into_iter().find(|form| holds(place.as_bytes(), form))
}

#[test]
fn a_text_is_found_in_whatever_form_and_place_it_lies() {
    let secret = "secret-price-876543.21";
    for before in ["", "x", "xy", "xyz", "wxyz"] {
        let whole = format!("{before}{secret}, and more");
        let hex: String = whole.bytes().map(|byte| format!("{byte:02x}")).collect();
        for place in [whole.clone(), STANDARD.encode(&whole), URL_SAFE.encode(&whole), hex.to_uppercase(), hex] {
            assert!(found_in(&place, secret).is_some(), "{place}");
        }
        let twice: String = STANDARD.encode(&whole).bytes().map(|byte| format!("{byte:02X}")).collect();
        assert!(found_in(&twice, secret).is_some());
    }
    assert_eq!(found_in("another price, 876543.20", secret), None);
}
