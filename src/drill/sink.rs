//! The mail server of a drill: takes every message, keeps it, and passes nothing on.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a client of the mail server may be silent: its process may have been killed.
const SILENCE: Duration = Duration::from_secs(30);

/// One delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// To whom, as the envelope says.
    pub to: Vec<String>,
    /// The left half of its Message-ID.
    pub id: String,
    /// The header `To`.
    pub header_to: String,
}

/// The mail server.
#[derive(Clone)]
pub struct Sink {
    port: u16,
    taken: Arc<Mutex<Vec<Delivery>>>,
}

impl Sink {
    /// Starts it on a port of this machine.
    ///
    /// # Errors
    /// When there is no port.
    pub fn start() -> std::io::Result<Self> {
        Self::start_at(0)
    }

    /// Starts it on a port of its user's.
    ///
    /// # Errors
    /// When the port is taken.
    pub fn start_at(port: u16) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port))?;
        let sink = Self { port: listener.local_addr()?.port(), taken: Arc::default() };
        let at_work = sink.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(std::io::Result::ok) {
                let sink = at_work.clone();
                std::thread::spawn(move || {
                    // A client that is killed in mid-sentence is what the drill is for.
                    let _ = sink.converse(&stream);
                });
            }
        });
        Ok(sink)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    fn taken(&self) -> MutexGuard<'_, Vec<Delivery>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every delivery so far, by message.
    pub fn deliveries(&self) -> BTreeMap<String, Vec<Delivery>> {
        let mut by_id: BTreeMap<String, Vec<Delivery>> = BTreeMap::new();
        for delivery in self.taken().iter() {
            by_id.entry(delivery.id.clone()).or_default().push(delivery.clone());
        }
        by_id
    }

    fn converse(&self, stream: &TcpStream) -> std::io::Result<()> {
        stream.set_read_timeout(Some(SILENCE))?;
        let mut writer = stream.try_clone()?;
        let mut lines = BufReader::new(stream).lines();
        let mut to = Vec::new();
        writer.write_all(b"220 drill.invalid\r\n")?;
        while let Some(line) = lines.next().transpose()? {
            let upper = line.to_ascii_uppercase();
            let answer = if upper.starts_with("RCPT TO:") {
                to.push(address(&line));
                "250 ok"
            } else if upper.starts_with("DATA") {
                writer.write_all(b"354 go on\r\n")?;
                let mut message = Vec::new();
                loop {
                    // Whoever breaks off before the point has delivered nothing.
                    let Some(line) = lines.next().transpose()? else { return Ok(()) };
                    if line == "." {
                        break;
                    }
                    message.push(line);
                }
                // Kept before it is answered for: from here on it is delivered, whatever becomes of its sender.
                self.taken().push(delivery(std::mem::take(&mut to), &message));
                "250 taken"
            } else if upper.starts_with("QUIT") {
                writer.write_all(b"221 bye\r\n")?;
                return Ok(());
            } else {
                if upper.starts_with("RSET") || upper.starts_with("MAIL FROM:") {
                    to.clear();
                }
                "250 ok"
            };
            writer.write_all(format!("{answer}\r\n").as_bytes())?;
        }
        Ok(())
    }
}

fn address(line: &str) -> String {
    let start = line.find('<').map_or(0, |at| at + 1);
    let end = line.find('>').unwrap_or(line.len());
    line.get(start..end).unwrap_or_default().to_owned()
}

fn delivery(to: Vec<String>, message: &[String]) -> Delivery {
    let header = |name: &str| {
        let found = message.iter().take_while(|line| !line.is_empty()).find_map(|line| line.strip_prefix(name));
        found.unwrap_or_default().trim().to_owned()
    };
    let id = header("Message-ID:");
    let id = id.trim_matches(['<', '>']).split('@').next().unwrap_or_default().to_owned();
    Delivery { to, id, header_to: header("To:").trim_matches(['<', '>']).to_owned() }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn half_a_message_is_none() {
        let sink = Sink::start().expect("started");
        let mut stream = TcpStream::connect(("127.0.0.1", sink.port())).expect("connected");
        stream.write_all(b"RCPT TO:<b@y>\r\nDATA\r\nMessage-ID: <msg-1@x>\r\n").expect("sent");
        stream.shutdown(std::net::Shutdown::Write).expect("shut");
        let mut said = String::new();
        stream.read_to_string(&mut said).expect("answered");
        assert!(said.ends_with("354 go on\r\n"), "{said}");
        assert_eq!(sink.deliveries(), BTreeMap::new());
    }

    #[test]
    fn a_message_is_kept_with_its_recipient_and_its_id() {
        let sink = Sink::start().expect("started");
        let mut stream = TcpStream::connect(("127.0.0.1", sink.port())).expect("connected");
        stream
            .write_all(
                b"EHLO me\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\nTo: b@y\r\nMessage-ID: <msg-1@x>\r\n\r\nhello\r\n.\r\nQUIT\r\n",
            )
            .expect("sent");
        let mut said = String::new();
        stream.read_to_string(&mut said).expect("answered");
        assert!(said.ends_with("221 bye\r\n"), "{said}");
        let kept = sink.deliveries();
        let expected = Delivery { to: vec!["b@y".into()], id: "msg-1".into(), header_to: "b@y".into() };
        assert_eq!(kept["msg-1"], [expected]);
    }
}
