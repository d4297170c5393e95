//! Everything that this test process logs, kept, so that a test can say what must not be in it.

use std::io::{self, Write};
use std::sync::{Mutex, Once, PoisonError};

use memchr::{memchr, memmem, memrchr};

static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Keep;

impl Write for Keep {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LINES.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Starts to keep what is logged; further calls change nothing.
pub fn keep() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let subscriber =
            tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_ansi(false).with_writer(|| Keep);
        subscriber.init();
    });
}

/// The kept lines that hold `text`. All tests of the process log into one: ask for what is yours.
pub fn lines_with(text: &str) -> Vec<String> {
    let kept = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    let mut found = Vec::new();
    let mut from = 0;
    // Most of what is asked for is not there, and what is kept grows with every test: lines are cut where there is a find.
    while let Some(at) = memmem::find(&kept[from..], text.as_bytes()).map(|at| from + at) {
        let begin = memrchr(b'\n', &kept[..at]).map_or(0, |end| end + 1);
        let end = memchr(b'\n', &kept[at..]).map_or(kept.len(), |end| at + end);
        found.push(String::from_utf8_lossy(&kept[begin..end]).into_owned());
        from = end;
    }
    found
}
