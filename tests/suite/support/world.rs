//! A whole platform for one test: a real server on a port of its own, a database of its own, and a clock that the test
//! moves. When a world ends it checks the house, so that every test is also a test of the record.

use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use actix_web::web::Data;
use sealbid::app::App;
use sealbid::clock::{Clock, ManualClock};
use sealbid::config::Config;
use sealbid::db::{DbUrl, Mode, connection, migrate};
use sealbid::features::inspection::replay::{ReplayReport, replay};
use sealbid::kernel::time::Timestamp;
use sealbid::keys::Keys;
use sealbid::rules::editions::Category;
use sealbid::worker::{log, mailer, pulse, scheduler, scrubber, sweeper, unsealer};

use super::api::{Person, Request};
use super::cast::{self, Member};
use super::served::Served;
use super::stored::holds;
use super::story::LotStory;
use super::{logs, postgres};

/// Rounds after which a world that does not come to rest is broken.
const ROUNDS: usize = 200;

/// A migrated database with its people, to be copied.
struct Template {
    /// The SQLite file's bytes, or the name of the PostgreSQL database.
    database: Source,
    cast: Vec<Member>,
}

enum Source {
    Sqlite(Vec<u8>),
    Postgres(String),
}

/// One platform.
pub struct World {
    app: Data<App>,
    clock: Arc<ManualClock>,
    agent: ureq::Agent,
    cast: &'static [Member],
    server: Served,
    runtime: tokio::runtime::Runtime,
    dir: tempfile::TempDir,
    /// Texts inside sealed bids: in no log ever, and in no file while their lot is closed.
    secrets: Mutex<Vec<(String, String)>>,
}

fn sqlite_template() -> &'static Template {
    static TEMPLATE: OnceLock<Template> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("template.sqlite");
        let url = DbUrl::Sqlite(file.clone());
        migrate::migrate(&mut connection::connect(&url, Mode::Write).expect("opened")).expect("migrated");
        let cast = cast::hire(&url);
        // The last connection to close has written the log back: the file is the whole database.
        let bytes = std::fs::read(&file).expect("readable");
        assert!(!dir.path().join("template.sqlite-wal").exists(), "somebody still has the template open");
        Template { database: Source::Sqlite(bytes), cast }
    })
}

fn postgres_template(cluster: &'static postgres::Cluster) -> &'static Template {
    static TEMPLATE: OnceLock<Template> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let name = cluster.new_database();
        let cast = cast::hire(&DbUrl::parse(&cluster.application_url(&name)));
        Template { database: Source::Postgres(name), cast }
    })
}

impl World {
    /// A platform on SQLite.
    pub fn sqlite() -> Self {
        Self::sqlite_with(|_| ())
    }

    /// A platform on SQLite with another configuration; a key directory made by `prepare` is used.
    pub fn sqlite_with(prepare: impl FnOnce(&mut Config)) -> Self {
        let template = sqlite_template();
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("sealbid.sqlite");
        if let Source::Sqlite(bytes) = &template.database {
            std::fs::write(&file, bytes).expect("writable");
        }
        Self::open(file.display().to_string(), dir, template, prepare)
    }

    /// A platform on PostgreSQL, where it is installed.
    pub fn postgres() -> Option<Self> {
        Self::postgres_with(|_| ())
    }

    /// As [`World::sqlite_with`], on PostgreSQL.
    pub fn postgres_with(prepare: impl FnOnce(&mut Config)) -> Option<Self> {
        let cluster = postgres::cluster()?;
        let template = postgres_template(cluster);
        let Source::Postgres(name) = &template.database else { return None };
        let dir = tempfile::tempdir().expect("a directory");
        Some(Self::open(cluster.copy_of(name), dir, template, prepare))
    }

    fn open(
        database: String,
        dir: tempfile::TempDir,
        template: &'static Template,
        prepare: impl FnOnce(&mut Config),
    ) -> Self {
        logs::keep();
        let mut config = Config::default();
        config.server.workers = 2;
        config.server.public_url = "https://sealbid.test".into();
        config.database.url = database;
        config.storage.blobs = dir.path().join("blobs");
        config.keys.dir = dir.path().join("keys");
        config.mail.dir = dir.path().join("mail");
        config.audit.dir = dir.path().join("log");
        config.audit.signer = format!("dir:{}", dir.path().join("signer").display());
        config.audit.padding = 0;
        prepare(&mut config);
        let clock = Arc::new(ManualClock::new(cast::start()));
        let keys = if Keys::exist(&config.keys.dir) {
            Keys::load(&config.keys.dir).expect("keys")
        } else {
            Keys::ephemeral().expect("random numbers")
        };
        let app = Data::new(App::open(config, clock.clone(), keys).expect("the platform opens"));
        let server = Served::start(app.clone());
        let agent = ureq::Agent::new_with_config(
            ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).build(),
        );
        Self {
            app,
            clock,
            agent,
            cast: &template.cast,
            server,
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime"),
            dir,
            secrets: Mutex::default(),
        }
    }

    pub fn app(&self) -> &App {
        &self.app
    }

    /// The platform, for a server of a test's own.
    pub fn data(&self) -> Data<App> {
        self.app.clone()
    }

    /// The server's address.
    pub fn base(&self) -> &str {
        self.server.base()
    }

    pub fn agent(&self) -> &ureq::Agent {
        &self.agent
    }

    /// Database, blobs and mail lie here.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub fn person(&self, login: &str) -> Person<'_> {
        Person::new(
            self,
            self.cast.iter().find(|member| member.login == login).unwrap_or_else(|| panic!("no {login} in the cast")),
        )
    }

    pub fn admin(&self) -> Person<'_> {
        self.person("admin")
    }

    pub fn centre(&self) -> Person<'_> {
        self.person("centre")
    }

    pub fn inspector(&self) -> Person<'_> {
        self.person("inspector")
    }

    pub fn initiator(&self) -> Person<'_> {
        self.person("initiator1")
    }

    /// Bidder `n`, from 1.
    pub fn bidder(&self, n: usize) -> Person<'_> {
        self.person(&format!("bidder{n}"))
    }

    /// A request of somebody who is not signed in.
    pub fn nobody(&self, method: &'static str, path: impl Into<String>) -> Request<'_> {
        Request::new(self, method, path)
    }

    /// A lot of the first initiator, told from its registration on.
    pub fn lot(&self, category: Category) -> LotStory<'_> {
        LotStory::new(self, category)
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Lets time pass while the platform stands ready, and nothing else.
    pub fn set_clock(&self, at: Timestamp) {
        self.beat();
        self.clock.set(at);
        self.beat();
    }

    /// Lets time pass while the platform is down.
    pub fn pass_unattended(&self, at: Timestamp) {
        self.clock.set(at);
    }

    /// The clock itself.
    pub fn clock(&self) -> &Arc<ManualClock> {
        &self.clock
    }

    /// The platform says that it lives.
    pub fn beat(&self) {
        self.runtime.block_on(pulse::beat(&self.app)).expect("a heartbeat");
    }

    /// Lets a second pass, so that what follows is later than what was before.
    pub fn tick(&self) {
        self.clock.set(self.now().plus_seconds(1));
    }

    /// Moves the clock and lets the platform do what is due by then.
    pub fn advance_to(&self, at: Timestamp) {
        self.set_clock(at);
        self.settle();
    }

    /// Lets the platform do what is due, until nothing is. Where the log grows with every tick, there is one tick in it.
    pub fn settle(&self) {
        if self.app.config.audit.padding == 0 {
            return self.rest(true);
        }
        self.rest(false);
        self.runtime.block_on(log::round(&self.app)).expect("a round of the log");
        self.rest(false);
    }

    fn rest(&self, with_log: bool) {
        for _ in 0..ROUNDS {
            let done = self.runtime.block_on(async {
                let app = &self.app;
                let lots = scheduler::round(app).await.expect("a scheduler round");
                let log = if with_log { log::round(app).await.expect("a round of the log") } else { 0 };
                let bids = unsealer::round(app).await.expect("an unsealer round");
                let mails = mailer::round(app).await.expect("a mailer round");
                let uploads = sweeper::round(app).await.expect("a sweeper round");
                lots + log + bids + mails + uploads
            });
            if done == 0 {
                return;
            }
        }
        panic!("the world does not come to rest");
    }

    /// Lets the platform read again what is due by now; returns how many files it read.
    pub fn scrub(&self) -> u32 {
        let round = || self.runtime.block_on(scrubber::round(&self.app)).expect("a scrubber round");
        std::iter::repeat_with(round).take_while(|read| *read > 0).sum()
    }

    /// Replays the record.
    pub fn replay(&self) -> ReplayReport {
        self.app.reader.read_blocking(replay).expect("the record can be read")
    }

    /// Remembers a text inside a sealed bid of a lot.
    pub fn keep_secret(&self, lot: &str, text: &str) {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner).push((lot.to_owned(), text.to_owned()));
    }

    /// Everything that must hold whatever the test did.
    fn check_the_house(&self) {
        let report = self.replay();
        let differences: Vec<String> = report.differences.iter().map(ToString::to_string).collect();
        assert!(report.is_clean(), "the record does not explain what is stored:\n{}", differences.join("\n"));
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (lot, text) in secrets {
            assert_eq!(logs::lines_with(&text), Vec::<String>::new(), "a sealed text is in the log");
            if !self.is_opened(&lot) {
                let found = files_with(self.dir(), &text);
                assert!(found.is_empty(), "a sealed text lies in {found:?}");
            }
        }
    }

    fn is_opened(&self, lot: &str) -> bool {
        use sealbid::rules::machine::State;
        let id = lot.to_owned();
        let lot = self
            .app
            .reader
            .read_blocking(move |conn| sealbid::features::lots::queries::lot(conn, &id))
            .expect("the lot of a sealed bid");
        !lot.state.is_before_closing() && !matches!(lot.state, State::Closed | State::Terminated)
    }
}

/// The files below `dir` that hold `text`.
fn files_with(dir: &Path, text: &str) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_with(&path, text));
        } else if std::fs::read(&path).is_ok_and(|bytes| holds(&bytes, text)) {
            found.push(path);
        }
    }
    found
}

impl Drop for World {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.check_the_house();
        }
        self.server.stop();
        self.app.ledger.stop();
    }
}
