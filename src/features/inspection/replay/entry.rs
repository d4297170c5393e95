//! One entry by itself: its digests follow from its parts, and its columns say what its parts say.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::kernel::digest::Digest;
use crate::kernel::encoding::hex;
use crate::kernel::time::Timestamp;
use crate::ledger::audit::EntryRow;
use crate::tlog::entry::{Part, Salt, commitment, part_digest};

/// The version of the parts that this program reads.
const VERSION: i64 = 1;

/// What part p says.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PublicPart {
    pub(super) at: String,
    #[serde(default)]
    pub(super) data: Map<String, Value>,
    #[serde(default)]
    pub(super) from: Option<String>,
    pub(super) id: String,
    pub(super) kind: String,
    #[serde(default)]
    pub(super) lot: Option<String>,
    #[serde(default)]
    pub(super) object: Option<String>,
    #[serde(default)]
    pub(super) prev: Option<String>,
    pub(super) rev: i64,
    pub(super) role: String,
    pub(super) stream: String,
    #[serde(default)]
    pub(super) to: Option<String>,
    pub(super) v: i64,
}

/// What part c says of its columns.
#[derive(Deserialize)]
struct RestrictedPart {
    #[serde(default)]
    actor: Option<String>,
    #[serde(default)]
    org: Option<String>,
}

/// Part i with its salt, where it was not erased.
pub(super) struct PersonalPart {
    pub(super) salt: Vec<u8>,
    pub(super) text: String,
}

/// What part p says, where it can be read, and everything that is wrong with the entry by itself.
pub(super) fn check(row: &EntryRow, personal: Option<&PersonalPart>) -> (Option<PublicPart>, Vec<String>) {
    let mut wrong = digests(row, personal);
    let public = match serde_json::from_str::<PublicPart>(&row.part_p) {
        Ok(part) => {
            wrong.extend(columns(row, &part));
            Some(part)
        }
        Err(error) => {
            wrong.push(format!("part p cannot be read: {error}"));
            None
        }
    };
    match serde_json::from_str::<RestrictedPart>(&row.part_c) {
        Ok(part) if part.actor == row.actor_id && part.org == row.org_id => {}
        Ok(_) => wrong.push("actor or organisation are not those of part c".to_owned()),
        Err(error) => wrong.push(format!("part c cannot be read: {error}")),
    }
    (public, wrong)
}

fn digests(row: &EntryRow, personal: Option<&PersonalPart>) -> Vec<String> {
    let mut wrong = Vec::new();
    let parts = [
        ("p", Part::Public, Some((&row.s_p, row.part_p.as_str())), &row.h_p),
        ("c", Part::Restricted, Some((&row.s_c, row.part_c.as_str())), &row.h_c),
        ("i", Part::Personal, personal.map(|part| (&part.salt, part.text.as_str())), &row.h_i),
    ];
    for (name, part, opened, stored) in parts {
        let Some((salt, text)) = opened else { continue };
        let Ok(salt) = Salt::try_from(salt.as_slice()) else {
            wrong.push(format!("the salt of part {name} is not 32 bytes"));
            continue;
        };
        if part_digest(part, &salt, text.as_bytes()).as_bytes() != stored.as_slice() {
            wrong.push(format!("the digest of part {name} does not follow from its salt and text"));
        }
    }
    let digest = |bytes: &[u8]| <[u8; 32]>::try_from(bytes).ok().map(Digest::from_bytes);
    match (digest(&row.h_p), digest(&row.h_c), digest(&row.h_i)) {
        (Some(p), Some(c), Some(i)) if commitment(&p, &c, &i).as_bytes() == row.c.as_slice() => {}
        _ => wrong.push("the commitment does not follow from the digests of the parts".to_owned()),
    }
    wrong
}

/// The columns by which entries are found must not say anything else than the part that is committed to.
fn columns(row: &EntryRow, part: &PublicPart) -> Vec<String> {
    // Six fraction digits, of which the platform uses three.
    let at = Timestamp::from_millis(row.at_ms).to_string().replace('Z', "000Z");
    let pairs = [
        ("entry_id", part.id == row.entry_id),
        ("stream", part.stream == row.stream),
        ("rev", part.rev == row.rev),
        ("kind", part.kind == row.kind),
        ("at_ms", part.at == at),
        ("lot_id", part.lot == row.lot_id),
        ("prev", part.prev == row.prev.as_deref().map(hex)),
        ("v", part.v == VERSION),
    ];
    pairs.iter().filter(|(_, same)| !same).map(|(name, _)| format!("{name} is not what part p says")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLIC: &str = r#"{"at":"2026-11-22T01:00:00.000000Z","id":"ent-1","kind":"lot.edited","rev":1,"role":"initiator","stream":"lot-1","v":1}"#;
    const RESTRICTED: &str = r#"{"actor":"usr-1","org":"org-1","request":"r"}"#;

    fn sound() -> (EntryRow, PersonalPart) {
        let (s_p, s_c, s_i): (Salt, Salt, Salt) = ([1; 32], [2; 32], [3; 32]);
        let p = part_digest(Part::Public, &s_p, PUBLIC.as_bytes());
        let c = part_digest(Part::Restricted, &s_c, RESTRICTED.as_bytes());
        let i = part_digest(Part::Personal, &s_i, b"{}");
        let row = EntryRow {
            entry_id: "ent-1".into(),
            stream: "lot-1".into(),
            rev: 1,
            prev: None,
            kind: "lot.edited".into(),
            lot_id: None,
            project_id: None,
            org_id: Some("org-1".into()),
            actor_id: Some("usr-1".into()),
            at_ms: Timestamp::parse("2026-11-22T01:00:00.000Z").expect("a time").millis(),
            sealed: false,
            c: commitment(&p, &c, &i).as_bytes().to_vec(),
            h_p: p.as_bytes().to_vec(),
            h_c: c.as_bytes().to_vec(),
            h_i: i.as_bytes().to_vec(),
            s_p: s_p.to_vec(),
            part_p: PUBLIC.into(),
            s_c: s_c.to_vec(),
            part_c: RESTRICTED.into(),
        };
        (row, PersonalPart { salt: s_i.to_vec(), text: "{}".into() })
    }

    #[test]
    fn a_sound_entry_has_nothing_wrong_with_it_erased_or_not() {
        let (row, personal) = sound();
        assert_eq!(check(&row, Some(&personal)).1, Vec::<String>::new());
        assert_eq!(check(&row, None).1, Vec::<String>::new());
    }

    #[test]
    fn whatever_is_changed_in_an_entry_is_named() {
        type Change = fn(&mut EntryRow, &mut PersonalPart);
        let changes: [(&str, Change); 13] = [
            ("part p", |row, _| row.part_p = row.part_p.replace("initiator", "inspector")),
            ("part c", |row, _| row.part_c = row.part_c.replace("\"r\"", "\"s\"")),
            ("part i", |_, personal| personal.text = r#"{"ip":"::1"}"#.into()),
            ("part i", |_, personal| personal.salt[0] ^= 1),
            ("salt of part p", |row, _| row.s_p.truncate(31)),
            ("commitment", |row, _| row.c[0] ^= 1),
            ("commitment", |row, _| row.h_i[0] ^= 1),
            ("stream", |row, _| row.stream = "lot-2".into()),
            ("kind", |row, _| row.kind = "lot.closed".into()),
            ("at_ms", |row, _| row.at_ms += 1),
            ("lot_id", |row, _| row.lot_id = Some("lot-1".into())),
            ("prev", |row, _| row.prev = Some(vec![0; 32])),
            ("actor", |row, _| row.actor_id = None),
        ];
        for (named, change) in changes {
            let (mut row, mut personal) = sound();
            change(&mut row, &mut personal);
            let wrong = check(&row, Some(&personal)).1;
            assert!(wrong.iter().any(|what| what.contains(named)), "{named}: {wrong:?}");
        }
    }
}
