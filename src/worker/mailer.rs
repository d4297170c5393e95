//! Sends the messages that were stored with what they tell of.
//!
//! Promises: at least once, with growing pauses; a message that cannot be sent ends as `failed`, where an administrator
//! sees it; a message about sealed facts is never written to a file in clear. A Message-ID is random and stays the same
//! when a message is sent again, so that a mail program can show it once. Deliberately absent: bounces; what happens
//! after the mail server took a message is between it and the recipient.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use actix_web::web;
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::SmtpTransport;
use lettre::transport::smtp::authentication::Credentials;
use lettre::{Address, Transport};

use crate::app::App;
use crate::config::MailTransport;
use crate::faults::Point;
use crate::features::mails::changes::{self, Outcome};
use crate::features::mails::model::MailRow;
use crate::features::mails::queries;
use crate::kernel::time::Timestamp;
use crate::ledger::{Error, Failure};
use crate::limits;

/// The one file that says that sealed messages are not written. It is there before any message is: neither that it is
/// there, nor its content, nor its date tells whether there was one.
const WITHHELD_FILE: &str = "sealed-messages-are-withheld.txt";
const WITHHELD_TEXT: &str = "Messages that tell a fact which is secret before an opening are not written to files.\n\
     They are delivered by the SMTP transport only (mail.transport = \"smtp\").\n\
     涉及开标前保密事项的邮件不会写入文件,仅通过 SMTP 发送。\n";

/// Sends what is due, and returns how many messages were settled one way or the other.
///
/// # Errors
/// The database's, or a transport that cannot be set up at all.
pub async fn round(app: &App) -> Result<u32, Error> {
    announce(app).await?;
    let now = app.clock.now();
    let due = app.reader.read(move |conn| queries::due(conn, now.millis(), limits::MAIL_BATCH)).await?;
    if due.is_empty() {
        return Ok(0);
    }
    let until = now.plus_millis(limits::MAIL_LEASE_MS);
    let mut settled = 0;
    for mail in claim(app, due, now, until).await? {
        let id = mail.id.clone();
        // Half of the lease must be left: a message that another server could take meanwhile would be sent twice.
        if app.clock.now().millis() > now.millis() + limits::MAIL_LEASE_MS / 2 {
            app.ledger
                .commit_beside(app.system("mailer"), move |tx| tx.beside(|conn| changes::give_back(conn, &id)))
                .await?;
            continue;
        }
        app.faults.reach(Point::MailTaken);
        let outcome = attempt(app, mail).await?;
        app.faults.reach(Point::MailSent);
        let at = app.clock.now();
        app.ledger
            .commit_beside(app.system("mailer"), move |tx| tx.beside(|conn| changes::settle(conn, &id, &outcome, at)))
            .await?;
        settled += 1;
    }
    Ok(settled)
}

/// Leaves the notice about sealed messages where messages become files. A directory that cannot be written is told by the
/// messages that fail.
async fn announce(app: &App) -> Result<(), Error> {
    let transport = app.config.mail.clone();
    app.blocking(move || {
        if transport.transport != "smtp" && !transport.dir.join(WITHHELD_FILE).exists() {
            let _ = make_dir(&transport.dir)
                .and_then(|()| write_whole(&transport.dir, WITHHELD_FILE, WITHHELD_TEXT.as_bytes()));
        }
        Ok(())
    })
    .await
}

/// Takes the messages that no other server took meanwhile.
async fn claim(app: &App, due: Vec<MailRow>, now: Timestamp, until: Timestamp) -> Result<Vec<MailRow>, Error> {
    app.ledger
        .commit_beside(app.system("mailer"), move |tx| {
            let mut mine = Vec::new();
            for mail in &due {
                if tx.beside(|conn| changes::claim(conn, &mail.id, now, until))? {
                    mine.push(MailRow { attempts: mail.attempts + 1, ..mail.clone() });
                }
            }
            Ok(mine)
        })
        .await
}

async fn attempt(app: &App, mail: MailRow) -> Result<Outcome, Error> {
    let (transport, now) = (app.config.mail.clone(), app.clock.now());
    let (id, attempts, sealed) = (mail.id.clone(), mail.attempts, mail.sealed);
    let delivered =
        app.blocking(move || Ok(Carrier::open(&transport).and_then(|carrier| carrier.deliver(&mail, now)))).await?;
    Ok(match delivered {
        Ok(outcome) => outcome,
        Err(error) => {
            let next_at = (attempts < limits::MAIL_ATTEMPTS).then(|| now.plus_millis(pause(attempts)));
            // A mail server's complaint may name the recipient.
            let error = if sealed { error.kind().to_owned() } else { error.to_string() };
            // A line in the log would tell that there is a sealed message; it is listed once its lot is opened.
            if !sealed {
                tracing::warn!(
                    mail.id = id,
                    attempts,
                    failed = next_at.is_none(),
                    error,
                    "a message could not be sent"
                );
            }
            Outcome::Failed { error, next_at }
        }
    })
}

/// The pause after an attempt, in milliseconds: doubled each time, up to its bound.
fn pause(attempts: i64) -> i64 {
    let doublings = u32::try_from(attempts.clamp(1, 20) - 1).unwrap_or(0);
    limits::MAIL_RETRY_MS.saturating_mul(1_i64 << doublings).min(limits::MAIL_RETRY_MOST_MS)
}

/// Why a message was not sent this time.
#[derive(Debug, thiserror::Error)]
enum DeliveryError {
    #[error("address or text: {0}")]
    Message(String),
    #[error("transport: {0}")]
    Transport(String),
    #[error("file: {0}")]
    File(#[from] io::Error),
}

impl DeliveryError {
    /// What may be told of a sealed message.
    fn kind(&self) -> &'static str {
        match self {
            Self::Message(_) => "address or text",
            Self::Transport(_) => "transport",
            Self::File(_) => "file",
        }
    }
}

/// A way in which messages leave.
struct Carrier {
    from: Mailbox,
    way: Way,
}

enum Way {
    Smtp(SmtpTransport),
    Files(PathBuf),
}

impl Carrier {
    fn open(config: &MailTransport) -> Result<Self, DeliveryError> {
        let from = config.from.parse().map_err(|error| DeliveryError::Message(format!("mail.from: {error}")))?;
        let way = if config.transport == "smtp" { Way::Smtp(smtp(config)?) } else { Way::Files(config.dir.clone()) };
        Ok(Self { from, way })
    }

    fn deliver(&self, mail: &MailRow, now: Timestamp) -> Result<Outcome, DeliveryError> {
        match &self.way {
            Way::Files(_) if mail.sealed => Ok(Outcome::Withheld),
            Way::Files(dir) => {
                make_dir(dir)?;
                write_whole(dir, &format!("{}.eml", mail.id), &self.message(mail, now)?.formatted())?;
                Ok(Outcome::Sent)
            }
            Way::Smtp(transport) => {
                let message = self.message(mail, now)?;
                transport
                    .send(&message)
                    .map(|_| Outcome::Sent)
                    .map_err(|error| DeliveryError::Transport(error.to_string()))
            }
        }
    }

    fn message(&self, mail: &MailRow, now: Timestamp) -> Result<Message, DeliveryError> {
        let wrong = |error: String| DeliveryError::Message(error);
        let to: Address = mail.recipient.parse().map_err(|_| wrong("the recipient's address".into()))?;
        let date = SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(now.millis()).unwrap_or(0));
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .date(date)
            .message_id(Some(format!("<{}@{}>", mail.id, self.from.email.domain())))
            .subject(mail.subject.clone())
            .header(ContentType::TEXT_PLAIN)
            .body(mail.body.clone())
            .map_err(|error| wrong(error.to_string()))
    }
}

/// Asks whether messages could leave, without sending one: greets the mail server and signs in, or writes a file and
/// removes it.
///
/// # Errors
/// What the mail server or the file system says.
pub fn probe(config: &MailTransport) -> Result<(), String> {
    let asked = Carrier::open(config).and_then(|carrier| match &carrier.way {
        Way::Smtp(transport) => match transport.test_connection() {
            Ok(true) => Ok(()),
            Ok(false) => Err(DeliveryError::Transport("the mail server closed the connection".into())),
            Err(error) => Err(DeliveryError::Transport(error.to_string())),
        },
        Way::Files(dir) => {
            make_dir(dir)?;
            let name = format!("probe-{}", std::process::id());
            write_whole(dir, &name, b"")?;
            Ok(fs::remove_file(dir.join(name))?)
        }
    });
    asked.map_err(|error| error.to_string())
}

fn smtp(config: &MailTransport) -> Result<SmtpTransport, DeliveryError> {
    let host = &config.smtp_host;
    let builder = match config.smtp_security.as_str() {
        "tls" => SmtpTransport::relay(host),
        "starttls" => SmtpTransport::starttls_relay(host),
        _ => Ok(SmtpTransport::builder_dangerous(host)),
    };
    let mut builder = builder
        .map_err(|error| DeliveryError::Transport(error.to_string()))?
        .port(config.smtp_port)
        .timeout(Some(Duration::from_secs(limits::SMTP_SECONDS)));
    if !config.smtp_user.is_empty() {
        builder = builder.credentials(Credentials::new(config.smtp_user.clone(), config.smtp_password.clone()));
    }
    Ok(builder.build())
}

fn make_dir(dir: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Writes a file that is there whole or not at all.
fn write_whole(dir: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let unfinished = dir.join(format!(".{name}.part"));
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(unfinished, dir.join(name))
}

/// Rounds until the server stops.
pub async fn run(app: web::Data<App>) {
    loop {
        match round(&app).await {
            Ok(_) | Err(Error::Failed(Failure::Busy)) => {}
            Err(error) => tracing::error!(error = %error, "a mailer round failed; the next one tries again"),
        }
        tokio::time::sleep(Duration::from_millis(limits::MAIL_PAUSE_MS)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(sealed: bool) -> MailRow {
        MailRow {
            id: "msg-1".into(),
            recipient: "bidder@example.org".into(),
            subject: "回执 / Receipt".into(),
            body: "标段 1 / Lot 1\n".into(),
            sealed,
            state: "waiting".into(),
            attempts: 1,
            next_at: 0,
            last_error: None,
            created_at: 0,
            sent_at: None,
        }
    }

    fn files(dir: &Path) -> Carrier {
        let config = MailTransport { dir: dir.to_owned(), ..MailTransport::default() };
        Carrier::open(&config).expect("files need nothing")
    }

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(dir)
            .expect("a directory")
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"))
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_message_becomes_one_whole_file_however_often_it_is_sent() {
        let dir = tempfile::tempdir().expect("a directory");
        for _ in 0..2 {
            assert_eq!(
                files(dir.path()).deliver(&mail(false), Timestamp::from_millis(0)).expect("written"),
                Outcome::Sent
            );
        }
        assert_eq!(names(dir.path()), ["msg-1.eml"]);
        let text = fs::read_to_string(dir.path().join("msg-1.eml")).expect("text");
        assert!(text.contains("To: bidder@example.org") && text.contains("Message-ID: <msg-1@localhost>"), "{text}");
    }

    #[test]
    fn a_sealed_message_leaves_no_file() {
        let dir = tempfile::tempdir().expect("a directory");
        for id in ["msg-1", "msg-2"] {
            let sealed = MailRow { id: id.into(), ..mail(true) };
            assert_eq!(
                files(dir.path()).deliver(&sealed, Timestamp::from_millis(0)).expect("withheld"),
                Outcome::Withheld
            );
        }
        assert_eq!(names(dir.path()), Vec::<String>::new());
    }

    #[test]
    fn pauses_double_up_to_an_hour() {
        assert_eq!(pause(1), limits::MAIL_RETRY_MS);
        assert_eq!(pause(2), 2 * limits::MAIL_RETRY_MS);
        assert_eq!(pause(limits::MAIL_ATTEMPTS), limits::MAIL_RETRY_MOST_MS);
        assert_eq!(pause(i64::MAX), limits::MAIL_RETRY_MOST_MS);
    }

    #[test]
    fn a_mail_server_that_is_away_is_no_lost_message() {
        let config = MailTransport {
            transport: "smtp".into(),
            smtp_host: "127.0.0.1".into(),
            // The discard port of this machine: nothing listens there.
            smtp_port: 9,
            smtp_security: "none".into(),
            ..MailTransport::default()
        };
        let error =
            Carrier::open(&config).expect("nothing is connected yet").deliver(&mail(false), Timestamp::from_millis(0));
        assert!(matches!(error, Err(DeliveryError::Transport(_))), "{error:?}");
    }
}
