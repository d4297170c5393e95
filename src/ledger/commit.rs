//! Runs use cases, commits them, and only then answers.

use std::hash::{BuildHasher, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;

use super::change::Tx;
use super::context::{Context, Lane};
use super::error::{Error, Failure, Result};
use super::halt::Halt;
use super::idempotency::{self, Idempotency, Known};
use super::queue::{Queue, Share};
use super::upkeep::Upkeep;
use crate::clock::Clock;
use crate::db::{Conn, DbUrl, Mode, connection, dialect};
use crate::faults::{Faults, Point};
use crate::kernel::text::Bilingual;
use crate::kernel::time::Timestamp;
use crate::limits;
use crate::refusals;
use crate::rules::refusal::{Refusal, Retry};

/// An answer, and whether it was given before.
#[derive(Clone, Debug)]
pub struct Answer<T> {
    /// What the use case returned, this time or the first time.
    pub value: T,
    /// Whether this is the stored answer of an earlier request with the same key.
    pub replayed: bool,
}

/// The writer. Cheap to clone; the writers stop when [`Ledger::stop`] is called.
#[derive(Clone)]
pub struct Ledger {
    shared: Arc<Shared>,
    writers: Arc<Mutex<Vec<JoinHandle<()>>>>,
    pub(super) upkeep: Arc<Upkeep>,
    pub(super) growth: Arc<Upkeep>,
}

struct Shared {
    queue: Queue<Box<dyn Job>>,
    clock: Arc<dyn Clock>,
    last_at: AtomicI64,
    url: DbUrl,
    faults: Faults,
    halt: Halt,
}

impl Shared {
    /// Now, never earlier than what this process recorded last.
    fn now(&self) -> Timestamp {
        let now = self.clock.now().millis();
        let last = self.last_at.fetch_max(now, Ordering::SeqCst);
        Timestamp::from_millis(now.max(last))
    }
}

/// A use case in line.
trait Job: Send {
    /// The queue it came from.
    fn lane(&self) -> Lane;
    /// Runs it; true when what it wrote is to be kept.
    fn run(&mut self, conn: &mut Conn, now: Timestamp) -> Outcome;
    /// How often it is run when the database has to choose between it and another: a header that was let in is not sent away
    /// for it.
    fn attempts(&self) -> u32;
    /// Gives the caller the result, or the failure that took the commit away.
    fn answer(self: Box<Self>, committed: std::result::Result<(), Failure>);
}

enum Outcome {
    Keep,
    /// It was refused before it wrote anything: there is nothing to undo.
    Nothing,
    Discard,
    Again,
    Lost,
}

struct UseCase<T, F> {
    context: Context,
    work: F,
    result: Option<Result<T>>,
    reply: oneshot::Sender<Result<T>>,
}

impl<T, F> Job for UseCase<T, F>
where
    T: Send,
    F: FnMut(&mut Tx<'_>) -> Result<T> + Send,
{
    fn lane(&self) -> Lane {
        self.context.lane
    }

    fn run(&mut self, conn: &mut Conn, now: Timestamp) -> Outcome {
        let (work, context) = (&mut self.work, &self.context);
        let mut wrote = true;
        // A panic in one use case must not take the writer, and everybody's work, with it.
        let result = catch_unwind(AssertUnwindSafe(|| {
            let mut tx = Tx::new(conn, context, now);
            let result = work(&mut tx);
            wrote = tx.wrote();
            result
        }))
        .unwrap_or_else(|_| Err(Error::internal("a use case panicked")));
        let outcome = match &result {
            Ok(_) => Outcome::Keep,
            // A database that failed may have undone more than this.
            Err(Error::Refused(_)) if !wrote => Outcome::Nothing,
            Err(error) if error.lost_connection() => Outcome::Lost,
            Err(error) if error.is_retryable() => Outcome::Again,
            Err(_) => Outcome::Discard,
        };
        self.result = Some(result);
        outcome
    }

    fn attempts(&self) -> u32 {
        if self.context.pass.is_some() { limits::HEADER_ATTEMPTS } else { limits::COMMIT_ATTEMPTS }
    }

    fn answer(self: Box<Self>, committed: std::result::Result<(), Failure>) {
        let result = match (committed, self.result) {
            (Ok(()), Some(result)) => result,
            (Err(failure), _) => Err(failure.into()),
            (Ok(()), None) => Err(Error::internal("a use case was never run")),
        };
        // A caller that has gone away does not need the answer; the work stands.
        let _ = self.reply.send(result);
    }
}

impl Ledger {
    /// Starts the writers for the database at `url`.
    pub fn start(url: &DbUrl, clock: Arc<dyn Clock>) -> Self {
        Self::start_with(url, clock, Faults::default(), limits::COMMIT_GROUP)
    }

    /// As [`Ledger::start`], with a plan of where to die, and with so many use cases in one commit at most.
    pub fn start_with(url: &DbUrl, clock: Arc<dyn Clock>, faults: Faults, group: usize) -> Self {
        let postgres = url.is_postgres();
        let (upkeep, growth) = (Upkeep::of(url, dialect::begin_upkeep), Upkeep::of(url, dialect::begin_growth));
        let (queue, last_at, url) = (Queue::new(postgres), AtomicI64::new(0), url.clone());
        let shared = Arc::new(Shared { queue, clock, last_at, url, faults, halt: Halt::default() });
        let shares = if postgres {
            // One writer for bids: two would lose races to each other, since a look for what is not there locks a page.
            let others = std::iter::repeat_n((Share::General, 1), limits::POSTGRES_WRITERS - 1);
            std::iter::once((Share::Bids, group.min(limits::POSTGRES_COMMIT_GROUP))).chain(others).collect()
        } else {
            vec![(Share::All, group)]
        };
        let start = |(n, (share, most))| {
            let shared = shared.clone();
            std::thread::Builder::new()
                .name(format!("writer-{n}"))
                .spawn(move || writer(&shared, share, most))
                .expect("the system can start a thread")
        };
        let writers = shares.into_iter().enumerate().map(start).collect();
        Self { shared, writers: Arc::new(Mutex::new(writers)), upkeep, growth }
    }

    /// Commits `work`, which must put something on record.
    ///
    /// # Errors
    /// What `work` returns; [`Failure::Busy`] when the queue is full; [`Failure::Unreachable`] without a database.
    pub async fn commit<T, F>(&self, context: Context, mut work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        self.shared.halt.check()?;
        let reply = self.submit(context, move |tx| recorded(tx, &mut work))?;
        reply.await.map_err(|_| Error::from(Failure::Stopping))?
    }

    /// As [`Ledger::commit`], for callers outside async code.
    pub fn commit_blocking<T, F>(&self, context: Context, mut work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        self.shared.halt.check()?;
        let reply = self.submit(context, move |tx| recorded(tx, &mut work))?;
        reply.blocking_recv().map_err(|_| Error::from(Failure::Stopping))?
    }

    /// Commits working state that is not on record: sessions, uploads, leases.
    pub async fn commit_beside<T, F>(&self, context: Context, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        self.submit(context, work)?.await.map_err(|_| Error::from(Failure::Stopping))?
    }

    /// As [`Ledger::commit_beside`], for callers outside async code.
    pub fn commit_beside_blocking<T, F>(&self, context: Context, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        self.submit(context, work)?.blocking_recv().map_err(|_| Error::from(Failure::Stopping))?
    }

    /// As [`Ledger::commit_beside`], without waiting for it: in line before this returns, for what an answer must not wait
    /// for. What goes wrong is logged.
    ///
    /// # Errors
    /// When the queue is full or closed.
    pub fn commit_later<F>(&self, context: Context, mut work: F) -> Result<()>
    where
        F: FnMut(&mut Tx<'_>) -> Result<()> + Send + 'static,
    {
        let logged = move |tx: &mut Tx<'_>| {
            work(tx).inspect_err(|error| {
                if !error.is_retryable() {
                    tracing::error!(?error, "something could not be put on record");
                }
            })
        };
        self.submit(context, logged).map(drop)
    }

    /// Commits `work` at most once for the same key and returns the same answer ever after.
    pub async fn commit_once<T, F>(&self, context: Context, idempotency: Idempotency, work: F) -> Result<Answer<T>>
    where
        T: Serialize + DeserializeOwned + Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        self.commit_once_if(context, idempotency, |_| true, work).await
    }

    /// As [`Ledger::commit_once`], but an answer that `keep` turns down is not stored under the key: what it says may
    /// change, and the caller was told to repeat the same request then.
    pub async fn commit_once_if<T, F>(
        &self,
        context: Context,
        idempotency: Idempotency,
        keep: fn(&T) -> bool,
        mut work: F,
    ) -> Result<Answer<T>>
    where
        T: Serialize + DeserializeOwned + Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        self.shared.halt.check()?;
        let reply = self.submit(context, move |tx| once(tx, &idempotency, keep, &mut work))?;
        reply.await.map_err(|_| Error::from(Failure::Stopping))?
    }

    pub(super) fn halted(&self) -> &Halt {
        &self.shared.halt
    }

    fn submit<T, F>(&self, context: Context, work: F) -> Result<oneshot::Receiver<Result<T>>>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let (reply, receiver) = oneshot::channel();
        let (lane, placed) = (context.lane, context.pass.is_some());
        self.shared.queue.push(lane, placed, Box::new(UseCase { context, work, result: None, reply }))?;
        Ok(receiver)
    }

    /// Takes no more work, finishes and answers what was accepted, and returns when the writers are done.
    pub fn stop(&self) {
        self.shared.queue.close();
        let writers: Vec<_> = self.writers.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect();
        for writer in writers {
            if writer.join().is_err() {
                tracing::error!("a writer ended by a panic");
            }
        }
    }
}

/// A use case that records nothing is a mistake of ours: it must not pass for a success.
fn recorded<T>(tx: &mut Tx<'_>, work: &mut impl FnMut(&mut Tx<'_>) -> Result<T>) -> Result<T> {
    let value = work(tx)?;
    if tx.applied() == 0 { Err(Error::internal("a use case put nothing on record")) } else { Ok(value) }
}

fn once<T: Serialize + DeserializeOwned>(
    tx: &mut Tx<'_>,
    key: &Idempotency,
    keep: fn(&T) -> bool,
    work: &mut impl FnMut(&mut Tx<'_>) -> Result<T>,
) -> Result<Answer<T>> {
    match idempotency::look_up(tx.conn(), key)? {
        Known::Answered(text) => {
            let value =
                serde_json::from_str(&text).map_err(|error| Error::damaged(format!("stored answer: {error}")))?;
            Ok(Answer { value, replayed: true })
        }
        Known::Other => Err(key_reused().into()),
        Known::New => {
            let value = work(tx)?;
            if !keep(&value) {
                return Ok(Answer { value, replayed: false });
            }
            let text = serde_json::to_string(&value).map_err(|error| Error::internal(format!("answer: {error}")))?;
            let now = tx.now();
            tx.beside(|conn| idempotency::store(conn, key, &text, now))?;
            Ok(Answer { value, replayed: false })
        }
    }
}

fn key_reused() -> Refusal {
    refusals::plain(
        "idempotency-key-reused",
        Bilingual::new("该幂等键已用于另一项请求。", "This Idempotency-Key was used for another request."),
        Bilingual::new("请为新的请求使用新的键。", "Use a new key for a new request."),
        Retry::AfterChange,
    )
}

fn writer(shared: &Shared, share: Share, most: usize) {
    let mut conn = None;
    while let Some(jobs) = shared.queue.take(share, most) {
        settle(&mut conn, shared, jobs);
    }
}

/// Serves a group and answers it. When its commit fails, one of them may be the reason: each half is served by itself.
fn settle(conn: &mut Option<Conn>, shared: &Shared, mut jobs: Vec<Box<dyn Job>>) {
    match serve(conn, shared, &mut jobs) {
        Ok(()) => jobs.into_iter().for_each(|job| job.answer(Ok(()))),
        Err(failure) if jobs.len() == 1 || matches!(failure, Failure::Unreachable(_)) => {
            jobs.into_iter().for_each(|job| job.answer(Err(copy(&failure))));
        }
        Err(_) => {
            let others = jobs.split_off(jobs.len() / 2);
            settle(conn, shared, jobs);
            settle(conn, shared, others);
        }
    }
}

/// Why a run came to nothing.
enum Broke {
    /// The connection is gone, and nothing was committed on it.
    Stale(Failure),
    /// Anything else; where it was the commit itself, whether it was done is not known.
    Failed(Failure),
}

impl From<diesel::result::Error> for Broke {
    fn from(error: diesel::result::Error) -> Self {
        Self::Failed(if dialect::is_connection_lost(&error) {
            Failure::Unreachable(error.to_string())
        } else if dialect::is_retryable(&error) {
            Failure::Busy
        } else {
            error.into()
        })
    }
}

/// Runs and commits. A connection that broke while it was idle is replaced once, without anybody noticing.
fn serve(conn: &mut Option<Conn>, shared: &Shared, jobs: &mut [Box<dyn Job>]) -> std::result::Result<(), Failure> {
    match attempt(conn, shared, jobs) {
        Ok(()) => Ok(()),
        Err(Broke::Failed(failure)) => Err(failure),
        Err(Broke::Stale(_)) => match attempt(conn, shared, jobs) {
            Ok(()) => Ok(()),
            Err(Broke::Stale(failure) | Broke::Failed(failure)) => Err(failure),
        },
    }
}

fn attempt(conn: &mut Option<Conn>, shared: &Shared, jobs: &mut [Box<dyn Job>]) -> std::result::Result<(), Broke> {
    let done = match connected(conn, &shared.url) {
        Ok(open) => run(open, shared, jobs),
        Err(failure) => return Err(Broke::Failed(failure)),
    };
    if done.is_err() {
        *conn = None;
    }
    done
}

pub(super) fn connected<'a>(conn: &'a mut Option<Conn>, url: &DbUrl) -> std::result::Result<&'a mut Conn, Failure> {
    match conn {
        Some(open) => Ok(open),
        None => Ok(conn
            .insert(connection::connect(url, Mode::Write).map_err(|error| Failure::Unreachable(error.to_string()))?)),
    }
}

/// The failure again, for another of those it concerns.
fn copy(failure: &Failure) -> Failure {
    match failure {
        Failure::Unreachable(why) => Failure::Unreachable(why.clone()),
        Failure::Busy => Failure::Busy,
        Failure::Full(why) => Failure::Full(why.clone()),
        other => Failure::Internal(other.to_string()),
    }
}

/// Runs and commits what was taken from the queue; on return every job has its own result, unless the commit failed.
fn run(conn: &mut Conn, shared: &Shared, jobs: &mut [Box<dyn Job>]) -> std::result::Result<(), Broke> {
    let most = if let [alone] = &*jobs { alone.attempts() } else { limits::GROUP_ATTEMPTS };
    for attempt in 1..=most {
        match dialect::begin_write(conn) {
            Ok(()) => {}
            Err(error) if dialect::is_connection_lost(&error) => return Err(Broke::Stale(error.into())),
            Err(error) => return Err(error.into()),
        }
        let now = shared.now();
        let verdict = match &mut *jobs {
            [alone] => alone.run(conn, now),
            group => run_group(conn, group, now)?,
        };
        match verdict {
            Outcome::Keep => match commit(conn, shared, jobs) {
                Ok(()) => return Ok(()),
                Err(error) if dialect::is_retryable(&error) => dialect::rollback(conn)?,
                Err(error) => return Err(error.into()),
            },
            Outcome::Nothing | Outcome::Discard => return Ok(dialect::rollback(conn)?),
            Outcome::Again => dialect::rollback(conn)?,
            Outcome::Lost => return Err(Broke::Stale(Failure::Unreachable("the connection was lost".into()))),
        }
        pause(attempt);
    }
    Err(Broke::Failed(Failure::Busy))
}

/// Commits what ran.
fn commit(conn: &mut Conn, shared: &Shared, jobs: &[Box<dyn Job>]) -> diesel::QueryResult<()> {
    let [before, after] = match jobs.iter().any(|job| job.lane() == Lane::Bids) {
        true => [Point::BidBeforeCommit, Point::BidAfterCommit],
        false => [Point::BeforeCommit, Point::AfterCommit],
    };
    shared.faults.reach(before);
    dialect::commit(conn)?;
    shared.faults.reach(after);
    Ok(())
}

/// Runs a group as if all of it were to be kept, which nearly always it is. Where it is not, what was written is undone and
/// each use case runs again, behind a savepoint of its own: savepoints copy every page that is touched.
fn run_group(conn: &mut Conn, jobs: &mut [Box<dyn Job>], now: Timestamp) -> std::result::Result<Outcome, Broke> {
    for job in jobs.iter_mut() {
        match job.run(conn, now) {
            Outcome::Keep | Outcome::Nothing => {}
            Outcome::Discard => {
                dialect::rollback(conn)?;
                dialect::begin_write(conn)?;
                return run_apart(conn, jobs, now);
            }
            lost @ (Outcome::Again | Outcome::Lost) => return Ok(lost),
        }
    }
    Ok(Outcome::Keep)
}

/// Runs a group, a savepoint each, so that a refused use case rolls back alone.
fn run_apart(conn: &mut Conn, jobs: &mut [Box<dyn Job>], now: Timestamp) -> std::result::Result<Outcome, Broke> {
    for job in jobs {
        conn.batch_execute("SAVEPOINT use_case")?;
        match job.run(conn, now) {
            Outcome::Keep | Outcome::Nothing => conn.batch_execute("RELEASE SAVEPOINT use_case")?,
            Outcome::Discard => conn.batch_execute("ROLLBACK TO SAVEPOINT use_case; RELEASE SAVEPOINT use_case")?,
            lost @ (Outcome::Again | Outcome::Lost) => return Ok(lost),
        }
    }
    Ok(Outcome::Keep)
}

/// Waits longer each time at most, and never in step with the others who lost the same race, in this process or another.
fn pause(attempt: u32) {
    let most = limits::COMMIT_PAUSE_MS * u64::from(attempt.min(limits::COMMIT_ATTEMPTS));
    // A hasher with random keys is the standard library's source of a number that nobody else draws.
    let drawn = RandomState::new().hash_one(attempt);
    std::thread::sleep(Duration::from_millis(1 + drawn % most));
}
