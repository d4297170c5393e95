//! A line that breaks: a proxy on this machine that cuts its connections at places a seed decides.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// A small generator (SplitMix64): the same seed gives the same cuts.
pub struct Seeded(pub u64);

impl Seeded {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// The proxy; it ends when dropped.
pub struct BreakingLine {
    address: SocketAddr,
    cuts: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
}

impl BreakingLine {
    /// A line to the server at `base`.
    pub fn to(base: &str, seed: u64) -> Self {
        let server = base.strip_prefix("http://").expect("an address").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let line =
            Self { address: listener.local_addr().expect("an address"), cuts: Arc::default(), over: Arc::default() };
        let (cuts, over) = (line.cuts.clone(), line.over.clone());
        std::thread::spawn(move || {
            let mut random = Seeded(seed);
            for client in listener.incoming() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                let (Ok(client), Ok(server)) = (client, TcpStream::connect(&server)) else { continue };
                // Most connections break within a request; some only within an answer, which then was given and is lost.
                let up = 20_000 + random.below(5_000_000);
                let down = if random.below(3) == 0 { random.below(2_000) } else { u64::MAX };
                carry(&client, &server, up, &cuts);
                carry(&server, &client, down, &cuts);
            }
        });
        line
    }

    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How often it has broken.
    pub fn cuts(&self) -> u64 {
        self.cuts.load(Ordering::SeqCst)
    }
}

impl Drop for BreakingLine {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

/// Copies until one side ends, or `budget` bytes have passed: then both sides are cut.
fn carry(from: &TcpStream, to: &TcpStream, budget: u64, cuts: &Arc<AtomicU64>) {
    let (mut from, mut to) = (from.try_clone().expect("a handle"), to.try_clone().expect("a handle"));
    let cuts = cuts.clone();
    let _ = from.set_read_timeout(Some(Duration::from_secs(120)));
    std::thread::spawn(move || {
        let (mut left, mut buffer) = (budget, vec![0; 64 * 1024]);
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            let passed = read.min(usize::try_from(left).unwrap_or(usize::MAX));
            if to.write_all(&buffer[..passed]).is_err() {
                break;
            }
            left -= passed as u64;
            if left == 0 {
                cuts.fetch_add(1, Ordering::SeqCst);
                break;
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    });
}
