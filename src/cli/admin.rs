//! `sealbid admin`: what must be done on the machine itself, before or beside the server.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};

use super::database::{self, Alone};
use super::{ConfigArgs, Failed};
use crate::app;
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::features::accounts::first::{FirstAdmin, make_first_admin};
use crate::features::accounts::ops::NewPerson;
use crate::features::erasure::purge as erasure;
use crate::features::inspection::search::ops as search;
use crate::features::{calendar, key_sets};
use crate::kernel::org_identifier::OrgIdentifier;
use crate::keys::Keys;
use crate::ledger::{Context, Error, Ledger, Result as Recorded, Tx};
use crate::limits;

/// `sealbid admin …`
#[derive(Subcommand)]
pub enum AdminCommand {
    /// Make the first administrator and the centre's own organisation; prints a one-time password token.
    Init(InitArgs),
    /// Import the announced holidays and make-up working days of one year.
    ImportCalendar(CalendarArgs),
    /// Maintain the table that inspectors search by.
    #[command(subcommand)]
    Search(SearchCommand),
    /// Rewrite what had personal parts, so that nothing erased is left in the database's files. Stop the server first where
    /// the database is SQLite; on PostgreSQL run it with the owner's URL, while commits wait.
    PurgeErased(RebuildArgs),
    /// Maintain the key directory.
    #[command(subcommand)]
    Keys(KeysCommand),
}

/// `sealbid admin search …`
#[derive(Subcommand)]
pub enum SearchCommand {
    /// Make the table again from the entries of the record. Stop the server first where the database is SQLite.
    Rebuild(RebuildArgs),
}

/// Arguments of `admin search rebuild` and `admin purge-erased`.
#[derive(Args)]
pub struct RebuildArgs {
    #[command(flatten)]
    config: ConfigArgs,
}

/// `sealbid admin keys …`
#[derive(Subcommand)]
pub enum KeysCommand {
    /// Wrap every stored secret with a new key-encryption key, in a new key directory. Stop all servers first.
    Rewrap(RewrapArgs),
}

/// Arguments of `admin init`.
#[derive(Args)]
pub struct InitArgs {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    first: First,
}

/// The first administrator and the centre.
#[derive(Args, Clone, Debug)]
pub struct First {
    /// The centre's name.
    #[arg(long)]
    pub organisation: String,
    /// The centre's identifier, such as CN-USCC:91350100M000100Y43.
    #[arg(long, value_name = "SCHEME:ID")]
    pub identifier: String,
    /// The administrator's login.
    #[arg(long)]
    pub login: String,
    /// The administrator's name.
    #[arg(long)]
    pub name: String,
    /// The administrator's e-mail address.
    #[arg(long)]
    pub email: String,
}

/// Arguments of `admin import-calendar`.
#[derive(Args)]
pub struct CalendarArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// The year's file, in the form of the public repository holiday-cn.
    file: PathBuf,
}

/// Arguments of `admin keys rewrap`.
#[derive(Args)]
pub struct RewrapArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// The new key directory; it must not exist.
    #[arg(long, value_name = "DIR")]
    new_dir: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// See each command.
pub fn run(command: AdminCommand) -> Result<(), Failed> {
    match command {
        AdminCommand::Init(args) => init(&args.config.load()?, args.first),
        AdminCommand::ImportCalendar(args) => import_calendar(&args.config.load()?, &args.file),
        AdminCommand::Search(SearchCommand::Rebuild(args)) => rebuild_search(&args.config.load()?),
        AdminCommand::PurgeErased(args) => purge_erased(&args.config.load()?),
        AdminCommand::Keys(KeysCommand::Rewrap(args)) => rewrap(args.config.load()?, args.new_dir),
    }
}

/// Commits one use case of the system, outside any server.
fn commit<T: Send + 'static>(
    config: &Config,
    why: &str,
    work: impl FnMut(&mut Tx<'_>) -> Recorded<T> + Send + 'static,
) -> Result<T, Failed> {
    let clock = Arc::new(SystemClock);
    let context = Context::system(clock.now(), why);
    let ledger = Ledger::start(&config.database_url(), clock);
    let done = ledger.commit_blocking(context, work);
    ledger.stop();
    done.map_err(|error| match error {
        Error::Refused(refusal) => Failed::Tried(refusal.detail.en.clone()),
        failure => Failed::tried(failure),
    })
}

fn init(config: &Config, first: First) -> Result<(), Failed> {
    drop(database::ready(config)?);
    let login = first.login.clone();
    let (scheme, id) = first.identifier.split_once(':').unwrap_or((&first.identifier, ""));
    let first = FirstAdmin {
        identifier: OrgIdentifier::new(scheme, id).map_err(|error| Failed::Usage(format!("--identifier: {error}")))?,
        organisation: first.organisation,
        person: NewPerson { login: first.login, name: first.name, email: first.email },
    };
    let token = commit(config, "admin init", move |tx| make_first_admin(tx, &first))?;
    println!("{token}");
    eprintln!(
        "{login} is the administrator. Set the password within {} hours, with the token above:\n  \
         curl -X POST {}/v1/password-resets -H 'Content-Type: application/json' -d '{{\"token\":\"…\",\"password\":\"…\"}}'",
        limits::RESET_TOKEN_MS / 3_600_000,
        config.server.public_url
    );
    Ok(())
}

fn import_calendar(config: &Config, file: &std::path::Path) -> Result<(), Failed> {
    let json = std::fs::read_to_string(file).map_err(|error| Failed::file(file, error))?;
    drop(database::ready(config)?);
    let year = commit(config, "admin import-calendar", move |tx| calendar::ops::import_year(tx, &json))?;
    println!("{year}");
    eprintln!("{year} is imported; periods that were counted provisionally are counted anew from now on");
    Ok(())
}

fn rebuild_search(config: &Config) -> Result<(), Failed> {
    drop(database::ready(config)?);
    let _alone = Alone::take(config)?;
    let clock = Arc::new(SystemClock);
    let context = Context::system(clock.now(), "admin search rebuild");
    let ledger = Ledger::start(&config.database_url(), clock);
    let done = search::rebuild(&ledger, context);
    ledger.stop();
    let count = done.map_err(Failed::tried)?;
    println!("{count}");
    eprintln!("the search table is made again from {count} entries");
    Ok(())
}

fn purge_erased(config: &Config) -> Result<(), Failed> {
    let mut conn = database::ready(config)?;
    let _alone = Alone::take(config)?;
    erasure::rewrite(&mut conn, SystemClock.now()).map_err(|error| match error {
        Error::Refused(refusal) => Failed::Tried(refusal.detail.en.clone()),
        failure => Failed::tried(failure),
    })?;
    eprintln!("what was erased is in no file of the database any more; backups and archived logs are yours to end");
    Ok(())
}

fn rewrap(config: Config, new_dir: PathBuf) -> Result<(), Failed> {
    if Keys::exist(&new_dir) {
        return Err(Failed::Usage(format!("{}: there are keys already", new_dir.display())));
    }
    let mut conn = database::ready(&config)?;
    let _alone = Alone::take(&config)?;
    let old = Keys::load(&config.keys.dir).map_err(Failed::tried)?;
    app::check_keys(&mut conn, &old, &config.keys.dir)?;
    drop(conn);
    let new = old.create_successor(&new_dir).map_err(Failed::tried)?;
    let count = commit(&config, "admin keys rewrap", move |tx| {
        let count = key_sets::ops::rewrap(tx, &old, &new)?;
        tx.beside(|conn| app::replace_keys(conn, &new))?;
        Ok(count)
    })?;
    println!("{count}");
    eprintln!(
        "{count} secret(s) are wrapped anew. Set keys.dir = \"{}\" on every server before it starts; sessions begun before must sign in \
         again. Destroy {} with its backups once the new directory is backed up.",
        new_dir.display(),
        config.keys.dir.display()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use diesel::prelude::*;

    use super::*;
    use crate::db::Conn;
    use crate::db::schema::{audit_entry, audit_search};

    fn config(dir: &std::path::Path) -> Config {
        let mut config = Config::default();
        config.database.url = dir.join("data/sealbid.sqlite").display().to_string();
        config.keys.dir = dir.join("keys");
        config
    }

    fn first() -> First {
        First {
            organisation: "Trading Centre".into(),
            identifier: "X-TEST:1".into(),
            login: "admin".into(),
            name: "Admin".into(),
            email: "admin@example.org".into(),
        }
    }

    #[test]
    fn there_is_a_first_administrator_only_once() {
        let dir = tempfile::tempdir().expect("a directory");
        let config = config(dir.path());
        init(&config, first()).expect("made");
        let again = init(&config, First { login: "second".into(), identifier: "X-TEST:2".into(), ..first() })
            .expect_err("there is one");
        assert!(matches!(again, Failed::Tried(_)), "{again}");
    }

    #[test]
    fn a_first_administrator_that_is_not_valid_leaves_nothing_behind() {
        let dir = tempfile::tempdir().expect("a directory");
        let config = config(dir.path());
        for wrong in [
            First { identifier: "CN-USCC:1".into(), ..first() },
            First { login: "A".into(), ..first() },
            First { email: "nowhere".into(), ..first() },
        ] {
            assert!(init(&config, wrong).is_err());
        }
        init(&config, first()).expect("still the first");
    }

    #[test]
    fn the_search_table_is_made_again_from_the_entries() {
        let dir = tempfile::tempdir().expect("a directory");
        let config = config(dir.path());
        init(&config, first()).expect("made");
        let mut conn = database::ready(&config).expect("there");
        let stored = |conn: &mut Conn| -> (i64, i64) {
            let entries = audit_entry::table.count().get_result(conn).expect("counted");
            (entries, audit_search::table.count().get_result(conn).expect("counted"))
        };
        let (entries, _) = stored(&mut conn);
        rebuild_search(&config).expect("made again");
        assert_eq!(stored(&mut conn), (entries, entries));
        rebuild_search(&config).expect("and again");
        assert_eq!(stored(&mut conn), (entries, entries));
        let _server = Alone::take(&config).expect("free");
        assert!(rebuild_search(&config).is_err(), "not under a running server");
    }

    #[test]
    fn rewrapping_makes_the_new_directory_the_only_one_that_fits() {
        let dir = tempfile::tempdir().expect("a directory");
        let config = config(dir.path());
        let mut conn = database::ready(&config).expect("made");
        let old = app::load_or_create_keys(&config).expect("made");
        app::check_keys(&mut conn, &old, &config.keys.dir).expect("remembered");
        let new_dir = dir.path().join("new-keys");
        rewrap(config.clone(), new_dir.clone()).expect("rewrapped");
        let new = Keys::load(&new_dir).expect("a key directory");
        app::check_keys(&mut conn, &new, &new_dir).expect("the new one fits");
        assert!(app::check_keys(&mut conn, &old, &config.keys.dir).is_err(), "the old one does not");
    }
}
