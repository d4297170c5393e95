//! The server that is drilled: a real one in a process of its own, with a clock and a plan that the drill gives it.
//!
//! At the place of its plan it says so and goes no further; the drill then kills it. It ends by itself when the drill
//! does.

use std::io::BufRead;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actix_web::web;
use clap::Args;

use super::clock::ShiftedClock;
use super::ground::Site;
use super::{Result, broken};
use crate::app::App;
use crate::cli::database::{self, Alone};
use crate::faults::{Faults, Plan, Point};
use crate::http::server;
use crate::keys::Keys;
use crate::worker;

/// What a server says once it takes requests.
pub const READY: &str = "ready";
/// What comes before the name of the place at which a server waits to be killed.
pub const AT: &str = "at ";
/// What a server says once it knows where it is to die.
pub const PLANNED: &str = "planned";
/// How often a port that the last server has just left is tried.
const PORT_ATTEMPTS: u32 = 50;

/// Arguments of a drilled server.
#[derive(Args)]
pub struct ChildArgs {
    /// The ground that the drill made.
    #[arg(long)]
    ground: PathBuf,
    /// The port.
    #[arg(long)]
    port: u16,
    /// By how many milliseconds its clock is ahead.
    #[arg(long, allow_negative_numbers = true)]
    ahead: i64,
    /// Where it is to die, as `name:times`.
    #[arg(long, default_value = "")]
    die: String,
}

/// Where the server is to die, and how often it is there before; nowhere unless the drill says so.
#[derive(Default)]
struct DieAt(Mutex<Option<(Point, u32)>>);

impl DieAt {
    fn plan(&self) -> MutexGuard<'_, Option<(Point, u32)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a new plan: `name:3`, or anything else for none.
    fn set(&self, text: &str) {
        *self.plan() = text
            .split_once(':')
            .and_then(|(name, times)| Some((Point::parse(name)?, times.parse().ok().filter(|times| *times > 0)?)));
    }

    /// Whether this is the time to die.
    fn is_due(&self, point: Point) -> bool {
        let mut plan = self.plan();
        match plan.as_mut() {
            Some((place, times)) if *place == point => {
                *times -= 1;
                let due = *times == 0;
                if due {
                    *plan = None;
                }
                due
            }
            _ => false,
        }
    }
}

impl Plan for DieAt {
    fn reach(&self, point: Point) {
        if !self.is_due(point) {
            return;
        }
        println!("{AT}{}", point.name());
        loop {
            // Until the drill kills the process: nothing after this place must happen.
            std::thread::park();
        }
    }
}

/// Serves until it is killed.
///
/// # Errors
/// When the ground is none, or the server cannot start.
pub fn run(args: &ChildArgs) -> Result<()> {
    let site = Site::read(&args.ground)?;
    let config = site.config(args.port);
    crate::cli::logging::start(&config.log).map_err(broken)?;
    let alone = Alone::take(&config).map_err(broken)?;
    database::migrate_alone(&config, &alone).map_err(broken)?;
    site.check_database(&config)?;
    let keys = Keys::load(&config.keys.dir).map_err(broken)?;
    let clock = Arc::new(ShiftedClock::new(args.ahead));
    let plan = Arc::new(DieAt::default());
    plan.set(&args.die);
    let faults = Faults::planned(plan.clone());
    let bind = config.server.bind.clone();
    let app = web::Data::new(App::open_with(config, clock.clone(), keys, faults).map_err(broken)?);
    let listener = listen(&bind)?;
    std::thread::spawn(move || obey(&clock, &plan));
    actix_web::rt::System::new()
        .block_on(async move {
            let server = server::start(app.clone(), listener)?;
            worker::start(&app);
            println!("{READY}");
            server.await
        })
        .map_err(broken)
}

/// Takes the port, which the last server may have left a moment ago.
fn listen(bind: &str) -> Result<TcpListener> {
    let mut last = broken("no port");
    for _ in 0..PORT_ATTEMPTS {
        match TcpListener::bind(bind) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = broken(format!("{bind}: {error}")),
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Err(last)
}

/// Moves the clock and takes plans as the drill says, and ends when the drill does.
fn obey(clock: &ShiftedClock, plan: &DieAt) {
    for line in std::io::stdin().lock().lines().map_while(std::io::Result::ok) {
        match line.split_once(' ') {
            Some(("ahead", millis)) => millis.parse().into_iter().for_each(|ahead| clock.set(ahead)),
            Some(("die", text)) => {
                plan.set(text);
                println!("{PLANNED}");
            }
            _ => {}
        }
    }
    std::process::exit(0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_dies_at_its_place_and_in_its_turn() {
        let plan = DieAt::default();
        assert!(!plan.is_due(Point::MailSent), "no plan");
        plan.set("mail-sent:2");
        assert!(!plan.is_due(Point::MailTaken), "only its own place counts");
        assert!(!plan.is_due(Point::MailSent));
        assert!(plan.is_due(Point::MailSent));
        for none in ["", "-", "mail-sent", "elsewhere:1", "mail-sent:x", "mail-sent:0"] {
            plan.set(none);
            assert!(plan.plan().is_none(), "{none}");
        }
    }
}
