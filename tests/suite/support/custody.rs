//! Custodians in a test: who they are, what they keep, and what they say.

use sealbid::kernel::time::Timestamp;
use sealbid::rules::envelopes::Round;
use sealbid::seal::ceremony::{
    Accept, Backup, Commit, Complaint, Dealer, Draft, Fault, Group, Message, Round1, Round2, Signed, SignedDraft,
    Transcript, prove_kem, rehearsal,
};
use sealbid::seal::ids::{Ident, UtcMillis};
use sealbid::seal::keyset::{KeyShare, Member, Profile};
use sealbid::seal::partials::{Partial, Partials, SignedPartials};
use sealbid::seal::points::{Point, PrivateScalar};
use sealbid::seal::snapshot::{self, Line};
use serde_json::{Value, json};

use super::api::{Answer, Person};
use super::steps::items;
use super::story::LotStory;
use super::world::World;

/// Custodians of the cast.
pub const CUSTODIANS: usize = 5;

fn ident(text: &str) -> Ident {
    Ident::parse(text, "id").expect("an id")
}

/// Everybody who keeps shares in a test; members in the order of their logins.
pub struct Custody<'w> {
    world: &'w World,
    /// Long-term keys.
    pub kems: Vec<PrivateScalar>,
    /// As the platform knows them.
    pub ids: Vec<String>,
}

/// A ceremony with a key, and every member's share of it.
pub struct Held {
    pub id: String,
    pub shares: Vec<KeyShare>,
    /// Of two envelopes the shares of the second key.
    pub second: Vec<KeyShare>,
}

impl<'w> Custody<'w> {
    /// Registers all custodians of the cast.
    pub fn enrolled(world: &'w World) -> Self {
        let kems: Vec<PrivateScalar> =
            (0..CUSTODIANS).map(|_| PrivateScalar::generate().expect("random numbers")).collect();
        let ids = kems.iter().enumerate().map(|(at, kem)| {
            let person = world.person(&format!("custodian{}", at + 1));
            let proof = prove_kem::prove(kem, &person.member.user_id).expect("random numbers");
            let body = json!({ "sign_kid": kid(&person), "kem": kem.public(), "pok": proof });
            let made = person.request("PUT", "/v1/custodians/me").json(&body).send().ok();
            made["id"].as_str().expect("an id").to_owned()
        });
        Self { ids: ids.collect(), kems, world }
    }

    /// The custodian that is member `i`.
    pub fn person(&self, i: u8) -> Person<'w> {
        self.world.person(&format!("custodian{i}"))
    }

    /// All of them as members.
    pub fn members(&self) -> Vec<Member> {
        (1..)
            .zip(&self.ids)
            .zip(&self.kems)
            .map(|((i, id), kem)| Member {
                i,
                custodian: ident(id),
                org: ident(&self.person(i).member.org_id),
                sign_kid: self.person(i).signing_key().verifying_key().key_id(),
                kem: kem.public(),
            })
            .collect()
    }

    /// A draft for a lot, of which `k` members open.
    pub fn draft(&self, lot: &LotStory<'_>, k: u8, opens: Timestamp, members: Vec<Member>) -> Draft {
        let group = |round: Round| {
            let opens = if round == Round::Escrow { opens.plus_millis(lot.decryption_ms()) } else { opens };
            let opens_not_before = UtcMillis::parse(opens.to_string(), "opens").expect("a time");
            Group { group: ident(&round.group(&lot.id)), opens_not_before }
        };
        let groups = lot.shared_rounds().into_iter().map(group).collect();
        Draft::new(ident(&lot.project), ident(&lot.id), groups, Profile::Strict, k, members).expect("random numbers")
    }

    /// The usual draft, three of five, for an opening in at least 29 days; with an escrow for the usual one, in 30.
    pub fn usual_draft(&self, lot: &LotStory<'_>) -> Draft {
        let days = if lot.shared_rounds().contains(&Round::Escrow) { 30 } else { 29 };
        let opens = self.world.now().plus_seconds(days * 24 * 60 * 60);
        self.draft(lot, 3, opens, self.members())
    }

    /// The initiator begins a ceremony.
    pub fn begin(&self, lot: &LotStory<'_>, draft: Draft) -> Answer {
        let initiator = self.world.initiator();
        let signed = draft.sign(&initiator.signing_key()).expect("random numbers");
        initiator.post(lot.path("/ceremonies"), &json!({ "draft": signed.jws() }))
    }

    /// Member `i` says something.
    pub fn say<M: Message>(&self, ceremony: &str, i: u8, message: M) -> Answer {
        self.send(ceremony, i, &self.signed(i, message), &[])
    }

    /// A message signed by member `i`.
    pub fn signed<M: Message>(&self, i: u8, message: M) -> Signed<M> {
        Signed::sign(message, &self.person(i).signing_key()).expect("random numbers")
    }

    /// Member `i` sends a signed message.
    pub fn send<M: Message>(&self, ceremony: &str, i: u8, signed: &Signed<M>, backups: &[Value]) -> Answer {
        let body = json!({ "message": signed.jws(), "backups": backups });
        self.person(i).post(format!("/v1/ceremonies/{ceremony}/messages"), &body)
    }

    /// A ceremony in which all have committed and shown round 1.
    pub fn shown(&self, lot: &LotStory<'_>) -> (String, Vec<Dealer>) {
        let view = self.begin(lot, self.usual_draft(lot)).ok();
        let id = view["id"].as_str().expect("an id").to_owned();
        let draft = SignedDraft::from_value(&view["draft"]).expect("a draft").draft().clone();
        let begun: Vec<(Dealer, Commit, Round1)> =
            draft.indices().map(|i| Dealer::begin(&draft, i).expect("random numbers")).collect();
        for (_, commit, _) in &begun {
            self.say(&id, commit.head.member, commit.clone()).ok();
        }
        let mut dealers = Vec::new();
        for (dealer, _, round1) in begun {
            self.say(&id, round1.head.member, round1).ok();
            dealers.push(dealer);
        }
        (id, dealers)
    }

    /// A ceremony in which all have dealt.
    pub fn dealt(&self, lot: &LotStory<'_>) -> (String, Vec<Dealer>) {
        let (id, dealers) = self.shown(lot);
        let transcript = self.transcript(&id);
        for (i, dealer) in (1..).zip(&dealers) {
            self.say(&id, i, dealer.deal(&transcript).expect("dealt")).ok();
        }
        (id, dealers)
    }

    /// What the platform shows of a ceremony.
    pub fn view(&self, ceremony: &str) -> Value {
        self.world.nobody("GET", format!("/v1/ceremonies/{ceremony}")).send().ok()
    }

    /// What has been said until round 2, as everybody reads it.
    pub fn transcript(&self, ceremony: &str) -> Transcript {
        let view = self.view(ceremony);
        let draft = SignedDraft::from_value(&view["draft"]).expect("a draft");
        let mut transcript = Transcript::new(draft.draft().clone());
        let said = |step: &str| view["messages"][step].as_array().cloned().unwrap_or_default();
        said("commit").iter().for_each(|value| transcript.commit(read::<Commit>(value)).expect("right"));
        said("round1").iter().for_each(|value| transcript.round1(read::<Round1>(value)).expect("right"));
        said("round2").iter().for_each(|value| transcript.round2(read::<Round2>(value)).expect("right"));
        transcript
    }

    /// Member `i` accepts, with its backup.
    pub fn accept(&self, ceremony: &str, i: u8, share: &KeyShare, accept: Accept) -> Answer {
        self.accept_all(ceremony, i, std::slice::from_ref(share), accept)
    }

    /// Member `i` accepts, with its backup of every share.
    fn accept_all(&self, ceremony: &str, i: u8, shares: &[KeyShare], accept: Accept) -> Answer {
        let view = self.view(ceremony);
        let draft = SignedDraft::from_value(&view["draft"]).expect("a draft").draft().clone();
        let sealed = shares.iter().map(|share| Backup::seal(&draft, share).expect("random numbers").to_json());
        let backups: Vec<Value> = sealed.map(|backup| serde_json::from_str(&backup).expect("JSON")).collect();
        self.send(ceremony, i, &self.signed(i, accept), &backups)
    }

    /// A whole ceremony, rehearsed by all.
    pub fn held(&self, lot: &LotStory<'_>) -> Held {
        let (id, dealers) = self.dealt(lot);
        let transcript = self.transcript(&id);
        let (mut shares, mut second) = (Vec::new(), Vec::new());
        for (i, dealer) in (1..).zip(&dealers) {
            let mut finished = dealer.finish(&transcript).expect("nobody is at fault");
            self.accept_all(&id, i, &finished.shares, finished.accept).ok();
            second.extend(finished.shares.drain(1..));
            shares.append(&mut finished.shares);
        }
        for share in shares.iter().chain(&second) {
            self.rehearse(&id, share).ok();
        }
        Held { id, shares, second }
    }

    /// A member shows that its share works.
    pub fn rehearse(&self, ceremony: &str, share: &KeyShare) -> Answer {
        let person = self.person(share.member());
        let answer = rehearsal::answer(share).expect("random numbers").sign(&person.signing_key());
        let body = json!({ "message": answer.expect("random numbers").jws() });
        person.post(format!("/v1/ceremonies/{ceremony}/messages"), &body)
    }

    /// The complaint that member `i` would make of what it was dealt.
    pub fn complaint(dealer: &Dealer, transcript: &Transcript) -> Complaint {
        match dealer.finish(transcript) {
            Err(Fault::Complaint(complaint)) => *complaint,
            other => panic!("no complaint: {other:?}"),
        }
    }
}

fn kid(person: &Person<'_>) -> String {
    person.signing_key().verifying_key().key_id().to_string()
}

fn read<M: Message>(value: &Value) -> Signed<M> {
    Signed::from_value(value).expect("a message")
}

/// The latest snapshot of a lot: its root and its lines.
pub fn snapshot(lot: &LotStory<'_>) -> (Value, Vec<Line>) {
    let shown = items(&lot.world.nobody("GET", lot.path("/snapshots")).send().ok());
    let view = shown.last().expect("a snapshot").clone();
    let lines: Vec<Line> = view["lines"]
        .as_array()
        .expect("lines")
        .iter()
        .map(|line| Line::parse(line.to_string().as_bytes()).expect("a line"))
        .collect();
    (view, lines)
}

/// The partial decryptions of a share for these lines.
pub fn partials(share: &KeyShare, lines: &[Line]) -> Partials {
    let partial = |line: &Line| Partial {
        envelope: line.envelope,
        slot: line.slot,
        share: line.share(share).expect("a proven line"),
    };
    Partials {
        kid: share.key_set().kid,
        member: share.member(),
        snapshot: snapshot::root(lines),
        partials: lines.iter().map(partial).collect(),
    }
}

/// Somebody gives partial decryptions.
pub fn give(lot: &LotStory<'_>, person: &Person<'_>, list: Partials) -> Answer {
    let signed: SignedPartials = list.sign(&person.signing_key()).expect("random numbers");
    person.post(lot.path("/partials"), &json!({ "partials": signed.jws() }))
}

/// A point that belongs to nothing.
pub fn stray() -> Point {
    PrivateScalar::generate().expect("random numbers").public()
}
