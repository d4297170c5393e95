//! The published vector of an opening, `tests/vectors/opening/`: the bundle of a lot under two keys, and what a second
//! implementation computes on its way through it. Three custodians made the key, the first and the third open.
//!
//! `UPDATE=1 cargo test --lib seal::tests::openings` writes both files anew.

use std::collections::BTreeMap;
use std::path::Path;

use super::ident;
use crate::kernel::digest::sha256;
use crate::kernel::encoding::{base64url, from_hex, hex};
use crate::kernel::secret::Secret;
use crate::seal::ceremony::{
    Backup, Dealer, Draft, Finished, Group, Message, Signed, SignedDraft, Transcript, rehearsal,
};
use crate::seal::envelope::{Part, SignedEnvelope};
use crate::seal::ids::{KeyId, UtcMillis};
use crate::seal::keys::{SigningKey, VerifyingKey};
use crate::seal::keyset::{KeySet, KeySetKind, KeySetSubject, KeyShare, Member, Profile};
use crate::seal::manifest::{BidJson, Binding};
use crate::seal::part_writer::bid_part;
use crate::seal::partials::{Partial, Partials};
use crate::seal::points::{PrivateScalar, Scalar, scalar_to_bytes};
use crate::seal::random::fixed;
use crate::seal::sealing::{Subject, seal_header, seal_payload};
use crate::seal::snapshot::{Line, Snapshot, root};
use crate::seal::stream::PayloadKeys;
use crate::seal::unsealing::{Share, combined, open_slot, payload_keys_from, share_context};
use crate::seal::{hpke, kdf, threshold};
use crate::tlog::note;
use crate::tlog::specimen::Specimen;
use crate::tlog::tiles::Tile;
use serde_json::{Value, json};

const OPENS: &str = "2026-12-01T01:00:00.000Z";
/// Members that give their shares.
const OPENERS: [u8; 2] = [1, 3];
const PRICES: [&str; 2] = ["1250000.00", "1180000.50"];

/// Inputs that look random and are not: the digest of their name.
fn input(name: &str) -> [u8; 32] {
    *sha256(format!("sealbid-opening/1 vector {name}").as_bytes()).as_bytes()
}

fn signer(name: &str) -> SigningKey {
    let prefix = from_hex("302e020100300506032b657004220420").unwrap();
    SigningKey::from_pkcs8(Secret::new([&prefix[..], &input(name)].concat())).unwrap()
}

fn scalar(name: &str) -> PrivateScalar {
    PrivateScalar::from_bytes(&input(name)).unwrap()
}

fn time(text: &str) -> UtcMillis {
    UtcMillis::parse(text, "test").unwrap()
}

fn public(key: &VerifyingKey) -> Value {
    json!({ "kid": key.key_id(), "alg": key.algorithm().name(), "public_key": key.to_base64url() })
}

fn person(i: u8) -> SigningKey {
    signer(&format!("member {i}"))
}

/// A ceremony: everything that was said, and what its members have.
struct Held {
    draft: SignedDraft,
    transcript: Transcript,
    dealers: Vec<Dealer>,
    messages: Value,
    shares: Vec<KeyShare>,
}

impl Held {
    fn key_set(&self) -> &KeySet {
        self.shares[0].key_set()
    }
}

fn signed<M: Message>(message: M) -> Signed<M> {
    let member = message.head().member;
    Signed::sign(message, &person(member)).unwrap()
}

fn draft() -> Draft {
    let members = (1..=3).map(|i| Member {
        i,
        custodian: ident(&format!("custodian-{i}")),
        org: ident(&format!("org-{i}")),
        sign_kid: person(i).verifying_key().key_id(),
        kem: scalar(&format!("backup key {i}")).public(),
    });
    let group = Group { group: ident("lot-1"), opens_not_before: time(OPENS) };
    Draft::new(ident("prj-1"), ident("lot-1"), vec![group], Profile::Strict, 2, members.collect()).unwrap()
}

fn held() -> Held {
    let draft = draft();
    let mut transcript = Transcript::new(draft.clone());
    let mut said: [Vec<Value>; 4] = Default::default();
    let begun: Vec<_> = draft.indices().map(|i| Dealer::begin(&draft, i).unwrap()).collect();
    let (mut dealers, mut shown) = (Vec::new(), Vec::new());
    for (dealer, commit, round1) in begun {
        let commit = signed(commit);
        said[0].push(json!(commit.jws()));
        transcript.commit(commit).unwrap();
        dealers.push(dealer);
        shown.push(signed(round1));
    }
    for round1 in shown {
        said[1].push(json!(round1.jws()));
        transcript.round1(round1).unwrap();
    }
    for dealer in &dealers {
        let round2 = signed(dealer.deal(&transcript).unwrap());
        said[2].push(json!(round2.jws()));
        transcript.round2(round2).unwrap();
    }
    let finished: Vec<Finished> = dealers.iter().map(|dealer| dealer.finish(&transcript).unwrap()).collect();
    let mut shares = Vec::new();
    for mut one in finished {
        said[3].push(json!(signed(one.accept).jws()));
        shares.push(one.shares.remove(0));
    }
    let [commit, round1, round2, accept] = said;
    let messages = json!({ "commit": commit, "round1": round1, "round2": round2, "accept": accept });
    let draft = draft.sign(&signer("tenderer")).unwrap();
    Held { draft, transcript, dealers, messages, shares }
}

/// A bid under the custodians' key and the bidder's own.
struct Bid {
    signer: SigningKey,
    own: KeyShare,
    envelope: SignedEnvelope,
    plain: Vec<u8>,
    sealed: Vec<u8>,
    price: Value,
}

fn bid(n: usize, shared: &KeySet) -> Bid {
    let (key, bidder) = (signer(&format!("bidder {n}")), ident(&format!("bidder-{n}")));
    let subject = KeySetSubject {
        tender: ident("prj-1"),
        group: ident("lot-1"),
        opens_not_before: time(OPENS),
        profile: Profile::Strict,
    };
    let own = KeyShare::from_scalar(scalar(&format!("own key {n}")), KeySetKind::Bidder, subject);
    let binding = Binding { tender: ident("prj-1"), lot: ident("lot-1"), bidder: bidder.clone(), part: Part::Price };
    let content = BidJson { amount: PRICES[n - 1].into(), currency: "CNY".into(), validity_days: None, note: None };
    let (plain, mut sealed) = (bid_part(binding, &content).unwrap(), Vec::new());
    let payload = seal_payload(plain.as_slice(), &mut sealed, 2).unwrap();
    let subject = Subject {
        lot: ident("lot-1"),
        part: Part::Price,
        bidder,
        rev: 1,
        doc_rev: sha256(b"documents"),
        created: time("2026-11-22T03:49:39.000Z"),
    };
    let envelope = seal_header(&subject, &payload, &[shared, own.key_set()], &key).unwrap();
    let price = json!({ "amount": content.amount, "currency": content.currency });
    Bid { signer: key, own, envelope, plain, sealed, price }
}

/// What the holder of a share answers to these lines.
fn answer(share: &KeyShare, lines: &[Line]) -> Partials {
    let partial = |line: &Line| Partial { envelope: line.envelope, slot: line.slot, share: line.share(share).unwrap() };
    let (kid, member) = (share.key_set().kid, share.member());
    Partials { kid, member, snapshot: root(lines), partials: lines.iter().map(partial).collect() }
}

/// A log that has a snapshot: whom to believe, and the proof.
fn recorded(snapshot: &Snapshot) -> (String, String) {
    let (mut log, mut files) = (Specimen::new(), BTreeMap::new());
    let data = json!({ "kid": snapshot.kid, "root": snapshot.root, "opens_at": OPENS });
    let batch =
        log.record("box.snapshot", "lot-1", &data, &mut |tile, bytes| drop(files.insert(tile.to_string(), bytes)));
    let head = log.head();
    let tiles = |tile: Tile| files.get(&tile.to_string()).cloned().unwrap_or_default();
    let proof = log.receipt(&batch.entries[0], &head, &log.checkpoint(&head, 1_796_086_860), &tiles);
    (log.policy(), proof)
}

/// Everything of the opening.
struct Opening {
    held: Held,
    bids: Vec<Bid>,
    /// The custodians' snapshot.
    lines: Vec<Line>,
    /// Lists and who signed them, the custodians' first.
    lists: Vec<(Partials, SigningKey)>,
    /// The policy of a log, and the proof that the snapshot is in it.
    policy: String,
    proof: String,
}

impl Opening {
    fn made() -> Self {
        let held = held();
        let bids: Vec<Bid> = (1..=PRICES.len()).map(|n| bid(n, held.key_set())).collect();
        let mut lines: Vec<Line> = bids.iter().flat_map(|bid| Line::of(&bid.envelope, held.key_set().kid)).collect();
        lines.sort_by_key(|line| (line.envelope, line.slot));
        let custodians = OPENERS.map(|i| (answer(&held.shares[usize::from(i) - 1], &lines), person(i)));
        let bidders = bids.iter().map(|bid| {
            let own = Line::of(&bid.envelope, bid.own.key_set().kid);
            (answer(&bid.own, &own), SigningKey::from_pkcs8(Secret::new(bid.signer.pkcs8().expose().clone())).unwrap())
        });
        let lists = custodians.into_iter().chain(bidders).collect();
        let (policy, proof) = recorded(&Snapshot::new(held.key_set(), ident("lot-1"), &lines));
        Self { held, bids, lines, lists, policy, proof }
    }

    /// The shares for a slot, by member.
    fn given(&self, envelope: &SignedEnvelope, slot: u8) -> Vec<(u8, Share)> {
        let kid = envelope.header().slots[usize::from(slot)].kid;
        let of = self.lists.iter().filter(|(list, _)| list.kid == kid);
        let found = of.filter_map(|(list, _)| {
            let partial = list.partials.iter().find(|one| one.envelope == envelope.id() && one.slot == slot)?;
            Some((list.member, partial.share))
        });
        found.collect()
    }

    fn bundle(&self) -> Vec<Value> {
        let (platform, held) = (signer("platform"), &self.held);
        let lot = ident("lot-1");
        let member = |i: u8| {
            let mut value = public(person(i).verifying_key());
            value["i"] = i.into();
            value
        };
        let snapshot = Snapshot::new(held.key_set(), lot, &self.lines).sign(&platform).unwrap();
        let mut lines = vec![
            json!({ "type": "sealbid-opening/1", "lot": "lot-1", "tender": "prj-1", "group": "lot-1", "mode": "dual",
                "opens_at": OPENS, "platform": public(platform.verifying_key()) }),
            json!({ "type": "ceremony", "draft": held.draft.jws(), "tenderer": public(signer("tenderer").verifying_key()),
                "members": (1..=3).map(member).collect::<Vec<_>>(), "messages": held.messages }),
            json!({ "type": "key_set", "key_set": signed_set(held.key_set(), &platform) }),
        ];
        lines.extend(self.bids.iter().map(|bid| {
            let (key_set, key) = (signed_set(bid.own.key_set(), &bid.signer), public(bid.signer.verifying_key()));
            json!({ "type": "own_key", "key_set": key_set, "signer": key })
        }));
        lines.push(json!({ "type": "snapshot", "snapshot": snapshot, "proof": self.proof }));
        lines.extend(self.lists.iter().map(|(list, key)| {
            let list = list.clone().sign(key).unwrap();
            json!({ "type": "partials", "partials": list.jws(), "signer": public(key.verifying_key()) })
        }));
        lines.extend(self.bids.iter().zip(1..).map(|(bid, n)| self.envelope_line(bid, n)));
        lines.push(json!({ "type": "end", "lines": lines.len() + 1 }));
        lines
    }

    fn envelope_line(&self, bid: &Bid, n: usize) -> Value {
        let envelope = &bid.envelope;
        let line = |kid: KeyId| {
            let mut line: Value = serde_json::from_str(&Line::of(envelope, kid)[0].to_json()).unwrap();
            line["kid"] = json!(kid);
            line
        };
        let share = |(slot, (member, share)): (u8, (u8, Share))| {
            let mut value: Value = serde_json::from_str(&share.to_json()).unwrap();
            (value["slot"], value["member"]) = (slot.into(), member.into());
            value
        };
        let shares = (0..2).flat_map(|slot| self.given(envelope, slot).into_iter().map(move |one| (slot, one)));
        json!({
            "type": "envelope", "envelope": envelope.id(), "bid": format!("bid-{n}"), "part": "price",
            "lines": [line(self.held.key_set().kid), line(bid.own.key_set().kid)],
            "outcome": "opened", "reason": null, "shares": shares.map(share).collect::<Vec<_>>(),
            "price": bid.price, "header": envelope.jws(), "signer": public(bid.signer.verifying_key()),
            "payload": base64url(&bid.sealed),
        })
    }

    fn vector(&self) -> Value {
        let held = &self.held;
        let coefficients = OPENERS.map(|i| (i, threshold::coefficient(i, &OPENERS, 0)));
        let x = coefficients.iter().fold(Scalar::ZERO, |sum, (i, coefficient)| {
            sum + *coefficient * held.shares[usize::from(*i) - 1].private().expose()
        });
        assert_eq!(PrivateScalar::from_bytes(&scalar_to_bytes(&x)).unwrap().public(), held.key_set().public);
        let member = |share: &KeyShare| {
            let i = share.member();
            let (key, _) = held.dealers[usize::from(i) - 1].secrets();
            json!({ "i": i, "signing_seed": hex(&input(&format!("member {i}"))), "ceremony_key": hex(key.expose()),
                "backup_key": hex(&input(&format!("backup key {i}"))), "share": hex(share.private_bytes().expose()) })
        };
        let bidder = |n: usize| json!({ "signing_seed": hex(&input(&format!("bidder {n}"))), "own_key": hex(&input(&format!("own key {n}"))) });
        let said = |(i, coefficient): &(u8, Scalar)| json!({ "member": i, "at_0": hex(&scalar_to_bytes(coefficient)) });
        json!({
            "verifier": note::verifier_key("vector.sealbid.example/promise", &signer("platform").verifying_key().to_bytes()),
            "policy": self.policy,
            "secrets": {
                "platform_seed": hex(&input("platform")),
                "tenderer_seed": hex(&input("tenderer")),
                "members": held.shares.iter().map(member).collect::<Vec<_>>(),
                "bidders": (1..=PRICES.len()).map(bidder).collect::<Vec<_>>(),
                "x": hex(&scalar_to_bytes(&x)),
            },
            "ceremony": { "id": held.transcript.id(), "transcript": held.transcript.digest().unwrap(),
                "kid": held.key_set().kid, "key_set": sha256(&held.key_set().to_bytes()) },
            "coefficients": coefficients.iter().map(said).collect::<Vec<_>>(),
            "snapshot": { "lines": self.lines.iter().map(|line| hex(&line.to_bytes())).collect::<Vec<_>>(),
                "root": root(&self.lines) },
            "envelopes": self.bids.iter().map(|bid| self.steps(bid)).collect::<Vec<_>>(),
            "beside": self.beside(),
        })
    }

    /// From the shares of an envelope to its price.
    fn steps(&self, bid: &Bid) -> Value {
        let (envelope, sets) = (&bid.envelope, [self.held.key_set(), bid.own.key_set()]);
        let header = envelope.header();
        let (mut slots, mut secrets, mut points) = (Vec::new(), Vec::new(), Vec::new());
        for (index, set) in (0_u8..).zip(sets) {
            let (at, given) = (usize::from(index), self.given(envelope, index));
            let d = combined(set, at, &given).unwrap();
            let secret = open_slot(set, envelope, at, &d).unwrap();
            let share = |(member, share): &(u8, Share)| {
                json!({ "member": member, "context": share_context(set.kid, *member, &envelope.id(), at),
                    "d": hex(&share.d.to_compressed()) })
            };
            slots.push(json!({
                "kid": set.kid,
                "line": hex(&Line::of(envelope, set.kid)[0].to_bytes()),
                "shares": given.iter().map(share).collect::<Vec<_>>(),
                "d": hex(&d.to_compressed()),
                "info": hex(&header.place(at).info()),
                "shared_secret": hex(hpke::shared_secret(&d, &header.slots[at].enc, &set.public).expose()),
                "secret": hex(secret.expose()),
            }));
            points.push(d);
            secrets.push(secret);
        }
        payload_keys_from(envelope, &sets, &points).unwrap();
        let prk = PayloadKeys::prk(&envelope.ctx().salt, &secrets);
        json!({
            "envelope": envelope.id(),
            "ctx_hash": header.ctx_hash,
            "slots": slots,
            "prk": hex(prk.expose()),
            "kc": hex(&header.kc),
            "payload_key": hex(kdf::expand::<32>(prk.expose(), &[b"sealbid/1 payload"]).expose()),
            "nonce_prefix": hex(kdf::expand::<7>(prk.expose(), &[b"sealbid/1 nonce"]).expose()),
            "plaintext": sha256(&bid.plain),
            "price": bid.price,
        })
    }

    /// Messages that no bundle needs, one of each kind: the first member's backup and rehearsal, and the complaint that it
    /// would make, falsely, of the second.
    fn beside(&self) -> Value {
        let (share, dealer) = (&self.held.shares[0], &self.held.dealers[0]);
        let backup = Backup::seal(self.held.draft.draft(), share).unwrap().to_json();
        let rehearsal = rehearsal::answer(share).unwrap().sign(&person(1)).unwrap();
        let complaint = dealer.complain_about(&self.held.transcript, 2).unwrap();
        json!({ "backup": serde_json::from_str::<Value>(&backup).unwrap(), "rehearsal": rehearsal.jws(),
            "complaint": signed(complaint).jws() })
    }
}

fn signed_set(key_set: &KeySet, key: &SigningKey) -> Value {
    json!(key_set.sign(key).unwrap().jws())
}

/// Both files, by name.
fn computed() -> [(&'static str, String); 2] {
    fixed::with("sealbid-opening/1 vector", || {
        let opening = Opening::made();
        let bundle = opening.bundle().iter().map(|line| format!("{line}\n")).collect();
        let vector = serde_json::to_string_pretty(&opening.vector()).unwrap() + "\n";
        [("bundle.ndjson", bundle), ("vector.json", vector)]
    })
}

#[test]
fn the_published_opening_is_reproduced_byte_by_byte() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/opening");
    for (name, content) in computed() {
        let path = root.join(name);
        if std::env::var_os("UPDATE").is_some_and(|value| value == "1") {
            std::fs::create_dir_all(&root).unwrap();
            std::fs::write(&path, &content).unwrap();
        }
        let published = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            published == content,
            "{name} is another; UPDATE=1 cargo test --lib seal::tests::openings writes it anew"
        );
    }
}
