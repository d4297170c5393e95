//! Looks after the states that an operator watches.
//!
//! Each is a probe of its own and none is drawn from rows: the writer's state is how long an empty commit takes, the
//! mail server's whether it greets us. So nothing that bidders do shows here, except that a server which is overrun is.

use std::path::Path;
use std::time::{Duration, Instant};

use actix_web::web;
use diesel::prelude::*;
use tokio::time::timeout;

use crate::app::App;
use crate::blobs::space;
use crate::clock::{Clock, SystemClock};
use crate::db::probe;
use crate::db::schema::meta;
use crate::features::mails::queries as mails;
use crate::features::restoration::queries as restoration;
use crate::limits;
use crate::log::queries as log;
use crate::metrics::State;

/// Clocks that differ by more are not trusted with a deadline, in milliseconds.
const OFFSET_MS: i64 = 250;

/// Looks once; at the mail server only where `mail` says so.
pub async fn round(app: &App, mail: bool) {
    let offset = database(app).await;
    let writer = writer(app).await;
    let ready = offset.is_some_and(|offset| offset.abs() <= OFFSET_MS) && writer < 2;
    app.metrics.set(State::Ready, Some(i64::from(ready)));
    app.metrics.set(State::Database, Some(i64::from(offset.is_some())));
    app.metrics.set(State::ClockOffset, offset);
    app.metrics.set(State::Writer, Some(writer));
    let now = app.clock.now().millis();
    let since = |at: Option<i64>, most: i64| at.is_some_and(|at| now - at < most);
    let stalled = app.metrics.scheduled_at().map(|at| i64::from(now - at > limits::SCHEDULER_STALLED_MS));
    app.metrics.set(State::Scheduler, stalled);
    app.metrics.set(State::Failing, Some(i64::from(since(app.metrics.failed_at(), limits::FAILING_MS))));
    files(app, now);
    public_log(app).await;
    let damaged = app.reader.read(restoration::is_any).await;
    app.metrics.set(State::Damaged, damaged.ok().map(i64::from));
    let given_up = app.reader.read(mails::given_up).await;
    app.metrics.set(State::MailFailed, given_up.ok().map(i64::from));
    if mail {
        let config = app.config.mail.clone();
        let taken = app.blocking(move || Ok(super::mailer::probe(&config).is_ok())).await;
        app.metrics.set(State::Mail, taken.ok().map(i64::from));
    }
}

/// Our clock minus the database's; `None` when the database does not answer.
async fn database(app: &App) -> Option<i64> {
    let asked = app.reader.read(|conn| {
        let _: i64 = meta::table.count().get_result(conn)?;
        Ok(probe::clock_ms(conn)?)
    });
    let answer = timeout(Duration::from_millis(limits::DB_CHECKOUT_MS), asked).await.ok()?.ok()?;
    Some(answer.map_or(0, |theirs| app.clock.now().millis() - theirs))
}

/// 0 while an empty commit is quick, 1 when it is slow, 2 when there is none.
async fn writer(app: &App) -> i64 {
    let began = Instant::now();
    let commit = app.ledger.commit_beside(app.system("watch"), |_| Ok(()));
    match timeout(Duration::from_millis(limits::WRITER_STUCK_MS), commit).await {
        Ok(Ok(())) => i64::from(began.elapsed().as_millis() >= limits::WRITER_SLOW_MS),
        _ => 2,
    }
}

/// Where the public log is; by the computer's clock, as its ticks are.
async fn public_log(app: &App) {
    app.metrics.set(State::Log, Some(app.log.health() as i64));
    app.metrics.set(State::LogWitness, Some(app.log.witness_ms()));
    let Ok(head) = app.reader.read(log::head).await else { return };
    let age = (head.published_ms > 0).then(|| (SystemClock.now().millis() - head.published_ms) / 1000);
    app.metrics.set(State::LogAge, age);
    app.metrics.set(State::LogSize, Some(head.published_size));
}

fn files(app: &App, now: i64) {
    let url = app.config.database_url();
    app.metrics.set(State::DiskDatabase, url.file().and_then(room));
    app.metrics.set(State::DiskBlobs, room(&app.config.storage.blobs));
    let marked = std::fs::metadata(&app.config.backup.marker).and_then(|file| file.modified()).ok();
    let at = marked.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    let age = at.map(|at| (now - i64::try_from(at.as_millis()).unwrap_or(now)) / 1000);
    app.metrics.set(State::BackupAge, age);
}

/// 0 while there is room, 1 when there is little, 2 when there is too little.
fn room(path: &Path) -> Option<i64> {
    let percent = space::of(path).ok()?.free_percent();
    Some(i64::from(percent < limits::DISK_LOW_PERCENT) + i64::from(percent < limits::DISK_CRITICAL_PERCENT))
}

/// Looks until the server stops, where somebody can see it.
pub async fn run(app: web::Data<App>) {
    if app.config.metrics.bind.is_empty() {
        return;
    }
    for look in 0_u64.. {
        round(&app, look.is_multiple_of(limits::WATCH_MAIL_EVERY)).await;
        tokio::time::sleep(Duration::from_millis(limits::WATCH_PAUSE_MS)).await;
    }
}
