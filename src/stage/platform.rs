//! A real server in this process, on a database, a blob directory and keys of its own, with a clock that whoever put it
//! up moves.

use std::net::TcpListener;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use actix_web::dev::ServerHandle;
use actix_web::web;

use super::{Result, Scratch, StageError};
use crate::app::App;
use crate::client::Client;
use crate::clock::{Clock, ManualClock};
use crate::config::Config;
use crate::db::{Mode, connection, migrate};
use crate::features::inspection::replay::{self, ReplayReport};
use crate::http::server;
use crate::kernel::time::Timestamp;
use crate::keys::Keys;
use crate::ledger::{Context, Error, Tx};
use crate::limits;
use crate::worker::{self, mailer, pulse, scheduler, unsealer};

/// The first morning: a Monday, nine o'clock in China.
const FIRST_MORNING: &str = "2026-03-02T01:00:00.000Z";

/// The platform.
pub struct Platform {
    app: web::Data<App>,
    clock: Arc<ManualClock>,
    ticking: Mutex<()>,
    runtime: tokio::runtime::Runtime,
    server: ServerHandle,
    thread: Option<JoinHandle<()>>,
    scratch: Scratch,
}

impl Platform {
    /// Starts it in a fresh directory, on an SQLite database there.
    ///
    /// # Errors
    /// When something cannot be made or opened.
    pub fn start() -> Result<Self> {
        Self::start_with(|_| ())
    }

    /// As [`Platform::start`], with another configuration, such as another database.
    ///
    /// # Errors
    /// When something cannot be made or opened.
    pub fn start_with(change: impl FnOnce(&mut Config)) -> Result<Self> {
        Self::start_at(Timestamp::parse(FIRST_MORNING).map_err(StageError::of)?, change)
    }

    /// As [`Platform::start_with`], with a clock that shows `now` at first.
    ///
    /// # Errors
    /// When something cannot be made or opened.
    pub fn start_at(now: Timestamp, change: impl FnOnce(&mut Config)) -> Result<Self> {
        let scratch = Scratch::new().map_err(StageError::of)?;
        let listener = TcpListener::bind("127.0.0.1:0").map_err(StageError::of)?;
        let mut config = configure(scratch.path(), &listener)?;
        change(&mut config);
        if !config.database_url().is_postgres() {
            let mut conn = connection::connect(&config.database_url(), Mode::Write).map_err(StageError::of)?;
            migrate::migrate(&mut conn).map_err(StageError::of)?;
        }
        let keys = Keys::create(&config.keys.dir).map_err(StageError::of)?;
        let clock = Arc::new(ManualClock::new(now));
        let app = web::Data::new(App::open(config, clock.clone(), keys).map_err(StageError::of)?);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(StageError::of)?;
        let (server, thread) = serve(app.clone(), listener)?;
        Ok(Self { app, clock, ticking: Mutex::new(()), runtime, server, thread: Some(thread), scratch })
    }

    /// The platform itself.
    pub fn app(&self) -> &web::Data<App> {
        &self.app
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.app.config.server.public_url
    }

    /// Its directory.
    pub fn directory(&self) -> &Path {
        self.scratch.path()
    }

    /// A client that is not signed in.
    pub fn client(&self) -> Client {
        Client::new(self.url())
    }

    /// What its clock shows.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Moves its clock forward by a second, so that what two bidders do one after the other has two times.
    pub fn tick(&self) {
        let _one_at_a_time = self.ticking.lock().unwrap_or_else(PoisonError::into_inner);
        self.clock.advance(1_000);
    }

    /// Lets its clock go on by itself until what is returned is dropped.
    pub fn let_time_pass(&self) -> Passing {
        let (clock, stop) = (self.clock.clone(), Arc::new(AtomicBool::new(false)));
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            let (start, began) = (clock.now(), Instant::now());
            while !stopped.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(1));
                let passed = i64::try_from(began.elapsed().as_millis()).unwrap_or(0);
                clock.set(start.plus_millis(passed));
            }
        });
        Passing { stop, thread: Some(thread) }
    }

    /// Moves its clock forward to `at`, and does whatever is due by then.
    pub fn move_to(&self, at: Timestamp) -> Result<()> {
        if at > self.now() {
            // The server is there all the time, however far its clock moves at once.
            self.runtime.block_on(pulse::beat(&self.app)).map_err(StageError::of)?;
            self.clock.set(at);
            self.runtime.block_on(pulse::beat(&self.app)).map_err(StageError::of)?;
        }
        self.settle()
    }

    /// Does the workers' rounds until there is nothing left to do.
    pub fn settle(&self) -> Result<()> {
        self.runtime
            .block_on(async {
                loop {
                    let done = scheduler::round(&self.app).await?
                        + worker::log::round(&self.app).await?
                        + unsealer::round(&self.app).await?
                        + mailer::round(&self.app).await?;
                    if done == 0 {
                        return Ok(());
                    }
                }
            })
            .map_err(|error: Error| StageError::of(error))
    }

    /// Commits one use case of the system: what is done on the server's own machine and has no route.
    pub fn commit<T: Send + 'static>(
        &self,
        why: &str,
        work: impl FnMut(&mut Tx<'_>) -> std::result::Result<T, Error> + Send + 'static,
    ) -> Result<T> {
        self.app.ledger.commit_blocking(Context::system(self.now(), why), work).map_err(StageError::of)
    }

    /// Replays the record.
    pub fn replay(&self) -> Result<ReplayReport> {
        self.app.reader.read_blocking(replay::replay).map_err(StageError::of)
    }

    /// Publishes the list of the log's keys, as a server does at its start.
    ///
    /// # Errors
    /// The database's or the disk's.
    pub fn name_keys(&self) -> Result<()> {
        self.runtime.block_on(worker::log::start(&self.app)).map_err(StageError::of)
    }

    /// Starts the workers and serves until the user interrupts.
    pub fn stay(&self) -> Result<()> {
        let workers = tokio::task::LocalSet::new();
        workers.block_on(&self.runtime, async {
            worker::start(&self.app);
            tokio::signal::ctrl_c().await.map_err(StageError::of)
        })
    }

    /// Stops the server as a signal would: what was accepted is answered first.
    pub fn stop(mut self, keep: bool) {
        if keep {
            self.scratch.keep();
        }
        drop(self.leave());
    }

    /// Stops the server and leaves its directory to the caller.
    pub fn leave(mut self) -> Scratch {
        self.runtime.block_on(self.server.stop(true));
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            eprintln!("the server's thread ended by a panic");
        }
        self.app.ledger.stop();
        self.scratch
    }
}

/// As long as it lives, time passes by itself.
pub struct Passing {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Passing {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            eprintln!("the clock's thread ended by a panic");
        }
    }
}

fn configure(dir: &Path, listener: &TcpListener) -> Result<Config> {
    let address = listener.local_addr().map_err(StageError::of)?;
    let data = dir.join("data");
    std::fs::create_dir(&data).map_err(StageError::of)?;
    let mut config = Config::default();
    config.server.bind = address.to_string();
    config.server.public_url = format!("http://{address}");
    config.database.url = data.join("sealbid.sqlite").display().to_string();
    config.storage.blobs = data.join("blobs");
    config.mail.dir = data.join("mail");
    config.keys.dir = dir.join("keys");
    config.audit.dir = data.join("log");
    config.audit.signer = format!("dir:{}", dir.join("signer").display());
    // It grows when whoever put it up lets it, and by no more than there is.
    config.audit.padding = 0;
    // All clients share one address, and together send what thousands of addresses would.
    config.server.rate_limit_factor = limits::RATE_FACTOR_MOST;
    config.check().map_err(StageError::of)?;
    Ok(config)
}

fn serve(app: web::Data<App>, listener: TcpListener) -> Result<(ServerHandle, JoinHandle<()>)> {
    let (started, starting) = std::sync::mpsc::channel();
    let thread = std::thread::Builder::new().name("server".into()).spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            match server::start(app, listener) {
                Ok(server) => {
                    // The other side waits for this one message.
                    let _ = started.send(Ok(server.handle()));
                    if let Err(error) = server.await {
                        eprintln!("the server: {error}");
                    }
                }
                Err(error) => drop(started.send(Err(error))),
            }
        });
    });
    let thread = thread.map_err(StageError::of)?;
    let server = starting.recv().map_err(StageError::of)?.map_err(StageError::of)?;
    Ok((server, thread))
}
