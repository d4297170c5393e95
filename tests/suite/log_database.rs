//! Somebody who administers the database changes it, a byte here and a row there: who checks a dump against what is published finds
//! out, and is told which entry it was.

use diesel::prelude::*;
use sealbid::db::schema::{audit_batch, audit_entry, audit_leaf, audit_personal};
use sealbid::kernel::encoding::hex;
use sealbid::ledger::audit::EntryRow;
use sealbid::rules::editions::Category;

use crate::support::loglab::{as_dba, note, verified};
use crate::support::world::World;
use crate::twins::{padded_postgres, padded_sqlite};

/// A value of a column, as SQL writes it.
enum Stored {
    Bytes(Vec<u8>),
    Text(String),
}

impl Stored {
    fn literal(&self) -> String {
        match self {
            Self::Bytes(bytes) => format!("x'{}'", hex(bytes)),
            Self::Text(text) => format!("'{}'", text.replace('\'', "''")),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Text(text) => text.len(),
        }
    }

    /// The same with the lowest bit of one byte flipped: ASCII stays ASCII.
    fn flipped(&self, at: usize) -> Self {
        let flip = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            bytes[at] ^= 1;
            bytes
        };
        match self {
            Self::Bytes(bytes) => Self::Bytes(flip(bytes)),
            Self::Text(text) => Self::Text(String::from_utf8(flip(text.as_bytes())).expect("ASCII")),
        }
    }
}

/// The latest entry of a kind, its personal part and its leaf.
fn latest(world: &World, kind: &'static str) -> (EntryRow, (Vec<u8>, String), i64) {
    let found = world.app().reader.read_blocking(move |conn| {
        Ok(audit_leaf::table
            .inner_join(audit_entry::table.on(audit_entry::entry_id.eq(audit_leaf::entry_id)))
            .inner_join(audit_personal::table.on(audit_personal::entry_id.eq(audit_leaf::entry_id)))
            .filter(audit_entry::kind.eq(kind))
            .order(audit_leaf::leaf_index.desc())
            .select((EntryRow::as_select(), (audit_personal::s_i, audit_personal::part_i), audit_leaf::leaf_index))
            .first(conn)?)
    });
    found.expect("read")
}

/// What a check of the database's dump finds; it must refute it.
#[track_caller]
fn refuted(world: &World, what: &str) -> String {
    let failure = verified(world).expect_err(what);
    assert_eq!(failure.code(), 1, "{what}: {failure:?}");
    failure.finding().place.clone()
}

fn every_part(world: &World, kind: &'static str) {
    let (entry, (s_i, part_i), leaf) = latest(world, kind);
    let columns = [
        ("audit_entry", "s_p", Stored::Bytes(entry.s_p.clone())),
        ("audit_entry", "part_p", Stored::Text(entry.part_p.clone())),
        ("audit_entry", "s_c", Stored::Bytes(entry.s_c.clone())),
        ("audit_entry", "part_c", Stored::Text(entry.part_c.clone())),
        ("audit_personal", "s_i", Stored::Bytes(s_i)),
        ("audit_personal", "part_i", Stored::Text(part_i)),
    ];
    for (table, column, stored) in columns {
        let set = |value: &Stored| {
            let (value, id) = (value.literal(), &entry.entry_id);
            as_dba(world, &format!("UPDATE {table} SET {column} = {value} WHERE entry_id = '{id}'"));
        };
        for at in [0, stored.len() / 2, stored.len() - 1] {
            set(&stored.flipped(at));
            let what = format!("{table}.{column} of {kind}, byte {at}");
            let place = refuted(world, &what);
            assert!(place.ends_with(&format!("entry {leaf}")), "{what}: {place}");
        }
        set(&stored);
    }
    assert!(verified(world).is_ok(), "everything is as it was");
}

/// Two leaves change their places.
fn swapped(world: &World) {
    let ((_, _, one), (_, _, other)) = (latest(world, "bid.submitted"), latest(world, "lot.published"));
    let swap = || {
        let moved = [(one, -1), (other, one), (-1, other)];
        for (from, to) in moved {
            as_dba(world, &format!("UPDATE audit_leaf SET leaf_index = {to} WHERE leaf_index = {from}"));
        }
    };
    swap();
    let place = refuted(world, "swapped");
    assert!(place.ends_with(&format!("entry {}", one.min(other))), "{place}");
    swap();
    assert!(verified(world).is_ok(), "everything is as it was");
}

/// The key of a batch's padding, by which leaves are explained that are no entries.
fn padding(world: &World) {
    let (batch, key, from, to): (i64, Vec<u8>, i64, i64) = world
        .app()
        .reader
        .read_blocking(|conn| {
            Ok(audit_batch::table
                .order(audit_batch::batch.desc())
                .select((audit_batch::batch, audit_batch::pad_key, audit_batch::size_before, audit_batch::size_after))
                .first(conn)?)
        })
        .expect("read");
    let set = |key: &Stored| {
        as_dba(world, &format!("UPDATE audit_batch SET pad_key = {} WHERE batch = {batch}", key.literal()));
    };
    let key = Stored::Bytes(key);
    set(&key.flipped(31));
    let place = refuted(world, "another padding");
    let (_, leaf) = place.rsplit_once("entry ").expect("a leaf is named");
    assert!((from..to).contains(&leaf.parse().expect("a number")), "{place}");
    set(&key);
    assert!(verified(world).is_ok(), "everything is as it was");
}

/// An entry goes with its leaf and everything that hangs on it: the record without it explains itself, the tree does not.
fn deleted(world: &World) {
    note(world, "gone");
    world.settle();
    let (_, _, leaf) = latest(world, "test.noted");
    let of = "entry_id IN (SELECT entry_id FROM audit_entry WHERE stream = 'note-gone')";
    let tables = ["audit_unsearched", "audit_search", "audit_personal", "audit_leaf", "audit_entry"];
    tables.iter().for_each(|table| as_dba(world, &format!("DELETE FROM {table} WHERE {of}")));
    assert!(world.replay().is_clean(), "nothing in the database tells of it");
    let place = refuted(world, "deleted");
    let (_, named) = place.rsplit_once("entry ").expect("a leaf is named");
    assert!(named.parse::<i64>().expect("a number") <= leaf, "{place}: {leaf} or one before it in its batch");
}

fn changes_are_found(world: &World) {
    world.lot(Category::Construction).noticed().bid(1, 1, "900000.00").ok();
    world.settle();
    assert!(verified(world).is_ok(), "it is whole");
    for kind in ["lot.published", "bid.submitted"] {
        every_part(world, kind);
    }
    swapped(world);
    padding(world);
    deleted(world);
}

#[test]
fn whatever_is_changed_in_the_database_is_found_and_named_on_sqlite() {
    changes_are_found(&padded_sqlite());
}

#[test]
fn whatever_is_changed_in_the_database_is_found_and_named_on_postgres() {
    if let Some(world) = padded_postgres() {
        changes_are_found(&world);
    }
}
