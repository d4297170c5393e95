//! The servers of a drill: processes that are started, told the time, and killed.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::child::{AT, PLANNED, READY};
use super::ground::Ground;
use super::{Result, broken};
use crate::clock::{Clock, SystemClock};
use crate::faults::Point;
use crate::kernel::time::Timestamp;

/// Where a server dies by its plan, and when it is there for which time.
pub type Death = (Point, u32);

/// Lines of the servers' log that are told of when one ended by itself.
const LAST_WORDS: usize = 12;

/// The places for servers, each with its port, and the time that all of them have.
pub struct Fleet {
    program: PathBuf,
    ground: PathBuf,
    log: PathBuf,
    ahead: AtomicI64,
    slots: Vec<Slot>,
}

struct Slot {
    port: u16,
    /// Tells the server that is there now.
    tell: Mutex<Option<ChildStdin>>,
}

impl Slot {
    fn tell(&self) -> MutexGuard<'_, Option<ChildStdin>> {
        self.tell.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn say(&self, line: &str) {
        if let Some(stdin) = self.tell().as_mut() {
            // One that was just killed need not hear it.
            let _ = stdin.write_all(format!("{line}\n").as_bytes()).and_then(|()| stdin.flush());
        }
    }
}

impl Fleet {
    /// Places for `count` servers.
    ///
    /// # Errors
    /// When this machine has no ports.
    pub fn new(ground: &Ground, count: usize) -> Result<Self> {
        // Held together, so that no two are the same.
        let held: Vec<TcpListener> =
            (0..count).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<std::io::Result<_>>().map_err(broken)?;
        let slot = |listener: &TcpListener| Ok(Slot { port: listener.local_addr()?.port(), tell: Mutex::new(None) });
        Ok(Self {
            program: std::env::current_exe().map_err(broken)?,
            ground: ground.dir().to_owned(),
            log: ground.log(),
            ahead: AtomicI64::new(0),
            slots: held.iter().map(slot).collect::<std::io::Result<_>>().map_err(broken)?,
        })
    }

    /// How many places there are.
    pub fn size(&self) -> usize {
        self.slots.len()
    }

    /// The addresses.
    pub fn bases(&self) -> Vec<String> {
        self.slots.iter().map(|slot| format!("http://127.0.0.1:{}", slot.port)).collect()
    }

    /// What the servers' clocks show.
    pub fn now(&self) -> Timestamp {
        SystemClock.now().plus_millis(self.ahead())
    }

    /// By how many milliseconds they are ahead.
    pub fn ahead(&self) -> i64 {
        self.ahead.load(Ordering::SeqCst)
    }

    /// Moves the clocks of all servers, those to come included, forward to `at`.
    pub fn move_to(&self, at: Timestamp) {
        let ahead = self.ahead() + (at.millis() - self.now().millis()).max(0);
        // A server that is being started meanwhile holds its place: it is told afterwards, if it was not told already.
        self.ahead.store(ahead, Ordering::SeqCst);
        self.slots.iter().for_each(|slot| slot.say(&format!("ahead {ahead}")));
    }

    /// Tells the server at place `n` where it is to die; nowhere without a plan.
    pub fn plan(&self, n: usize, death: Option<Death>) {
        self.slots[n].say(&format!("die {}", plan_text(death)));
    }

    /// The end of what the servers said to nobody in particular: why one ended, when it did so by itself.
    pub fn last_words(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LAST_WORDS)..].join("\n")
    }

    /// Starts a server at place `n`.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn start(&self, n: usize) -> Result<Server> {
        self.start_to_die(n, None)
    }

    /// As [`Fleet::start`]; it knows from its first moment where it is to die.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn start_to_die(&self, n: usize, death: Option<Death>) -> Result<Server> {
        let slot = &self.slots[n];
        let mut tell = slot.tell();
        let log = OpenOptions::new().create(true).append(true).open(&self.log).map_err(broken)?;
        let mut command = Command::new(&self.program);
        command.args(["drill", "child", "--ground"]).arg(&self.ground);
        command.args(["--port", &slot.port.to_string(), "--ahead", &self.ahead().to_string()]);
        command.args(["--die", &plan_text(death)]);
        let mut child = command
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::from(log))
            .spawn()
            .map_err(broken)?;
        *tell = child.stdin.take();
        let stdout = child.stdout.take().ok_or_else(|| broken("a server without a voice"))?;
        let (say, said) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(std::io::Result::ok) {
                if say.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Server { child, said })
    }
}

fn plan_text(death: Option<Death>) -> String {
    death.map_or("none".to_owned(), |(point, times)| format!("{}:{times}", point.name()))
}

/// What a server says.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    /// It takes requests.
    Ready,
    /// It is at the place of its death and goes no further.
    At(Point),
    /// It knows its plan.
    Planned,
    /// It ended by itself.
    Ended,
}

/// A server that runs until this is dropped.
pub struct Server {
    child: Child,
    said: Receiver<String>,
}

impl Server {
    /// Waits for what it says next.
    pub fn hear(&self, within: Duration) -> Option<Heard> {
        match self.said.recv_timeout(within) {
            Ok(line) if line == READY => Some(Heard::Ready),
            Ok(line) if line == PLANNED => Some(Heard::Planned),
            Ok(line) => line.strip_prefix(AT).and_then(Point::parse).map(Heard::At),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Heard::Ended),
        }
    }
}

impl Server {
    /// How much memory its process has in use, in KiB.
    pub fn memory_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGKILL: nothing of it runs any more, and nothing was said to it before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
