//! One tick of the log: what was begun is finished, then the next batch is taken, signed and published.
//!
//! Every step may be repeated. After the commit of a batch its leaves follow from the database alone, so that tiles come out
//! with the same bytes; the signer gives the same signature again; the checkpoint only moves forward. So a server that dies
//! anywhere leaves nothing that the next tick, on whichever server, does not finish.

use super::directory::DirectoryError;
use super::model::{Batch, Head, digest, size};
use super::sequencer::{self, Plan};
use super::signer::{Growth, Kept, SignerError};
use super::{Health, Log, changes, queries, recovery};
use crate::clock::{Clock, SystemClock};
use crate::db::{Conn, dialect};
use crate::faults::{Faults, Point};
use crate::kernel::digest::Digest;
use crate::ledger::{Context, Error, Failure, Ledger, Reader, Result, WriteConn};
use crate::limits;
use crate::tlog::edge::Edge;
use crate::verify::report::Failure as Refuted;
use crate::verify::trust::Trust;
use crate::verify::{source, tiles};

/// What a tick needs of the platform.
pub struct Means<'a> {
    /// The door for writes.
    pub ledger: &'a Ledger,
    /// Read-only views.
    pub reader: &'a Reader,
    /// Where the process is to die, in a drill.
    pub faults: &'a Faults,
    /// The computer's clock: ticks go by real time, whatever the platform's clock shows.
    pub clock: &'a dyn Clock,
}

/// What a tick did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ticked {
    /// Another server grows the log.
    Elsewhere,
    /// There was nothing to do.
    Idle,
    /// A checkpoint was published for so many leaves.
    Published(u64),
    /// The tree grew, and too few witnesses have cosigned it.
    Unwitnessed,
}

/// Why the log must stand still until a person has looked.
#[derive(Debug)]
pub(super) struct Halt(String);

pub(super) enum Trouble {
    Halt(Halt),
    Failed(Error),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// A tile with other bytes is a reason to stand still; a full disk is not.
impl From<DirectoryError> for Trouble {
    fn from(error: DirectoryError) -> Self {
        match error {
            DirectoryError::Altered(_) | DirectoryError::Root(_) => Self::Halt(Halt(error.to_string())),
            DirectoryError::Io { .. } | DirectoryError::Missing(_) => Self::Failed(error.into()),
        }
    }
}

impl From<SignerError> for Trouble {
    fn from(error: SignerError) -> Self {
        match error {
            SignerError::Refused(_) | SignerError::Overdue(_) => Self::Halt(Halt(error.to_string())),
            SignerError::Memory(_) | SignerError::Away(_) => {
                Self::Failed(Error::Failed(Failure::Storage(error.to_string())))
            }
        }
    }
}

pub(super) type Step<T> = std::result::Result<T, Trouble>;

impl Log {
    /// One tick. Blocks; not more than one at a time in a process.
    ///
    /// # Errors
    /// What went wrong; the next tick tries again. Where the log has to stand still, it does, and says so to everybody.
    pub fn tick(&self, means: &Means<'_>) -> Result<Ticked> {
        let ticked = self.try_tick(means);
        match ticked {
            Ok(ticked) => {
                self.set_health(Health::Running);
                Ok(ticked)
            }
            Err(Trouble::Failed(error)) => {
                *self.edge() = None;
                if self.health() != Health::Halted {
                    self.set_health(Health::Failing);
                }
                Err(error)
            }
            // Whoever was overtaken finds things changed that are nobody's fault.
            Err(Trouble::Halt(_)) if !self.leads(means)? => {
                *self.edge() = None;
                Ok(Ticked::Elsewhere)
            }
            Err(Trouble::Halt(Halt(why))) => Err(self.stand_still(means.ledger, &why)),
        }
    }

    /// Whether this server still is the one that grows the log.
    fn leads(&self, means: &Means<'_>) -> Result<bool> {
        let holder = means.reader.read_blocking(queries::head)?.holder;
        Ok(holder.as_ref() == Some(&self.settings.instance))
    }

    /// Reads every published tile again and compares it with the tile above it, up to the published checkpoint. A changed one lets
    /// the log stand still; one that is missing does not.
    ///
    /// # Errors
    /// What is changed or missing, or cannot be read.
    pub fn recheck(&self, ledger: &Ledger) -> Result<()> {
        let Some((_, note)) = self.directory.checkpoint()? else { return Ok(()) };
        let trust = Trust::new(Some(self.policy.clone()), Vec::new());
        let files = source::Directory(self.directory.path().to_owned());
        let Err(failure) = tiles::check(&trust, &files, ("checkpoint", &note), None) else { return Ok(()) };
        let why = format!("{}: {}", failure.finding().place, failure.finding().what.en);
        match failure {
            Refuted::Undecided(_) => Err(Error::Failed(Failure::Storage(why))),
            Refuted::Refuted(_) | Refuted::Forked { .. } => Err(self.stand_still(ledger, &why)),
        }
    }

    /// Lets the log stand still, and with it everything that must be on record, on every server.
    fn stand_still(&self, ledger: &Ledger, why: &str) -> Error {
        *self.edge() = None;
        self.set_health(Health::Halted);
        tracing::error!(alarm = "log-halted", why, "the log stands still: nothing that must be on record is accepted");
        let text = why.to_owned();
        let stored = ledger.grow_blocking(context("log"), move |conn| changes::halt(conn, Some(&text)));
        ledger.halt(why);
        stored.err().unwrap_or_else(|| Error::internal(format!("the log stands still: {why}")))
    }

    fn edge(&self) -> std::sync::MutexGuard<'_, Option<Edge>> {
        self.edge.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn try_tick(&self, means: &Means<'_>) -> Step<Ticked> {
        let (head, now_shared) = means.reader.read_blocking(|conn| look(conn, means.clock))?;
        if let Some(why) = &head.halted {
            means.ledger.halt(why);
            self.set_health(Health::Halted);
            return Err(Trouble::Failed(Error::internal(format!("the log stands still: {why}"))));
        }
        means.ledger.resume();
        let Some(head) = self.lead(means, head, now_shared)? else { return Ok(Ticked::Elsewhere) };
        let mut edge = self.edge().take();
        if edge.as_ref().is_none_or(|edge| edge.size() != size(head.size)) {
            edge = Some(self.finish(means, &head)?);
        }
        let mut edge = edge.ok_or_else(|| Error::internal("the log has no edge"))?;
        let now = means.clock.now().millis();
        let pending = means.reader.read_blocking(|conn| queries::pending(conn, limits::LOG_BATCH))?;
        let slot = (now / i64::try_from(self.settings.tick_ms).unwrap_or(i64::MAX)).max(head.slot + 1);
        let plan = sequencer::plan(&head, &edge, pending, self.settings.padding, slot, now)?;
        let grown = match plan {
            None => None,
            Some(plan) => {
                let lease = now_shared + self.lease_ms();
                match self.commit(means, &plan, lease) {
                    Err(error) if sequencer::is_overtaken(&error) => return Ok(Ticked::Elsewhere),
                    done => done?,
                }
                let note = self.stand(means, &plan)?;
                edge = plan.edge;
                Some((edge.size(), note))
            }
        };
        *self.edge() = Some(edge);
        match grown {
            Some((size, note)) => self.publish(means, size, &note),
            None if head.published_size < head.size => {
                let note = self.sign_again(means, &head)?;
                self.publish(means, size(head.size), &note)
            }
            None => Ok(Ticked::Idle),
        }
    }

    fn lease_ms(&self) -> i64 {
        let ticks = limits::LOG_LEASE_TICKS * i64::try_from(self.settings.tick_ms).unwrap_or(i64::MAX);
        ticks.clamp(*limits::LOG_LEASE_MS.start(), *limits::LOG_LEASE_MS.end())
    }

    /// Makes sure that this server is the one that grows the log; none where another is.
    fn lead(&self, means: &Means<'_>, head: Head, now: i64) -> Step<Option<Head>> {
        let me = &self.settings.instance;
        if head.holder.as_ref() == Some(me) {
            return Ok(Some(head));
        }
        *self.edge() = None;
        // A database with one server is that server's, whoever had it before.
        if self.settings.shared && head.holder.is_some() && head.lease_until > now {
            return Ok(None);
        }
        let (epoch, holder, until) = (head.epoch, me.clone(), now + self.lease_ms());
        let leads =
            means.ledger.grow_blocking(context("log"), move |conn| changes::lead(conn, epoch, &holder, until))?;
        if !leads {
            return Ok(None);
        }
        tracing::info!(epoch = epoch + 1, "this server grows the log");
        Ok(Some(means.reader.read_blocking(queries::head)?))
    }

    /// Lets another server grow the log at once: this one stops.
    ///
    /// # Errors
    /// The database's.
    pub fn leave(&self, ledger: &Ledger) -> Result<()> {
        let me = self.settings.instance.clone();
        ledger.grow_blocking(context("log"), move |conn| changes::leave(conn, &me))
    }

    fn commit(&self, means: &Means<'_>, plan: &Plan, lease_until: i64) -> Result<()> {
        let (batch, taken, holder) = (plan.batch.clone(), plan.taken().clone(), self.settings.instance.clone());
        means
            .ledger
            .grow_blocking(context("log"), move |conn| sequencer::write(conn, &batch, &taken, &holder, lease_until))?;
        means.faults.reach(Point::LogSequenced);
        Ok(())
    }

    /// Puts the tiles of a batch where they belong, and has its root signed.
    fn stand(&self, means: &Means<'_>, plan: &Plan) -> Step<String> {
        let tiles = self.directory.place_tiles(&plan.tiles)?;
        means.faults.reach(Point::LogTiles);
        // What is signed has been read again; tiles that a failing power would take from their places follow from the database.
        let note = tiles.settle_beside(|| self.sign(means, &plan.batch, plan.commitments.clone()))?;
        means.faults.reach(Point::LogSigned);
        Ok(note)
    }

    fn sign(&self, means: &Means<'_>, batch: &Batch, commitments: Vec<Digest>) -> Step<String> {
        let growth = Growth {
            slot: u64::try_from(batch.slot).unwrap_or(0),
            size_before: size(batch.size_before),
            commitments,
            root: sequencer::root_of(batch)?,
        };
        match self.signer.sign(&growth) {
            Err(SignerError::Overdue(overdue)) => {
                self.show(means, &overdue)?;
                Ok(self.signer.sign(&growth)?)
            }
            signed => Ok(signed?),
        }
    }

    /// Shows the signer that promises were kept which it has not seen being kept: an answer was repeated later.
    fn show(&self, means: &Means<'_>, overdue: &[Digest]) -> Step<()> {
        let signed = self.signer.head()?.size;
        for some in overdue.chunks(limits::PROMISES_SHOWN) {
            let owned = some.to_vec();
            let found = means.reader.read_blocking(move |conn| {
                owned.iter().map(|c| Ok((*c, queries::leaf_of(conn, c)?))).collect::<Result<Vec<_>>>()
            })?;
            let kept = found
                .into_iter()
                .filter_map(|(commitment, index)| Some((commitment, index.filter(|index| *index < signed)?)))
                .map(|(commitment, index)| Ok(Kept { commitment, index, proof: self.inclusion(index, signed)? }))
                .collect::<Result<Vec<Kept>>>()?;
            self.signer.kept(&kept)?;
        }
        Ok(())
    }

    /// The leaves of a batch, out of the database; of one that was recovered, out of the files.
    fn leaves(&self, reader: &Reader, batch: &Batch) -> Result<Vec<Digest>> {
        if batch.pad_key.is_empty() {
            return recovery::leaves(self, batch);
        }
        let real = reader.read_blocking(|conn| queries::commitments(conn, batch))?;
        sequencer::leaves_of(batch, &real)
    }

    /// Lets an edge grow by a batch, and puts its tiles where they belong.
    fn put(&self, edge: &mut Edge, batch: &Batch, commitments: &[Digest]) -> Step<()> {
        let tiles = sequencer::grow(edge, commitments);
        if edge.frontier().root() != sequencer::root_of(batch)? {
            return Err(Halt::of(format!("the entries of batch {} do not lead to its root", batch.batch)));
        }
        Ok(self.directory.write_tiles(&tiles)?)
    }

    /// Every batch from the one that begins at `from` leaves on, to the one that ends at `to`.
    fn each_batch(&self, reader: &Reader, from: u64, to: u64, mut each: impl FnMut(Batch) -> Step<()>) -> Step<()> {
        let mut at = from;
        while at < to {
            let begin = i64::try_from(at).unwrap_or(i64::MAX);
            let batches = reader.read_blocking(move |conn| queries::batches_from(conn, begin, BATCHES_AT_ONCE))?;
            if batches.first().is_none_or(|batch| batch.size_before != begin) {
                return Err(Halt::of(format!("there is no batch of the log that begins at {at} leaves")));
            }
            for batch in batches {
                at = size(batch.size_after);
                each(batch)?;
            }
        }
        Ok(())
    }

    /// Makes every tile that is missing again. Those of leaves that were recovered are in no database: they need a copy.
    ///
    /// # Errors
    /// What is changed, or cannot be made again.
    pub fn rebuild(&self, reader: &Reader) -> Result<()> {
        let head = reader.read_blocking(queries::head)?;
        let mut edge = Edge::empty();
        let put = |batch: Batch| {
            let commitments = self.leaves(reader, &batch)?;
            self.put(&mut edge, &batch, &commitments)
        };
        self.each_batch(reader, 0, size(head.size), put).map_err(|trouble| match trouble {
            Trouble::Halt(Halt(why)) => Error::damaged(why),
            Trouble::Failed(error) => error,
        })
    }

    /// The last batch's checkpoint once more.
    fn sign_again(&self, means: &Means<'_>, head: &Head) -> Step<String> {
        let last = means.reader.read_blocking(|conn| queries::batch(conn, head.batch))?;
        let batch = last.ok_or_else(|| Error::damaged("the log has no last batch"))?;
        let commitments = self.leaves(means.reader, &batch)?;
        self.sign(means, &batch, commitments)
    }

    /// Brings files and signatures to where the database is: after a crash, on another server, or where files are lost.
    fn finish(&self, means: &Means<'_>, head: &Head) -> Step<Edge> {
        let signed = self.signer.head()?;
        self.look_back(means, head, signed.size, &signed.root)?;
        let mut edge = self.begin_with(means, head)?;
        self.each_batch(means.reader, edge.size().min(signed.size), size(head.size), |batch| {
            let commitments = self.leaves(means.reader, &batch)?;
            if size(batch.size_before) >= edge.size() {
                self.put(&mut edge, &batch, &commitments)?;
            }
            if size(batch.size_before) >= signed.size {
                self.sign(means, &batch, commitments)?;
            }
            Ok(())
        })?;
        // What the database says was published is believed where the note proves it, also how large that tree was.
        if let Some((note, Ok(accepted))) = head.published.as_ref().map(|note| (note, self.policy.check(note))) {
            self.directory.publish(accepted.checkpoint.size, note)?.settle()?;
        }
        Ok(edge)
    }

    /// The database must not be behind what was signed and published, and must agree with it: else it is an old one, or another.
    fn look_back(&self, means: &Means<'_>, head: &Head, signed_size: u64, signed_root: &Digest) -> Step<()> {
        let behind = |what: &str, there: u64| {
            Err(Halt::of(format!(
                "rollback suspected: {what} has {there} leaves, and the database {}: it is an older one than was used",
                head.size
            )))
        };
        if signed_size > size(head.size) {
            return behind("the signer", signed_size);
        }
        let at = i64::try_from(signed_size).unwrap_or(i64::MAX);
        if means.reader.read_blocking(move |conn| queries::root_at(conn, at))? != Some(*signed_root) {
            return Err(Halt::of(format!(
                "rollback suspected: at {signed_size} leaves the signer has another root than the database"
            )));
        }
        if let Some((published, note)) = self.directory.checkpoint()? {
            if self.policy.open(&note).is_err() {
                return Err(Halt::of("the published checkpoint is not signed by this log's key".into()));
            }
            if published > size(head.size) {
                return behind("the published checkpoint", published);
            }
        }
        self.ask_witnesses(means, head)
    }

    /// The edge from which files can be brought forward: that of the last tree whose files are all there.
    fn begin_with(&self, means: &Means<'_>, head: &Head) -> Step<Edge> {
        let whole = |size: i64, root: &Digest| self.directory.edge(self::size(size), root).ok();
        if let Some(edge) = whole(head.size, &digest(&head.root)?) {
            return Ok(edge);
        }
        let published = head.published_size;
        let root = means.reader.read_blocking(move |conn| queries::root_at(conn, published))?;
        if let Some(edge) = root.and_then(|root| whole(published, &root)) {
            return Ok(edge);
        }
        tracing::warn!("the log's files are made again from the database");
        Ok(Edge::empty())
    }

    /// Has the checkpoint cosigned and moves it.
    fn publish(&self, means: &Means<'_>, size: u64, note: &str) -> Step<Ticked> {
        let note = self.witnessed(note)?;
        if let Err(refused) = self.policy.check(&note) {
            tracing::error!(alarm = "log-unwitnessed", why = %refused, "the checkpoint is not published");
            return Ok(Ticked::Unwitnessed);
        }
        let checkpoint = self.directory.publish(size, &note)?;
        means.faults.reach(Point::LogPublished);
        let now = means.clock.now().millis();
        let (at, text) = (i64::try_from(size).unwrap_or(i64::MAX), note);
        let remember = move |conn: &mut WriteConn<'_>| changes::published(conn, at, &text, now);
        // Where the checkpoint is lost from its place and remembered all the same, it is put there again: see `finish`.
        checkpoint.settle_beside(|| Ok::<_, Trouble>(means.ledger.grow_blocking(context("log"), remember)?))?;
        Ok(Ticked::Published(size))
    }
}

/// Batches that are looked at together while files are brought forward.
const BATCHES_AT_ONCE: i64 = 64;

impl Halt {
    pub(super) fn of(why: String) -> Trouble {
        Trouble::Halt(Self(why))
    }
}

fn context(why: &str) -> Context {
    Context::system(SystemClock.now(), why)
}

fn look(conn: &mut Conn, clock: &dyn Clock) -> Result<(Head, i64)> {
    let head = queries::head(conn)?;
    let now = dialect::shared_clock_ms(conn)?.unwrap_or_else(|| clock.now().millis());
    Ok((head, now))
}
