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
use crate::features::opening::unsealing::Shares;
use crate::features::opening::{ops, unsealing};
use crate::features::partials;
use crate::features::restoration;
use crate::features::restoration::model::Damage;
use crate::features::uploads;
use crate::features::uploads::model::UploadRow;
use crate::kernel::time::Timestamp;
use crate::ledger::{Error, Failure, Result, Tx};
use crate::limits;
use crate::rules::facts::KeyMode;
use crate::rules::opening::OpeningPermit;
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
    prepare(app, lot_id).await?;
    let mut after = String::new();
    let mut failed = false;
    loop {
        let batch = next(app, lot_id, &after).await?;
        let last = batch.envelopes.len() < usize::try_from(limits::UNSEAL_BATCH).unwrap_or(usize::MAX);
        if let Some(end) = batch.envelopes.last() {
            after.clone_from(&end.envelope_id);
        }
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
            return Ok(done + u32::from(finish(app, lot_id).await?));
        }
        // Envelopes that cannot be tried now do not keep those behind them waiting.
        if last || done > 0 {
            return Ok(done);
        }
    }
}

/// Whatever has to be on record before the first share of a key is used: that this process is about to use the platform's key,
/// or what the custodians answer to.
async fn prepare(app: &App, lot_id: &str) -> Result<()> {
    let id = lot_id.to_owned();
    let mode = app.reader.read(move |conn| Ok(lots::queries::lot(conn, &id)?.body.terms.key_mode)).await?;
    match mode {
        KeyMode::Platform => announce(app, lot_id).await?,
        KeyMode::Custodians | KeyMode::Dual => {
            let (id, keys) = (lot_id.to_owned(), app.keys.clone());
            if let Some(drawn) = app.reader.read(move |conn| partials::ops::draw(conn, &keys, &id)).await? {
                app.faults.reach(Point::SnapshotDrawn);
                app.ledger.commit_beside(app.system("unsealer"), move |tx| partials::ops::fix(tx, &drawn)).await?;
                app.faults.reach(Point::SnapshotFixed);
            }
        }
        KeyMode::Bidder => {}
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

async fn next(app: &App, lot_id: &str, after: &str) -> Result<Batch> {
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
            let wanted = wanted(&lot, &seals, &session, now);
            let parts = groups::opening_now(&lot);
            let envelopes = queries::pending(conn, (&lot_id, &parts), &after, !patient, &wanted, limits::UNSEAL_BATCH)?;
            let means = Arc::new(unsealing::Means { seals, key, currency: lot.body.terms.currency });
            Ok(Batch { envelopes, means: Means { means, patient } })
        })
        .await
}

/// The shares without which an envelope is not opened yet: of custodians until somebody gives them up, of bidders for as many
/// minutes as the notice gives them.
fn wanted(lot: &Lot, seals: &Seals, session: &OpeningBody, now: Timestamp) -> Vec<Wanted> {
    if session.given_up.is_some() {
        return Vec::new();
    }
    let mut wanted = Vec::new();
    if let Some(set) = seals.shared(lot.body.round).filter(|_| seals.mode.needs_custodians()) {
        wanted.push(Wanted { slot: 0, k: i64::from(set.k) });
    }
    let window = i64::from(lot.body.terms.decryption_minutes) * 60_000;
    let in_window = session.begun_at.is_some_and(|at| now < at.plus_millis(window));
    if seals.mode.needs_bidder() && in_window {
        wanted.push(Wanted { slot: wanted.len() as i64, k: 1 });
    }
    wanted
}

/// Opens one envelope and stores its outcome; false when somebody was first, or its payload is waited for.
async fn one(app: &App, lot_id: &str, sealed: Sealed, means: &Means) -> Result<bool> {
    let (mut outcome, mut body) = open(app, &sealed, means).await?;
    if is_of_the_bytes(outcome) {
        if let Some(damage) = damage(app, &sealed).await? {
            if means.patient {
                note(app, &sealed, damage).await?;
                return Ok(false);
            }
            body.failed = Some(Failed::in_storage());
        } else {
            // What is stored is what was signed. It may have been put back a moment ago, so it is opened once more: what
            // fails now is the bidder's own.
            (outcome, body) = open(app, &sealed, means).await?;
        }
    }
    app.faults.reach(Point::Unsealed);
    let lot_id = lot_id.to_owned();
    // That somebody was first is no failure, but also nothing to record.
    let stored = app
        .ledger
        .commit_beside(app.system("unsealer"), move |tx| ops::store(tx, &lot_id, &sealed, outcome, &body))
        .await;
    app.faults.reach(Point::OutcomeStored);
    stored
}

async fn open(app: &App, sealed: &Sealed, means: &Means) -> Result<(Outcome, UnsealingBody)> {
    let (blobs, reader, means, sealed) = (app.blobs.clone(), app.reader.clone(), means.means.clone(), sealed.clone());
    app.blocking(move || {
        let shares = match means.seals.mode {
            KeyMode::Platform => Shares::default(),
            KeyMode::Custodians | KeyMode::Bidder | KeyMode::Dual => reader.read_blocking(|conn| {
                let own_key = partials::queries::own_key(conn, &sealed.bid_id, sealed.bid_version)?;
                Ok(Shares { own_key, given: partials::ops::given(conn, &sealed.envelope_id)? })
            })?,
        };
        unsealing::open(&blobs, &means, &sealed, &shares)
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
