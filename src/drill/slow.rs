//! `sealbid drill slow`: thousands of connections that say nothing, or say it slowly, while honest bidders submit.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;

use super::bidder::Bidder;
use super::fleet::{Fleet, Heard, Server};
use super::ground::{Database, Ground};
use super::journal::Journal;
use super::keeper::Keeper;
use super::people::People;
use super::play::Stage;
use super::sink::Sink;
use super::{DrillError, Result, broken, officials};
use crate::http::server;
use crate::keys::Keys;
use crate::limits;

/// Honest bidders, who are at it all the time.
const HONEST: usize = 4;
/// Lots on which they bid in turn: a bid has only so many versions.
const LOTS: usize = 12;
/// The slowest that a submission of theirs may be, upload included.
const MOST_WAIT: Duration = Duration::from_secs(5);
/// The most memory that the server may have in use meanwhile, in KiB.
const MOST_KIB: u64 = 400 * 1024;
/// File descriptors that the drill needs beside those of its slow clients.
const FILES: usize = 200;
/// How long the slow clients are given beside the time after which the server parts with them.
const GRACE: Duration = Duration::from_secs(15);

/// Arguments of `drill slow`.
#[derive(Args)]
pub struct SlowArgs {
    /// How many slow clients there are at the same time.
    #[arg(long, default_value_t = 2_000)]
    clients: usize,
    /// Write the findings as JSON.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// What was found.
#[derive(Debug, Default, Serialize)]
struct Findings {
    clients: usize,
    connected: usize,
    honest_submissions: usize,
    honest_median_ms: u128,
    honest_slowest_ms: u128,
    memory_kib_before: u64,
    memory_kib_most: u64,
    parted_after_s: u64,
    left_open: usize,
}

/// Drills.
///
/// # Errors
/// When honest bidders have to wait too long, memory grows too much, or slow clients are kept.
pub fn run(args: &SlowArgs) -> Result<()> {
    let files = server::open_files().unwrap_or(usize::MAX);
    if files < args.clients + FILES {
        let needed = args.clients + FILES;
        return Err(DrillError::Failed(format!(
            "{files} open files are allowed and {needed} needed: ulimit -n {needed}"
        )));
    }
    let sink = Sink::start().map_err(broken)?;
    let ground = Ground::make(Database::Sqlite, sink.port())?;
    let fleet = Fleet::new(&ground, 1)?;
    drop(started(&fleet)?);
    let people = People::hire(&ground, HONEST, 0)?;
    let keys = Keys::load(&ground.site().config(0).keys.dir).map_err(broken)?;
    let (platform_key, verifier) = (*keys.promise.verifying_key(), ground.site().verifier(&keys));
    let (keeper, journal, lots) = (Keeper::new(1, 0, 0), Journal::default(), Mutex::new(None));
    let stage = Stage { ground, fleet, keeper, people, journal, sink, platform_key, verifier, seed: 1, lots };
    let server = started(&stage.fleet)?;
    stage.people.sign_in(&stage.fleet)?;
    let findings = besiege(&stage, &server, args.clients)?;
    let text = serde_json::to_string_pretty(&findings).map_err(broken)?;
    println!("{text}");
    if let Some(path) = &args.report {
        std::fs::write(path, &text).map_err(|error| broken(format!("{}: {error}", path.display())))?;
    }
    judge(&findings)
}

fn started(fleet: &Fleet) -> Result<Server> {
    let server = fleet.start(0)?;
    match server.hear(Duration::from_secs(60)) {
        Some(Heard::Ready) => Ok(server),
        _ => Err(DrillError::Failed("the server did not start".into())),
    }
}

fn judge(findings: &Findings) -> Result<()> {
    let wrong = [
        (findings.connected < findings.clients, "not every slow client could connect"),
        (findings.honest_submissions == 0, "nobody could bid"),
        (findings.honest_slowest_ms > MOST_WAIT.as_millis(), "an honest bidder had to wait too long"),
        (findings.memory_kib_most > MOST_KIB, "the server's memory grew too much"),
        (findings.left_open > 0, "the server keeps slow clients"),
    ];
    match wrong.iter().find(|(found, _)| *found) {
        Some((_, what)) => Err(DrillError::Wrong((*what).to_owned())),
        None => Ok(()),
    }
}

fn besiege(stage: &Stage, server: &Server, clients: usize) -> Result<Findings> {
    let lots = (0..LOTS).map(|_| Ok(officials::publish(stage)?.0)).collect::<Result<Vec<String>>>()?;
    let address: SocketAddr = stage.fleet.bases()[0].trim_start_matches("http://").parse().map_err(broken)?;
    let mut findings = Findings { clients, memory_kib_before: server.memory_kib(), ..Findings::default() };
    let mut slow: Vec<Slow> = (0..clients).filter_map(|n| Slow::connect(address, n)).collect();
    findings.connected = slow.len();
    let over = AtomicBool::new(false);
    let (mut waits, most) = std::thread::scope(|scope| {
        let honest: Vec<_> = (0..HONEST)
            .map(|who| {
                let (lots, over) = (&lots, &over);
                scope.spawn(move || {
                    let mut bidder = Bidder::new(stage, who);
                    let mut waits = Vec::new();
                    for lot in lots.iter().cycle() {
                        if over.load(Ordering::SeqCst) || !stage.journal.told().wrong.is_empty() {
                            break;
                        }
                        let began = Instant::now();
                        bidder.put(lot);
                        waits.push(began.elapsed());
                    }
                    waits
                })
            })
            .collect();
        let most = wait_out(&mut slow, server, &mut findings);
        over.store(true, Ordering::SeqCst);
        (honest.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect::<Vec<Duration>>(), most)
    });
    if let Some(wrong) = stage.journal.told().wrong.first() {
        return Err(DrillError::Wrong(wrong.clone()));
    }
    waits.sort();
    findings.honest_submissions = waits.len();
    findings.honest_median_ms = waits.get(waits.len() / 2).map_or(0, Duration::as_millis);
    findings.honest_slowest_ms = waits.last().map_or(0, Duration::as_millis);
    findings.memory_kib_most = most;
    Ok(findings)
}

/// Lets the slow clients be slow until the server has parted with all of them; the most memory it used.
fn wait_out(slow: &mut Vec<Slow>, server: &Server, findings: &mut Findings) -> u64 {
    let began = Instant::now();
    let patience = Duration::from_secs(limits::HEAD_SECONDS.max(limits::BODY_SECONDS)) + GRACE;
    let mut most = 0;
    while !slow.is_empty() && began.elapsed() < patience {
        slow.retain_mut(Slow::go_on);
        most = most.max(server.memory_kib());
        std::thread::sleep(Duration::from_millis(500));
    }
    findings.parted_after_s = began.elapsed().as_secs();
    findings.left_open = slow.len();
    most
}

/// A client that is in no hurry.
struct Slow {
    stream: TcpStream,
    /// What it has still to say, a byte at a time; nothing for one that only listens.
    rest: std::vec::IntoIter<u8>,
}

impl Slow {
    /// The nth of them: by turns one that says nothing, one that says its head slowly, and one that stops in its body.
    fn connect(address: SocketAddr, n: usize) -> Option<Self> {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5)).ok()?;
        stream.set_nonblocking(true).ok()?;
        let head = b"GET /v1/time HTTP/1.1\r\nHost: drill\r\nX-Slow: ";
        let body = b"POST /v1/sessions HTTP/1.1\r\nHost: drill\r\nContent-Type: application/json\r\nContent-Length: 200\r\n\r\n{\"login\":\"";
        let rest = match n % 3 {
            0 => Vec::new(),
            1 => [&head[..], &[b'x'; 4_000]].concat(),
            _ => {
                stream.write_all(body).ok()?;
                vec![b'y'; 150]
            }
        };
        Some(Self { stream, rest: rest.into_iter() })
    }

    /// Says the next byte; false once the server has parted with it.
    fn go_on(&mut self) -> bool {
        let mut said = [0; 512];
        match self.stream.read(&mut said) {
            Ok(0) => return false,
            // Told to go: what follows is the end.
            Ok(_) => return true,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return false,
        }
        match self.rest.next() {
            Some(byte) => self.stream.write_all(&[byte]).is_ok(),
            None => true,
        }
    }
}
