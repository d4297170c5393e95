//! The server that is drilled: a real one in a process of its own, with a clock and a plan that the drill gives it.
//!
//! At the place of its plan it says so and goes no further; the drill then kills it. It ends by itself when the drill
//! does.

use std::io::BufRead;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use actix_web::web;
use clap::Args;

use super::clock::ShiftedClock;
use super::ground::Site;
use super::{DrillError, Result, broken};
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
    /// Where it is to die, and when it is there for which time: `name:3`.
    #[arg(long)]
    die: Option<String>,
}

/// Dies at a place when it is reached for the nth time.
struct DieAt {
    point: Point,
    left: AtomicU32,
}

impl DieAt {
    fn parse(text: &str) -> Option<Self> {
        let (name, times) = text.split_once(':')?;
        Some(Self { point: Point::parse(name)?, left: AtomicU32::new(times.parse().ok()?) })
    }
}

impl Plan for DieAt {
    fn reach(&self, point: Point) {
        if point != self.point || self.left.fetch_sub(1, Ordering::SeqCst) != 1 {
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
    let faults = match &args.die {
        Some(text) => {
            let plan = DieAt::parse(text).ok_or_else(|| DrillError::Refused(format!("{text}: not a place")))?;
            Faults::planned(Arc::new(plan))
        }
        None => Faults::default(),
    };
    let bind = config.server.bind.clone();
    let app = web::Data::new(App::open_with(config, clock.clone(), keys, faults).map_err(broken)?);
    let listener = listen(&bind)?;
    std::thread::spawn(move || obey(&clock));
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

/// Moves the clock as the drill says, and ends when the drill does.
fn obey(clock: &ShiftedClock) {
    for line in std::io::stdin().lock().lines().map_while(std::io::Result::ok) {
        if let Ok(ahead) = line.trim().parse() {
            clock.set(ahead);
        }
    }
    std::process::exit(0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_of_death_is_named_with_its_turn() {
        let plan = DieAt::parse("mail-sent:2").expect("a place");
        assert_eq!((plan.point, plan.left.load(Ordering::SeqCst)), (Point::MailSent, 2));
        plan.reach(Point::MailTaken);
        plan.reach(Point::MailSent);
        assert_eq!(plan.left.load(Ordering::SeqCst), 1, "only its own place counts");
        for wrong in ["", "mail-sent", "elsewhere:1", "mail-sent:x"] {
            assert!(DieAt::parse(wrong).is_none(), "{wrong}");
        }
    }
}
