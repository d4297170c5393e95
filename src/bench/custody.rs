//! Openings under custodians: what a ceremony, the shares of a box, their verification and what comes out of them cost, by the
//! functions of a real opening; and what sealing to two keys costs those who submit.
//!
//! Seconds of one core, unless a name says otherwise.

use std::time::Instant;

use super::ground::{Ground, Shape};
use super::measure::Figures;
use super::{BenchError, Result, Run, bids};
use crate::custodian::opening::{Checked, answers};
use crate::demo::custody::Mode;
use crate::kernel::digest::{Digest, sha256};
use crate::kernel::parallel;
use crate::seal::ceremony::{
    Backup, CeremonyError, Dealer, Draft, Fault, Finished, Group, Message, Signed, Transcript, rehearsal,
};
use crate::seal::envelope::{Part, SignedEnvelope};
use crate::seal::ids::{Ident, UtcMillis};
use crate::seal::keys::{Algorithm, SigningKey};
use crate::seal::keyset::{KeySet, KeyShare, Member, Profile};
use crate::seal::manifest::{BidJson, Binding};
use crate::seal::part_writer::bid_part;
use crate::seal::partials::SignedPartials;
use crate::seal::points::PrivateScalar;
use crate::seal::sealing::{Subject, seal_header, seal_payload};
use crate::seal::snapshot::{Line, Snapshot};
use crate::seal::unsealing::{Holder, Share, SlotShares, combined, payload_keys_from};
use crate::stage;

/// Bids of the box.
const BIDS: usize = 10_000;
/// Custodians, and how many of them open.
const MEMBERS: u8 = 5;
const THRESHOLD: u8 = 3;
/// Bidders who submit, each once in each key mode.
const BIDDERS: usize = 2_000;

/// Measures what is computed, and submissions on each database.
pub fn measure(run: &Run) -> Result<Figures> {
    let mut figures = Figures::default();
    let custody = Custody::assembled()?;
    let shares = custody.ceremony(&mut figures)?;
    let sealed = Sealed::made(run.many(BIDS), &custody, shares[0].key_set())?;
    let lists = answered(&custody, &shares, &sealed, &mut figures)?;
    verified(&sealed, &lists, &mut figures)?;
    opened(&sealed, &lists, &mut figures)?;
    for backend in &run.databases {
        let ground = Ground::lay_in(backend.fresh()?, run.many(BIDDERS), &[Mode::Platform, Mode::Dual])?;
        submissions(&ground, run.many(BIDDERS), backend.name, &mut figures)?;
        ground.clear();
    }
    Ok(figures)
}

fn ident(text: &str) -> Result<Ident> {
    Ident::parse(text, "id").map_err(BenchError::of)
}

/// The keys of all custodians.
struct Custody {
    draft: Draft,
    signers: Vec<SigningKey>,
    kems: Vec<PrivateScalar>,
}

impl Custody {
    fn assembled() -> Result<Self> {
        let signers = (0..MEMBERS).map(|_| SigningKey::generate(Algorithm::EdDsa).map_err(BenchError::of));
        let signers = signers.collect::<Result<Vec<_>>>()?;
        let kems = (0..MEMBERS).map(|_| PrivateScalar::generate().map_err(BenchError::of));
        let kems = kems.collect::<Result<Vec<_>>>()?;
        let members = (1..=MEMBERS).zip(signers.iter().zip(&kems)).map(|(i, (signer, kem))| {
            Ok(Member {
                i,
                custodian: ident(&format!("custodian-{i}"))?,
                org: ident(&format!("org-{i}"))?,
                sign_kid: signer.verifying_key().key_id(),
                kem: kem.public(),
            })
        });
        let opens_not_before = UtcMillis::parse("2026-12-01T01:00:00.000Z", "opens").map_err(BenchError::of)?;
        let groups = vec![Group { group: ident("lot-1")?, opens_not_before }];
        let members = members.collect::<Result<_>>()?;
        let draft = Draft::new(ident("prj-1")?, ident("lot-1")?, groups, Profile::Strict, THRESHOLD, members);
        Ok(Self { draft: draft.map_err(BenchError::of)?, signers, kems })
    }

    fn signed<M: Message>(&self, message: M) -> Result<Signed<M>> {
        let signer = &self.signers[usize::from(message.head().member) - 1];
        Signed::sign(message, signer).map_err(BenchError::of)
    }

    /// Lets everybody hear what everybody has said, with all checks.
    fn heard<M: Message + Clone>(
        &self,
        everybody: &mut [Transcript],
        said: &[Signed<M>],
        take: fn(&mut Transcript, Signed<M>) -> std::result::Result<(), CeremonyError>,
    ) -> Result<()> {
        for transcript in everybody {
            for (message, signer) in said.iter().zip(&self.signers) {
                let key = signer.verifying_key();
                message.verify(transcript.draft(), transcript.id(), key).map_err(BenchError::of)?;
                take(transcript, message.clone()).map_err(BenchError::of)?;
            }
        }
        Ok(())
    }

    /// A whole ceremony, computed by one core: every member and the platform check everything by themselves.
    fn ceremony(&self, figures: &mut Figures) -> Result<Vec<KeyShare>> {
        let began = Instant::now();
        let mut everybody: Vec<Transcript> = (0..=MEMBERS).map(|_| Transcript::new(self.draft.clone())).collect();
        let (mut dealers, mut commits, mut shown) = (Vec::new(), Vec::new(), Vec::new());
        for i in self.draft.indices() {
            let (dealer, commit, round1) = Dealer::begin(&self.draft, i).map_err(BenchError::of)?;
            dealers.push(dealer);
            commits.push(self.signed(commit)?);
            shown.push(self.signed(round1)?);
        }
        self.heard(&mut everybody, &commits, Transcript::commit)?;
        self.heard(&mut everybody, &shown, Transcript::round1)?;
        let dealt = dealers
            .iter()
            .zip(&everybody)
            .map(|(dealer, seen)| self.signed(dealer.deal(seen).map_err(BenchError::of)?));
        let dealt = dealt.collect::<Result<Vec<_>>>()?;
        self.heard(&mut everybody, &dealt, Transcript::round2)?;
        let finished = dealers.iter().zip(&everybody).map(|(dealer, seen)| match dealer.finish(seen) {
            Ok(finished) => Ok(finished),
            Err(Fault::Other(error)) => Err(BenchError::of(error)),
            Err(Fault::Complaint(_)) => Err(BenchError("a wrong share was dealt".into())),
        });
        let finished = finished.collect::<Result<Vec<Finished>>>()?;
        let mut shares = Vec::new();
        for (mut one, kem) in finished.into_iter().zip(&self.kems) {
            let share = one.shares.remove(0);
            self.signed(one.accept)?;
            let backup = Backup::seal(&self.draft, &share).map_err(BenchError::of)?;
            let back = backup.open(everybody[0].id(), share.key_set().clone(), share.member(), kem);
            back.map_err(BenchError::of)?;
            let shown = rehearsal::answer(&share).map_err(BenchError::of)?;
            if !rehearsal::verify(share.key_set(), &shown) {
                return Err(BenchError("a share does not work".into()));
            }
            shares.push(share);
        }
        figures.add("custody.ceremony", began.elapsed().as_secs_f64(), "s");
        Ok(shares)
    }
}

/// A box.
struct Sealed {
    key_set: KeySet,
    bids: Vec<SignedEnvelope>,
    checked: Checked,
}

impl Sealed {
    fn made(count: usize, custody: &Custody, key_set: &KeySet) -> Result<Self> {
        let signer = SigningKey::generate(Algorithm::EdDsa).map_err(BenchError::of)?;
        let mut bids: Vec<(usize, Result<SignedEnvelope>)> =
            (0..count).map(|n| (n, Err(BenchError("not sealed".into())))).collect();
        stage::parallel::each(&mut bids, |(n, out)| *out = bid(*n, key_set, &signer));
        let bids = bids.into_iter().map(|(_, bid)| bid).collect::<Result<Vec<_>>>()?;
        let mut lines: Vec<Line> = bids.iter().flat_map(|bid| Line::of(bid, key_set.kid)).collect();
        lines.sort_by_key(|line| (line.envelope, line.slot));
        let snapshot = Snapshot::new(key_set, custody.draft.lot.clone(), &lines);
        Ok(Self { key_set: key_set.clone(), bids, checked: Checked { snapshot, lines } })
    }
}

fn bid(n: usize, key_set: &KeySet, signer: &SigningKey) -> Result<SignedEnvelope> {
    let bidder = ident(&format!("bidder-{n}"))?;
    let binding =
        Binding { tender: key_set.tender.clone(), lot: ident("lot-1")?, bidder: bidder.clone(), part: Part::Price };
    let content = BidJson { amount: format!("{n}.00"), currency: "CNY".into(), validity_days: Some(90), note: None };
    let plain = bid_part(binding, &content).map_err(BenchError::of)?;
    let payload = seal_payload(plain.as_slice(), std::io::sink(), 1).map_err(BenchError::of)?;
    let subject = Subject {
        lot: ident("lot-1")?,
        part: Part::Price,
        bidder,
        rev: 1,
        doc_rev: sha256(b"documents"),
        created: UtcMillis::parse("2026-11-22T03:49:39.000Z", "created").map_err(BenchError::of)?,
    };
    seal_header(&subject, &payload, &[key_set], signer).map_err(BenchError::of)
}

/// The signed lists of as many members as open; what the first of them computes is what is measured.
fn answered(
    custody: &Custody,
    shares: &[KeyShare],
    sealed: &Sealed,
    figures: &mut Figures,
) -> Result<Vec<SignedPartials>> {
    let answer = |share: &KeyShare| {
        let signer = &custody.signers[usize::from(share.member()) - 1];
        answers(share, signer, &sealed.checked).map(|list| list.map_err(BenchError::of)).collect::<Result<Vec<_>>>()
    };
    let began = Instant::now();
    let mut lists = answer(&shares[0])?;
    figures.add("custody.partials_of_one", began.elapsed().as_secs_f64(), "s");
    let mut others: Vec<(&KeyShare, Result<Vec<SignedPartials>>)> =
        shares[1..usize::from(THRESHOLD)].iter().map(|share| (share, Ok(Vec::new()))).collect();
    stage::parallel::each(&mut others, |(share, lists)| *lists = answer(share));
    for (_, other) in others {
        lists.extend(other?);
    }
    Ok(lists)
}

/// Every share is what it must be: once by one core, once by all.
fn verified(sealed: &Sealed, lists: &[SignedPartials], figures: &mut Figures) -> Result<()> {
    let line_of = |envelope: &Digest, slot: u8| {
        let lines = &sealed.checked.lines;
        let found = lines.binary_search_by_key(&(*envelope, slot), |line| (line.envelope, line.slot));
        found.map(|at| &lines[at]).map_err(|_| BenchError("a share of no line".into()))
    };
    let holds = |list: &SignedPartials| {
        let said = list.list();
        let holder = Holder::of(&sealed.key_set, said.member);
        said.partials.iter().try_for_each(|partial| {
            let line = line_of(&partial.envelope, partial.slot)?;
            let right = line.verify(&holder, &partial.share);
            if right { Ok(()) } else { Err(BenchError("a share does not verify".into())) }
        })
    };
    let began = Instant::now();
    lists.iter().try_for_each(holds)?;
    let one = began.elapsed().as_secs_f64();
    let began = Instant::now();
    parallel::try_each(lists, holds)?;
    let all = began.elapsed().as_secs_f64();
    figures.add("custody.verification", one, "s");
    figures.add("custody.verification.all_cores", all, "s");
    figures.add("custody.verification.all_to_one", one / all, "x");
    Ok(())
}

/// What was given is put together, and opens every slot.
fn opened(sealed: &Sealed, lists: &[SignedPartials], figures: &mut Figures) -> Result<()> {
    let mut given: std::collections::HashMap<Digest, SlotShares> = std::collections::HashMap::new();
    for list in lists {
        let said = list.list();
        let share = |partial: &crate::seal::partials::Partial| -> (u8, Share) { (said.member, partial.share) };
        for partial in &said.partials {
            given.entry(partial.envelope).or_default().push(share(partial));
        }
    }
    let began = Instant::now();
    for bid in &sealed.bids {
        let shares = given.get(&bid.id()).map_or(&[][..], Vec::as_slice);
        let d = combined(&sealed.key_set, 0, shares).map_err(BenchError::of)?;
        payload_keys_from(bid, &[&sealed.key_set], &[d]).map_err(BenchError::of)?;
    }
    figures.add("custody.combination", began.elapsed().as_secs_f64(), "s");
    Ok(())
}

/// The same bidders bid on a lot under the platform's key and on one under two keys.
fn submissions(ground: &Ground, bidders: usize, database: &str, figures: &mut Figures) -> Result<()> {
    let mut rates = Vec::new();
    for (lot, mode) in ["platform", "dual"].into_iter().enumerate() {
        let ready = ground.ready(lot..lot + 1, 0..bidders, Shape { document_bytes: 0 })?;
        let mut volley = bids::fire(ground, &ready)?;
        figures.add_volley(&format!("custody.submission.{mode}.{database}"), &mut volley);
        rates.push(volley.per_second());
    }
    figures.add(format!("custody.submission.dual_to_platform.{database}"), rates[1] / rates[0], "x");
    Ok(())
}
