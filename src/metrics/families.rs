//! What there is to watch: one row a metric. `docs/operations.md` explains each, and a test compares.

/// A metric with its labels.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// Its name.
    pub name: &'static str,
    /// Its kind, as Prometheus calls it.
    pub kind: &'static str,
    /// One line about it.
    pub help: &'static str,
}

pub(super) const BUILD: &str = "sealbid_build_info";
pub(super) const REQUESTS: &str = "sealbid_requests_total";
pub(super) const DURATIONS: &str = "sealbid_request_duration_seconds";
const READY: &str = "sealbid_ready";
const DATABASE: &str = "sealbid_database_reachable";
const CLOCK: &str = "sealbid_clock_offset_milliseconds";
const WRITER: &str = "sealbid_writer_state";
const SCHEDULER: &str = "sealbid_scheduler_stalled";
const FAILING: &str = "sealbid_requests_failing";
const DISK: &str = "sealbid_disk_state";
const DAMAGED: &str = "sealbid_storage_damaged";
const MAIL: &str = "sealbid_mail_reachable";
const MAIL_FAILED: &str = "sealbid_mail_failed";
const LOG: &str = "sealbid_log_state";
const LOG_AGE: &str = "sealbid_log_checkpoint_age_seconds";
const LOG_SIZE: &str = "sealbid_log_tree_size";
const LOG_WITNESS: &str = "sealbid_log_witness_milliseconds";
const BACKUP: &str = "sealbid_backup_age_seconds";

const fn gauge(name: &'static str, help: &'static str) -> Family {
    Family { name, kind: "gauge", help }
}

/// All metrics, in the order of the text.
pub const FAMILIES: &[Family] = &[
    gauge(BUILD, "Version of the program; always 1."),
    gauge(READY, "1 while this server can do its work, else 0."),
    gauge(DATABASE, "1 while the database answers, else 0."),
    gauge(CLOCK, "This server's clock minus the database's, in milliseconds; on SQLite they are one clock."),
    gauge(
        WRITER,
        "0 while a commit takes less than a second, 1 while it takes longer, 2 after 30 seconds without one.",
    ),
    gauge(SCHEDULER, "1 when the scheduler has finished no round for 30 seconds, else 0."),
    gauge(FAILING, "1 when a request failed on our side within five minutes, on whichever route, else 0."),
    gauge(DISK, "Free space: 0 is 20 % or more, 1 is less, 2 is less than 5 %."),
    gauge(
        DAMAGED,
        "1 while a stored file is damaged, whichever it is: document, bid or one that nothing uses; else 0.",
    ),
    gauge(MAIL, "1 while the mail server, or the mail directory, takes messages, else 0. A probe, not a message."),
    gauge(MAIL_FAILED, "1 while a message that is no secret was given up, else 0."),
    gauge(
        LOG,
        "0 while the public log runs, 1 while its ticks fail, 2 while it stands still and nothing is put on record.",
    ),
    gauge(LOG_AGE, "Seconds since the newest checkpoint of the log was published; missing before the first."),
    gauge(LOG_SIZE, "Leaves under the newest checkpoint: padded, as everybody sees them."),
    gauge(LOG_WITNESS, "Milliseconds that the witnesses took for the newest checkpoint; 0 where none is asked."),
    gauge(BACKUP, "Seconds since the last whole backup; missing where none is known."),
    Family {
        name: REQUESTS,
        kind: "counter",
        help: "Answers by group and class of status. What bidders have to ask for is in no group.",
    },
    Family {
        name: DURATIONS,
        kind: "histogram",
        help: "Durations of the same requests, in coarse buckets, without a sum.",
    },
];

/// A state that `worker::watch` looks after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the families say it")]
pub enum State {
    Ready,
    Database,
    ClockOffset,
    Writer,
    Scheduler,
    Failing,
    DiskDatabase,
    DiskBlobs,
    Damaged,
    Mail,
    MailFailed,
    BackupAge,
    Log,
    LogAge,
    LogSize,
    LogWitness,
}

impl State {
    /// How many there are.
    pub const COUNT: usize = Self::ALL.len();
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 16] = [
        Self::Ready,
        Self::Database,
        Self::ClockOffset,
        Self::Writer,
        Self::Scheduler,
        Self::Failing,
        Self::DiskDatabase,
        Self::DiskBlobs,
        Self::Damaged,
        Self::Mail,
        Self::MailFailed,
        Self::BackupAge,
        Self::Log,
        Self::LogAge,
        Self::LogSize,
        Self::LogWitness,
    ];

    pub(super) fn family(self) -> &'static str {
        match self {
            Self::Ready => READY,
            Self::Database => DATABASE,
            Self::ClockOffset => CLOCK,
            Self::Writer => WRITER,
            Self::Scheduler => SCHEDULER,
            Self::Failing => FAILING,
            Self::DiskDatabase | Self::DiskBlobs => DISK,
            Self::Damaged => DAMAGED,
            Self::Mail => MAIL,
            Self::MailFailed => MAIL_FAILED,
            Self::BackupAge => BACKUP,
            Self::Log => LOG,
            Self::LogAge => LOG_AGE,
            Self::LogSize => LOG_SIZE,
            Self::LogWitness => LOG_WITNESS,
        }
    }

    pub(super) fn labels(self) -> &'static str {
        match self {
            Self::DiskDatabase => "{of=\"database\"}",
            Self::DiskBlobs => "{of=\"blobs\"}",
            _ => "",
        }
    }
}
