//! Unseals the boxes of lots whose opening began.
//!
//! Each envelope is opened outside any transaction and its outcome is a use case of its own, so that a crash loses at most
//! the few at hand, which are opened again. Several servers may work on the same box: whoever commits first is right, since the outcome is the same
//! for all. What is not the envelope's fault is tried again in the next round. Nothing is unsealed without the permit of
//! a lot that is being opened, and nothing of an outcome is logged.
//!
//! A payload that was damaged in storage is waited for, for so long after the opening began, while its owner may put it
//! back; the other envelopes are opened meanwhile. Only then it is an outcome, and one that names the storage.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use futures_util::stream::{self, StreamExt};

use crate::app::App;
use crate::faults::Point;
use crate::features::bids::fixed;
use crate::features::key_sets;
use crate::features::key_sets::groups;
use crate::features::key_sets::model::Seals;
use crate::features::lots;
use crate::features::lots::model::Lot;
use crate::features::opening::model::{Failed, OpeningBody, UnsealingBody};
use crate::features::opening::queries::{self, Sealed, Wanted};
use crate::features::opening::unsealing::{Opened, Shares};
use crate::features::opening::{ops, unsealing};
use crate::features::partials;
use crate::features::restoration;
use crate::features::restoration::model::Damage;
use crate::features::uploads;
use crate::features::uploads::model::UploadRow;
use crate::kernel::time::Timestamp;
use crate::ledger::{Error, Failure, Result, Tx};
use crate::limits;
use crate::rules::envelopes::Round;
use crate::rules::facts::KeyMode;
use crate::rules::opening::OpeningPermit;
use crate::seal::escrow::own_partials;
use crate::seal::partials::SignedPartials;
use crate::seal::unsealing::Outcome;

/// Unseals what waits: a batch of each lot, so that a large box does not keep the others waiting. Returns how much was
/// done: outcomes stored and boxes finished; 0 when nothing waits.
///
/// # Errors
/// The database's; what concerns one lot or one envelope is logged and tried again.
pub async fn round(app: &App) -> Result<u32> {
    let lots = app.reader.read(|conn| queries::unsealing_lots(conn, limits::UNSEAL_LOTS)).await?;
    let mut done = 0;
    for lot in lots {
        match batch(app, &lot).await {
            Ok(count) => done += count,
            Err(error) => log(&lot, &error),
        }
    }
    Ok(done)
}

/// Envelopes to open, and what opens them.
struct Batch {
    envelopes: Vec<Sealed>,
    /// Behind which envelope the next batch begins; none where this is the last.
    next: Option<String>,
    means: Means,
}

/// What opens envelopes.
struct Means {
    means: Arc<unsealing::Means>,
    /// What was damaged in storage may still be put back.
    patient: bool,
}

async fn batch(app: &App, lot_id: &str) -> Result<u32> {
    let id = lot_id.to_owned();
    if !app.reader.read(move |conn| fixed::is_witnessed(conn, &id)).await? {
        // The set of bids is fixed for everybody to check before any key is used.
        return Ok(0);
    }
    let mut done = 0;
    // Keys in escrow first: what they open is ready then.
    for round in prepare(app, lot_id).await? {
        done += sweep(app, lot_id, round).await?;
    }
    Ok(done)
}

/// Opens a batch of the envelopes of one round for which there are enough shares.
async fn sweep(app: &App, lot_id: &str, round: Round) -> Result<u32> {
    let mut after = String::new();
    let mut failed = false;
    loop {
        let batch = next(app, lot_id, round, &after).await?;
        let last = batch.next.is_none();
        after = batch.next.unwrap_or_default();
        let means = &batch.means;
        let mut outcomes = stream::iter(batch.envelopes)
            .map(|sealed| one(app, lot_id, sealed, means))
            .buffer_unordered(limits::UNSEAL_TOGETHER);
        let mut done = 0;
        while let Some(outcome) = outcomes.next().await {
            match outcome {
                Ok(stored) => done += u32::from(stored),
                Err(error) => {
                    log(lot_id, &error);
                    failed = true;
                }
            }
        }
        if last && !failed {
            let finished = round != Round::Escrow && finish(app, lot_id).await?;
            return Ok(done + u32::from(finished));
        }
        // Envelopes that cannot be tried now do not keep those behind them waiting.
        if last || done > 0 {
            return Ok(done);
        }
    }
}

/// Whatever has to be on record before the first share of a key is used: that this process is about to use the platform's key,
/// or what the custodians answer to. Gives the rounds that are to be opened now.
async fn prepare(app: &App, lot_id: &str) -> Result<Vec<Round>> {
    let (id, now) = (lot_id.to_owned(), app.clock.now());
    let (lot, session) = app
        .reader
        .read(move |conn| {
            let session = queries::of_lot(conn, &id)?.map(|session| session.body).unwrap_or_default();
            Ok((lots::queries::lot(conn, &id)?, session))
        })
        .await?;
    let (terms, round) = (&lot.body.terms, lot.body.round);
    match terms.key_mode {
        KeyMode::Platform => announce(app, lot_id).await?,
        KeyMode::Custodians | KeyMode::Dual => ask(app, lot_id, round).await?,
        KeyMode::Bidder if partials::escrow::is_due(&lot, &session, now) => ask(app, lot_id, Round::Escrow).await?,
        KeyMode::Bidder => {}
    }
    let in_escrow = terms.shared_rounds().into_iter().filter(|round| *round == Round::Escrow);
    Ok(in_escrow.chain([round]).collect())
}

/// Puts on record what the custodians answer to, unless it is.
async fn ask(app: &App, lot_id: &str, round: Round) -> Result<()> {
    let (id, keys) = (lot_id.to_owned(), app.keys.clone());
    if let Some(drawn) = app.reader.read(move |conn| partials::ops::draw(conn, &keys, &id, round)).await? {
        app.faults.reach(Point::SnapshotDrawn);
        app.ledger.commit_beside(app.system("unsealer"), move |tx| partials::ops::fix(tx, &drawn)).await?;
        app.faults.reach(Point::SnapshotFixed);
    }
    Ok(())
}

/// Says that this process is about to use the lot's key, unless it has said so before.
async fn announce(app: &App, lot_id: &str) -> Result<()> {
    let (id, instance) = (lot_id.to_owned(), app.instance.id().to_owned());
    app.ledger
        .commit_beside(app.system("unsealer"), move |tx| {
            let lot = lots::queries::lot(tx.conn(), &id)?;
            key_sets::ops::used(tx, &lot, &instance, "unseal")
        })
        .await
}

async fn next(app: &App, lot_id: &str, round: Round, after: &str) -> Result<Batch> {
    let (keys, lot_id, after, now) = (app.keys.clone(), lot_id.to_owned(), after.to_owned(), app.clock.now());
    app.reader
        .read(move |conn| {
            let lot = lots::queries::lot(conn, &lot_id)?;
            let permit = OpeningPermit::grant(lot.state)?;
            let session = queries::of_lot(conn, &lot_id)?.map(|session| session.body).unwrap_or_default();
            let patient = session.begun_at.is_some_and(|at| now < at.plus_millis(limits::RESTORATION_MS));
            let seals = key_sets::queries::seals(conn, &lot)?;
            let key = match seals.mode {
                KeyMode::Platform => Some(key_sets::ops::unlock(conn, &permit, &keys, &lot)?),
                KeyMode::Custodians | KeyMode::Bidder | KeyMode::Dual => None,
            };
            let asked = if seals.has_escrow() { partials::escrow::asked(conn, &lot_id)? } else { None };
            let wanted = wanted(&Stage { lot: &lot, session: &session, round, asked: asked.is_some() }, &seals, now);
            let parts = groups::names(lot.body.terms.envelopes, &[round]);
            let envelopes = queries::pending(conn, (&lot_id, &parts), &after, !patient, &wanted, limits::UNSEAL_BATCH)?;
            let means = Arc::new(unsealing::Means { seals, key, currency: lot.body.terms.currency });
            let whole = envelopes.len() as i64 == limits::UNSEAL_BATCH;
            let next = envelopes.last().filter(|_| whole).map(|sealed| sealed.envelope_id.clone());
            // What nobody was asked for is not tried, also not where shares that are missing were given up.
            let only = match asked.filter(|_| round == Round::Escrow && !envelopes.is_empty()) {
                Some(_) => Some(partials::escrow::envelopes(conn, &lot_id)?),
                None => None,
            };
            let is_wanted = move |sealed: &Sealed| match &only {
                Some(only) => only.contains(&sealed.envelope_id),
                None => round != Round::Escrow,
            };
            Ok(Batch {
                next,
                envelopes: envelopes.into_iter().filter(is_wanted).collect(),
                means: Means { means, patient },
            })
        })
        .await
}

/// Where the opening of a lot stands.
struct Stage<'a> {
    lot: &'a Lot,
    session: &'a OpeningBody,
    /// What is opened.
    round: Round,
    /// Custodians were asked for keys in escrow.
    asked: bool,
}

/// The shares without which an envelope is not opened yet: of custodians until somebody gives them up, of bidders for as many
/// minutes as the notice gives them, and then, where their keys are in escrow, until that has failed.
fn wanted(stage: &Stage<'_>, seals: &Seals, now: Timestamp) -> Vec<Wanted> {
    let of_custodians =
        |round: Round| seals.shared(round).map(|set| Wanted { slot: 0, k: i64::from(set.k), in_escrow: false });
    match (stage.session.given_up.is_some(), stage.round, stage.asked) {
        (true, Round::First | Round::Second, true) => return vec![Wanted { slot: 0, k: 1, in_escrow: true }],
        (true, ..) => return Vec::new(),
        (false, Round::Escrow, _) => return of_custodians(Round::Escrow).into_iter().collect(),
        (false, Round::First | Round::Second, _) => {}
    }
    let mut wanted: Vec<Wanted> =
        of_custodians(stage.round).filter(|_| seals.mode.needs_custodians()).into_iter().collect();
    let in_time = stage.session.decryption_ends_at(&stage.lot.body.terms).is_some_and(|ends| now < ends);
    if seals.mode.needs_bidder() && (in_time || seals.has_escrow()) {
        wanted.push(Wanted { slot: wanted.len() as i64, k: 1, in_escrow: !in_time });
    }
    wanted
}

/// Opens one envelope and stores its outcome; false when somebody was first, or its payload is waited for.
async fn one(app: &App, lot_id: &str, sealed: Sealed, means: &Means) -> Result<bool> {
    let mut tried = open(app, &sealed, means).await?;
    if is_of_the_bytes(tried.outcome) {
        if let Some(damage) = damage(app, &sealed).await? {
            if means.patient {
                note(app, &sealed, damage).await?;
                return Ok(false);
            }
            tried.body.failed = Some(Failed::in_storage());
        } else {
            // What is stored is what was signed. It may have been put back a moment ago, so it is opened once more: what
            // fails now is the bidder's own.
            tried = open(app, &sealed, means).await?;
        }
    }
    app.faults.reach(Point::Unsealed);
    let lot_id = lot_id.to_owned();
    let work = move |tx: &mut Tx<'_>| {
        // That somebody was first is no failure, but also nothing to record.
        let stored = ops::store(tx, &lot_id, &sealed, tried.outcome, &tried.body)?;
        match &tried.shares {
            Some(list) if stored => partials::escrow::receive(tx, &lot_id, list, &sealed.envelope_id)?,
            _ => {}
        }
        Ok(stored)
    };
    let stored = app.ledger.commit_beside(app.system("unsealer"), work).await;
    app.faults.reach(Point::OutcomeStored);
    stored
}

/// How an attempt ended.
struct Tried {
    outcome: Outcome,
    body: UnsealingBody,
    /// Out of an escrow: the shares that its bidder would have given.
    shares: Option<SignedPartials>,
}

async fn open(app: &App, sealed: &Sealed, means: &Means) -> Result<Tried> {
    let (blobs, reader, means, sealed) = (app.blobs.clone(), app.reader.clone(), means.means.clone(), sealed.clone());
    let keys = app.keys.clone();
    app.blocking(move || {
        let shares = match means.seals.mode {
            KeyMode::Platform => Shares::default(),
            KeyMode::Custodians | KeyMode::Bidder | KeyMode::Dual => reader.read_blocking(|conn| {
                let own_keys = partials::queries::own_keys_of_bid(conn, &sealed.bid_id, sealed.bid_version)?;
                Ok(Shares { own_keys, given: partials::ops::given(conn, &sealed.envelope_id)? })
            })?,
        };
        let Opened { outcome, body, key } = unsealing::open(&blobs, &means, &sealed, &shares)?;
        let Some(key) = key else { return Ok(Tried { outcome, body, shares: None }) };
        let headers =
            reader.read_blocking(|conn| partials::queries::headers_of_bid(conn, &sealed.bid_id, sealed.bid_version))?;
        let list = own_partials(&key, &headers, &keys.promise);
        let list = list.map_err(|error| Error::internal(format!("shares of {}: {error}", sealed.bid_id)))?;
        Ok(Tried { outcome, body, shares: Some(list) })
    })
    .await
}

/// Whether an outcome may be the platform's storage's doing.
fn is_of_the_bytes(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::MissingPayload | Outcome::BadPayload)
}

async fn upload(app: &App, sealed: &Sealed) -> Result<UploadRow> {
    let id = sealed.upload_id.clone();
    app.reader
        .read(move |conn| {
            uploads::queries::attached(conn, &id)?.ok_or_else(|| Error::damaged(format!("upload {id} is missing")))
        })
        .await
}

/// What of an envelope's payload is not any more what was acknowledged, read from the disk.
async fn damage(app: &App, sealed: &Sealed) -> Result<Option<Damage>> {
    restoration::storage::examine(app, &upload(app, sealed).await?, Duration::ZERO).await
}

/// Puts damage on record and asks its owner to mend it.
async fn note(app: &App, sealed: &Sealed, damage: Damage) -> Result<()> {
    let upload = upload(app, sealed).await?;
    app.ledger
        .commit_beside(app.system("unsealer"), move |tx| restoration::ops::found(tx, &upload, Some(&damage)))
        .await
}

/// Ends the unsealing when no envelope is left; another server may still be at one.
async fn finish(app: &App, lot_id: &str) -> Result<bool> {
    let (id, faults) = (lot_id.to_owned(), app.faults.clone());
    let work = move |tx: &mut Tx<'_>| {
        let finished = ops::finish_unsealing(tx, &id)?;
        if finished {
            faults.reach(Point::BoxUnsealed);
        }
        Ok(finished)
    };
    match app.ledger.commit_beside(app.system("unsealer"), work).await {
        Err(Error::Refused(_)) | Err(Error::Failed(Failure::Busy)) => Ok(false),
        finished => finished,
    }
}

fn log(lot_id: &str, error: &Error) {
    match error {
        Error::Refused(refusal) => {
            tracing::warn!(lot.id = lot_id, code = refusal.code, "a box cannot be unsealed now; it is tried again")
        }
        Error::Failed(failure) => {
            tracing::error!(lot.id = lot_id, error = %failure, "an envelope could not be tried; it is tried again")
        }
    }
}

/// Rounds until the server stops.
pub async fn run(app: web::Data<App>) {
    loop {
        match round(&app).await {
            Ok(0) => {}
            Ok(_) => continue,
            Err(error) => tracing::error!(error = %error, "an unsealing round failed; the next one tries again"),
        }
        tokio::time::sleep(Duration::from_millis(limits::UNSEAL_PAUSE_MS)).await;
    }
}
