//! Every bound in one place: sizes, counts, lengths, time-outs. Each is enforced where the value enters and, where it
//! is stored, by a `CHECK` of the database.

/// How often a lot is disclosed: once after each round of openings.
pub const DISCLOSURES: i64 = 2;

/// How long a request waits for a database connection, in milliseconds, before it is told to come back.
pub const DB_CHECKOUT_MS: u64 = 5_000;
/// Connections that read, on SQLite: more only compete for two cores.
pub const SQLITE_READERS: u32 = 4;
/// Pages of an SQLite file that the writer keeps in memory, in KiB.
pub const SQLITE_WRITER_KIB: u32 = 32_000;
/// The same for each connection that reads: what is not there is in the system's own cache.
pub const SQLITE_READER_KIB: u32 = 8_000;
/// Connections that read, on PostgreSQL.
pub const POSTGRES_READERS: u32 = 8;
/// Connections that read for headers and the heartbeat, which other reading cannot take.
pub const HEADER_READERS: u32 = 2;
/// Connections that write, on PostgreSQL: one for headers, in groups, the others for everything else, one by one.
pub const POSTGRES_WRITERS: usize = 8;
/// Use cases waiting for the writer, other than bids. Beyond it callers get 503 and come back.
pub const QUEUE_GENERAL: usize = 2_048;
/// Bids waiting for the writer; a queue of their own, so that nothing else can crowd a bid out.
pub const QUEUE_BIDS: usize = 4_096;
/// Use cases that share one commit on SQLite.
pub const COMMIT_GROUP: usize = 256;
/// Headers that share one commit on PostgreSQL: while they are decided, what they looked at is watched for others' writes.
pub const POSTGRES_COMMIT_GROUP: usize = 64;
/// How often a group is run again when it lost a race, before its halves are run by themselves.
pub const GROUP_ATTEMPTS: u32 = 3;
/// How often a use case is run again when the database had to choose between two of them.
pub const COMMIT_ATTEMPTS: u32 = 24;
/// The same for a header that was let in: it is decided, whatever else the database is busy with.
pub const HEADER_ATTEMPTS: u32 = 200;
/// Longest pause before the second attempt, in milliseconds; grows with every attempt.
pub const COMMIT_PAUSE_MS: u64 = 10;
/// Seconds after which a caller who met a full queue should come back.
pub const BUSY_RETRY_SECONDS: u32 = 2;
/// Length of an `Idempotency-Key`.
pub const IDEMPOTENCY_KEY_LEN: usize = 128;
/// Life of an access token, in seconds: a token that leaks is of use for no longer.
pub const ACCESS_TOKEN_SECONDS: i64 = 15 * 60;
/// Access tokens whose verified signature is remembered at a time.
pub const TOKENS_REMEMBERED: usize = 10_000;
/// Lots whose key set is remembered, read, at a time.
pub const KEY_SETS_REMEMBERED: usize = 10_000;
/// Life of a refresh token, in milliseconds, renewed at each use.
pub const REFRESH_TOKEN_MS: i64 = 12 * 60 * 60 * 1000;
/// How long a session lives at most, however often it is refreshed, in milliseconds.
pub const SESSION_MS: i64 = 7 * 24 * 60 * 60 * 1000;
/// A refresh token stays good for this long after its first use and returns the same successor: an answer lost on the
/// way must not end a session.
pub const REFRESH_GRACE_MS: i64 = 30_000;
/// Life of a password reset token, in milliseconds.
pub const RESET_TOKEN_MS: i64 = 24 * 60 * 60 * 1000;
/// Passwords that are hashed at the same time: each takes 19 MiB and a core.
pub const PASSWORD_HASHES: usize = 2;
/// Shortest password.
pub const PASSWORD_MIN: usize = 12;
/// Longest password: hashing must not become a way to keep the server busy.
pub const PASSWORD_MAX: usize = 256;
/// Bodies of headers that one organisation sends to one server at the same time: a bid is a body, and a few slow lines must
/// not keep the others out.
pub const BODIES_PER_ORG: usize = 8;
/// How far a server's clock may be from the one that all servers share, in milliseconds, to take bids.
pub const CLOCK_OFFSET_MS: i64 = 250;
/// How long the shared clock may take to answer, in milliseconds, before it is asked again: the answer is as doubtful as half
/// of its way.
pub const CLOCK_WAY_MS: i64 = 50;
/// How often it is asked, of which the fastest answer counts.
pub const CLOCK_QUESTIONS: u32 = 3;
/// Pause between two heartbeats of a server while a deadline is near, in milliseconds.
pub const BEAT_MS: i64 = 1_000;
/// Pause between two heartbeats otherwise, in milliseconds: well below [`OUTAGE_MS`], and nothing waits for a beat then.
pub const BEAT_IDLE_MS: i64 = 5_000;
/// A deadline is near from so long before it, in milliseconds: longer than any edition looks back for outages.
pub const BEAT_BEFORE_MS: i64 = 45 * 60 * 1000;
/// A deadline is near until so long after it, in milliseconds: until the closing waits for nobody any more.
pub const BEAT_AFTER_MS: i64 = 2 * 60 * 1000;
/// A server that was heard of so shortly before a deadline, in milliseconds, and not since, is waited for: it may only be
/// slow. One that is silent for longer is gone.
pub const INSTANCE_LIVE_MS: i64 = 60_000;
/// The platform was down when no server said for so long that it is ready, in milliseconds: shorter gaps are bridged by
/// callers that repeat their requests.
pub const OUTAGE_MS: i64 = 10_000;
/// How long the row of a server that is gone is kept, in milliseconds.
pub const INSTANCE_KEEP_MS: i64 = 24 * 60 * 60 * 1000;
/// Largest JSON body.
pub const JSON_BODY_BYTES: usize = 256 * 1024;
/// Seconds in which a JSON body must be in.
pub const BODY_SECONDS: u64 = 30;
/// Items on a page unless asked otherwise.
pub const PAGE_DEFAULT: u32 = 50;
/// Items on a page at most.
pub const PAGE_MOST: u32 = 100;
/// Length of names and titles, in characters.
pub const NAME_LEN: usize = 200;
/// Length of a text such as a question, a reason or an answer, in characters.
pub const TEXT_LEN: usize = 4_000;
/// Threads for blocking work, per server worker.
pub const BLOCKING_THREADS: usize = 16;
/// Seconds in which a request's head must be in.
pub const HEAD_SECONDS: u64 = 10;
/// Connections of one server at most, and never more than leave [`FILES_KEPT`] of the files that it may open.
pub const CONNECTIONS: usize = 16_384;
/// Open files that connections leave for the database, the blobs and the mail.
pub const FILES_KEPT: usize = 256;
/// Seconds that an idle connection is kept.
pub const KEEP_ALIVE_SECONDS: u64 = 75;
/// Seconds that a stopping server gives the requests it has accepted.
pub const SHUTDOWN_SECONDS: u64 = 30;
/// Days that a bid may stay valid at most.
pub const BID_VALIDITY_DAYS: u32 = 730;
/// Lines of a list such as deficiencies or points of a clarification.
pub const LINES: usize = 100;
/// Lots taken in one round of the scheduler.
pub const SCHEDULER_BATCH: i64 = 200;
/// Steps that one lot takes in one round: closing and opening may be due together.
pub const SCHEDULER_STEPS: u32 = 4;
/// Pause between rounds of the scheduler, in milliseconds.
pub const SCHEDULER_PAUSE_MS: u64 = 500;
/// Messages taken in one round of the mailer.
pub const MAIL_BATCH: i64 = 50;
/// Pause between rounds of the mailer, in milliseconds.
pub const MAIL_PAUSE_MS: u64 = 1_000;
/// How long one server keeps a message to itself while it sends it, in milliseconds.
pub const MAIL_LEASE_MS: i64 = 60_000;
/// First pause after a message could not be sent, in milliseconds; doubled each time.
pub const MAIL_RETRY_MS: i64 = 30_000;
/// Longest pause between two attempts, in milliseconds.
pub const MAIL_RETRY_MOST_MS: i64 = 3_600_000;
/// Attempts after which a message waits for a person: with the pauses above some four days, a long weekend.
pub const MAIL_ATTEMPTS: i64 = 100;
/// Length of what is kept of a mail server's complaint, in characters.
pub const MAIL_ERROR_LEN: usize = 300;
/// Seconds that a mail server has for each answer: a server that hangs must not hold up the other messages for long.
pub const SMTP_SECONDS: u64 = 20;
/// Length of a project's code and of numbers of approvals, in characters.
pub const CODE_LEN: usize = 64;
/// Length of a media type, in characters.
pub const MEDIA_TYPE_LEN: usize = 100;
/// Largest document of a lot: drawings of a whole building fit.
pub const DOCUMENT_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// Documents of one lot.
pub const DOCUMENTS_PER_LOT: i64 = 200;
/// Questions and objections of one organisation on one lot: the initiator must be able to answer them.
pub const QUESTIONS_PER_LOT: i64 = 100;
/// Bytes that one organisation may upload to one lot, attached or not: a few versions of the largest bid.
pub const UPLOAD_LOT_BYTES: u64 = 16 * 1024 * 1024 * 1024;
/// Bytes that one organisation may have uploaded anywhere and not attached: nobody fills the disk with what is no bid.
pub const UPLOAD_LOOSE_BYTES: u64 = 64 * 1024 * 1024 * 1024;
/// Uploads that one organisation may have to one lot, and that nothing uses: each costs files and a row, however small.
pub const UPLOADS: usize = 256;
/// How long an upload that nothing uses is kept after its lot's deadline, in milliseconds.
pub const UPLOAD_KEEP_MS: i64 = 7 * 24 * 60 * 60 * 1000;
/// Uploads taken in one round of the sweeper.
pub const SWEEP_BATCH: i64 = 100;
/// Pause between rounds of the sweeper, in milliseconds: what it removes has been useless for days.
pub const SWEEP_PAUSE_MS: u64 = 10 * 60 * 1000;
/// Files without an upload that are removed in one round of the sweeper.
pub const ORPHANS: usize = 100;
/// A file without an upload is left alone for so long, in milliseconds: it is perhaps still being made.
pub const ORPHAN_AGE_MS: u64 = 24 * 60 * 60 * 1000;
/// Chunks that a server remembers to have written itself, and need not read again when their upload is completed: 64 GiB of
/// uploads under way, some 8 MiB of memory.
pub const TRUSTED_CHUNKS: usize = 65_536;
/// Files that the scrubber reads between two pauses at most: small ones cost commits, and a rush must not feel them.
pub const SCRUB_BATCH: usize = 4;
/// Files that the scrubber looks at in one go for some that are still of use.
pub const SCRUB_DUE: i64 = 100;
/// Chunks that the scrubber reads at a time: 8 MiB.
pub const SCRUB_PIECE: u64 = 8;
/// Pause of the scrubber between two pieces, in milliseconds: with the above at most 32 MiB/s, some 2.5 TiB a day, and a
/// million small files.
pub const SCRUB_PAUSE_MS: u64 = 250;
/// Pause of the scrubber when nothing is due, in milliseconds.
pub const SCRUB_IDLE_MS: u64 = 60_000;
/// A file is read again so long after it was found whole or was completed, in milliseconds: once a day, and some hours for
/// being late.
pub const SCRUB_EVERY_MS: i64 = 20 * 60 * 60 * 1000;
/// A damaged file is read again so long after it was found damaged, in milliseconds: whoever copies it back from a backup
/// need not tell.
pub const SCRUB_AGAIN_MS: i64 = 5 * 60 * 1000;
/// How long one server keeps a file to itself while it reads it, in milliseconds: the largest takes three minutes.
pub const SCRUB_LEASE_MS: i64 = 30 * 60 * 1000;
/// How long an opening waits for what is damaged in storage, in milliseconds, from its beginning.
pub const RESTORATION_MS: i64 = 30 * 60 * 1000;
/// How often damage and restoration of one upload are on record at most.
pub const DAMAGES_ON_RECORD: i64 = 200;
/// Largest file of one calendar year: a year has 366 days.
pub const CALENDAR_FILE_BYTES: usize = 128 * 1024;
/// Entries, rows or envelopes that a replay holds at a time.
pub const REPLAY_PAGE: i64 = 500;
/// Differences that a replay names: who finds a thousand needs no more to act.
pub const REPLAY_DIFFERENCES: usize = 1_000;
/// How often our own client sends what may be repeated: with the pauses below, a server that restarts is waited for.
pub const CLIENT_ATTEMPTS: u32 = 7;
/// Its first pause between two attempts, in milliseconds; doubled each time.
pub const CLIENT_PAUSE_MS: u64 = 250;
/// Its longest pause, in seconds, whatever a server asks for.
pub const CLIENT_PAUSE_MOST_SECONDS: u64 = 15;
/// Seconds in which a connection to a server must stand.
pub const CLIENT_CONNECT_SECONDS: u64 = 10;
/// Seconds in which a server's answer must begin: completing a large upload re-reads all of its digests.
pub const CLIENT_ANSWER_SECONDS: u64 = 120;
/// Bytes of an answer that our own client reads at most.
pub const CLIENT_ANSWER_BYTES: u64 = 64 * 1024 * 1024;
/// Envelopes of one submission: a price and, where there are any, documents and a deposited key.
pub const ENVELOPES_PER_BID: usize = 3;
/// Milliseconds after the planned end of the bidders' minutes by which custodians may open deposited keys at the latest: a day.
pub const ESCROW_DELAY_MS: i64 = 24 * 60 * 60 * 1000;
/// Versions of one bid, after which it can only be withdrawn: far more than anybody needs, few enough to show at once.
pub const BID_VERSIONS: i64 = 200;
/// Refusals on record of one organisation on one lot: each is a row and an entry, and nobody should fill the record.
pub const REFUSALS_PER_LOT: i64 = 100;
/// Envelopes of one lot that are unsealed before the next lot has its turn: some hundred milliseconds of work, so that
/// looking for those that are left is rare.
pub const UNSEAL_BATCH: i64 = 512;
/// Envelopes that are unsealed at the same time: enough that their outcomes share commits, each with a chunk in memory.
pub const UNSEAL_TOGETHER: usize = 16;
/// Lots taken in one round of the unsealer.
pub const UNSEAL_LOTS: i64 = 100;
/// Pause between rounds of the unsealer, in milliseconds.
pub const UNSEAL_PAUSE_MS: u64 = 500;
/// Length of what is kept of why an envelope did not open, in characters: it may quote a path that the bidder chose.
pub const FAILURE_LEN: usize = 500;
/// Bytes of an opened part's file list that the record keeps: some hundred files; the part itself lists all.
pub const FILE_LIST_BYTES: usize = 32 * 1024;
/// Objections of one organisation on one lot: the initiator must be able to answer them.
pub const OBJECTIONS_PER_LOT: i64 = 20;
/// Characters of an evaluation report or a notice's lines in all: they are published in one piece.
pub const REPORT_LEN: usize = 50_000;
/// Length of a matter number, in characters.
pub const MATTER_LEN: usize = 64;
/// Lots that one mandate names: a wider inquiry has a mandate for all.
pub const MANDATE_LOTS: usize = 20;
/// Mandates of one inspector in one matter: a page is read lot by lot.
pub const MANDATES_PER_MATTER: i64 = 5;
/// Longest mandate, in days.
pub const MANDATE_DAYS: i64 = 366;
/// How long somebody may agree to a look before the opening, in milliseconds, from when it was asked for.
pub const BREAK_GLASS_ASKED_MS: i64 = 24 * 60 * 60 * 1000;
/// How long a look before the opening is open, in milliseconds, from when somebody agreed to it.
pub const BREAK_GLASS_OPEN_MS: i64 = 2 * 60 * 60 * 1000;
/// Personal parts that one transaction erases.
pub const ERASURE_BATCH: i64 = 500;
/// Erasures that one round of the sweeper looks at.
pub const ERASURES_PER_ROUND: i64 = 100;
/// How long the write-ahead log of SQLite is waited for when it is to be emptied, in milliseconds: it keeps commits waiting.
pub const LOG_EMPTY_MS: u32 = 200;
/// Failed sign-ins of one member of staff that are on record per hour.
pub const SIGN_IN_FAILURES: i64 = 10;
/// Denied attempts of one user that are on record per hour, for each lot where they are sealed.
pub const DENIALS: i64 = 20;
/// Looks of one user per hour at a reserve price that is not public: each is on record, and beyond it none is shown. Enough
/// for a page that asks every five seconds.
pub const RESERVE_READS: i64 = 720;
/// Downloads of one sealed payload per hour: each is on record, and beyond it none is served.
pub const PAYLOAD_READS: i64 = 60;
/// Entries that a report holds at a time.
pub const REPORT_PAGE: i64 = 500;
/// Entries that an export holds at a time; under mandates for lots as many of each lot.
pub const EXPORT_PAGE: i64 = 100;
/// Tiles of the log that an evidence bundle holds at a time.
pub const EVIDENCE_TILES: usize = 32;
/// Entries that one transaction moves from the queue to the search table.
pub const SEARCH_BATCH: i64 = 100;
/// Batches that the worker moves between two pauses: while bidders are in a hurry most of the writer is theirs.
pub const SEARCH_ROUND: usize = 20;
/// Pause of the worker that fills the search table, in milliseconds.
pub const SEARCH_PAUSE_MS: u64 = 1_000;
/// Batches that somebody who searches waits for at most; with more to do he is told to come back, and finds fewer.
pub const SEARCH_CATCH_UP: usize = 1_000;
/// Pause between two looks at the states that an operator watches, in milliseconds.
pub const WATCH_PAUSE_MS: u64 = 10_000;
/// Looks after which the mail server is greeted again: it is not ours to keep busy.
pub const WATCH_MAIL_EVERY: u64 = 30;
/// A commit that takes longer is slow, in milliseconds.
pub const WRITER_SLOW_MS: u128 = 1_000;
/// A commit that takes longer is not waited for: the writer is stuck. In milliseconds.
pub const WRITER_STUCK_MS: u64 = 30_000;
/// A scheduler without a finished round for so long is stalled, in milliseconds.
pub const SCHEDULER_STALLED_MS: i64 = 30_000;
/// How long a failed request is told of, in milliseconds.
pub const FAILING_MS: i64 = 5 * 60 * 1000;
/// Less free space than this is little, in percent.
pub const DISK_LOW_PERCENT: u64 = 20;
/// Less free space than this is too little, in percent.
pub const DISK_CRITICAL_PERCENT: u64 = 5;
/// A backup that is older deserves a warning, in hours: one was missed.
pub const BACKUP_OLD_HOURS: i64 = 30;
/// Files that `sealbid doctor` re-reads.
pub const DOCTOR_SAMPLE: i64 = 20;
/// A disk that takes longer to be forced is slow, in milliseconds.
pub const FSYNC_SLOW_MS: u64 = 20;
/// Uploads that a backup or a restore holds in memory at a time.
pub const BACKUP_PAGE: i64 = 500;
/// Payers whose requests a server counts at the same time, on each side: some megabytes.
pub const RATE_BUCKETS: usize = 50_000;
/// By how much the budgets of requests can be multiplied.
pub const RATE_FACTOR_MOST: u32 = 1_000;
/// Wrong passwords for one login from one network before the first pause: people mistype.
pub const SIGN_IN_FREE_ATTEMPTS: u32 = 5;
/// The first pause, in milliseconds; doubled with every further failure.
pub const SIGN_IN_PAUSE_MS: i64 = 5_000;
/// The longest pause, in milliseconds.
pub const SIGN_IN_PAUSE_MOST_MS: i64 = 15 * 60 * 1000;
/// Failures are forgotten so long after the last one, in milliseconds.
pub const SIGN_IN_FORGET_MS: i64 = 24 * 60 * 60 * 1000;
/// Seconds for which a client assertion may be good: it is made for one request.
pub const ASSERTION_SECONDS: i64 = 5 * 60;
/// Length of a client assertion, in bytes.
pub const ASSERTION_LEN: usize = 8 * 1024;
/// Length of the id of an assertion, in bytes.
pub const JTI_LEN: usize = 128;
/// Seconds by which the clock of software may run ahead of ours.
pub const CLIENT_SKEW_SECONDS: i64 = 30;
/// Largest token request.
pub const TOKEN_FORM_BYTES: usize = 16 * 1024;
/// Active service clients of one organisation.
pub const SERVICE_CLIENTS: usize = 20;
/// Milliseconds from one checkpoint of the log to the next: what may be configured.
pub const LOG_TICK_MS: std::ops::RangeInclusive<u64> = 10..=60_000;
/// Leaves by which the log may be made to grow with every tick at least.
pub const LOG_PADDING: u32 = 4_096;
/// Entries that one tick takes into the log; what is left waits for the next.
pub const LOG_BATCH: i64 = 65_536;
/// How long after it was recorded an entry is in the log at the latest, in milliseconds: promises say so.
pub const PROMISE_MS: i64 = 10 * 60 * 1000;
/// For how many ticks a server that grows the log is left alone, and for how long at least and at most, in milliseconds.
pub const LOG_LEASE_TICKS: i64 = 3;
/// See [`LOG_LEASE_TICKS`].
pub const LOG_LEASE_MS: std::ops::RangeInclusive<i64> = 1_000..=30_000;
/// Promises that a signer is shown the inclusion of at a time.
pub const PROMISES_SHOWN: usize = 1_000;
/// Ticks without a checkpoint after which an alarm is raised.
pub const LOG_STALLED_TICKS: u64 = 3;
/// The same in milliseconds, at least: ticks of a test may be shorter than a disk takes.
pub const LOG_STALLED_MS: i64 = 15_000;
/// How often a lot's box may be closed.
pub const CLOSINGS: i64 = 100;
/// Lots that are disclosed in one round.
pub const DISCLOSED_AT_ONCE: i64 = 16;
/// Seconds after which whoever asks for a receipt too early should ask again, at most.
pub const RECEIPT_RETRY_SECONDS: u64 = 60;
/// How long a signer may take to answer, in milliseconds.
pub const SIGNER_MS: u64 = 10_000;
/// Longest question to a signer, in bytes: a batch is [`LOG_BATCH`] commitments of 67 characters.
pub const SIGNER_LINE_BYTES: u64 = 16 << 20;
/// Keys of the log that were ever used.
pub const LOG_KEYS: i64 = 1_000;
/// Leaves of a batch in a dump that a check holds at a time: far more than a batch can have.
pub const VERIFY_BATCH_LEAVES: u64 = 1 << 20;
/// Largest checkpoint, policy or receipt that a check reads, in bytes.
pub const VERIFY_TEXT_BYTES: u64 = 1024 * 1024;
/// Largest manifest of an evidence bundle that a check reads, in bytes: a line for each tile of a log of some fifty million leaves.
pub const VERIFY_MANIFEST_BYTES: u64 = 64 * 1024 * 1024;
/// Places of one sort that a verdict names; beyond them it says that there are more.
pub const VERIFY_NAMED: usize = 8;
/// Ticks without growth after which a log is said to stand still.
pub const VERIFY_STALL_TICKS: u64 = 3;
/// Pause between two looks at a log whose tick is not known, in milliseconds.
pub const VERIFY_LOOK_MS: u64 = 5_000;
/// Largest request to a witness, in bytes: 63 proof lines, and a checkpoint with as many signatures as a note may have.
pub const WITNESS_BODY_BYTES: usize = 32 * 1024;
/// Largest answer of a witness that is read, in bytes.
pub const WITNESS_ANSWER_BYTES: u64 = 64 * 1024;
/// How long a witness is waited for in all, in milliseconds: checkpoints come every few seconds.
pub const WITNESS_ANSWER_MS: u64 = 2_000;
/// Threads that take requests of a witness: it answers a few a second, and the disk is what they wait for.
pub const WITNESS_WORKERS: usize = 2;
/// After how long every published tile of the log is read again, in milliseconds.
pub const LOG_RECHECK_MS: u64 = 24 * 60 * 60 * 1000;
/// Memory that a custodian's state file may ask for when it is opened, in KiB.
pub const CUSTODIAN_KDF_KIB: u32 = 1024 * 1024;
/// Passes over that memory that it may ask for.
pub const CUSTODIAN_KDF_PASSES: u32 = 64;
/// Pause between two looks of a custodian's tool that waits for others, in milliseconds.
pub const CUSTODIAN_LOOK_MS: u64 = 2_000;
/// After how long a command shows how far it is, in milliseconds.
pub const PATIENCE_MS: u128 = 2_000;
/// How long the members of a ceremony have, all steps together.
pub const CEREMONY_MS: i64 = 7 * 24 * 3600 * 1000;
/// Minutes that bidders have to decrypt, at least: time to sign in and to run a tool.
pub const DECRYPTION_MINUTES_LEAST: u32 = 5;
/// Minutes that bidders have to decrypt, at most: the others wait for them.
pub const DECRYPTION_MINUTES_MOST: u32 = 24 * 60;
/// Ceremonies of one custodian that are listed.
pub const CEREMONIES_LISTED: i64 = 100;
/// Ceremonies that are ended in one round because their time ran out.
pub const CEREMONIES_ENDED: i64 = 100;
/// Refused lists of partial decryptions that go on record, of one member of one key set.
pub const PARTIALS_REFUSED: i64 = 20;
/// Snapshots whose lines a server remembers: those of large boxes have some megabytes.
pub const SNAPSHOTS_REMEMBERED: usize = 16;
