//! Named places between two steps at which a server may die.
//!
//! Promise: reaching a place returns nothing and changes nothing, so that no check can be skipped and no step be made to
//! fail from here; a server that was given no plan passes at the cost of one comparison. A plan is a value that whoever
//! opens the platform hands over: there is no setting, no variable of the environment and no route that makes one, and
//! the servers of `sealbid serve` never have any. Deliberately absent: faults of disks, databases and lines, which tests
//! make outside the program, where they happen.

use std::sync::Arc;

/// A place between two steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Point {
    /// The last byte of a body is in; nothing was done about it.
    BodyIn,
    /// Use cases ran, one of a bidder's headers among them; their commit has not begun.
    BidBeforeCommit,
    /// They are durable; nobody was answered.
    BidAfterCommit,
    /// Other use cases ran; their commit has not begun.
    BeforeCommit,
    /// They are durable; nobody was answered.
    AfterCommit,
    /// The row of a new upload is committed; its file is not made.
    UploadRow,
    /// The bytes of an upload are forced to the disk; its row does not say so.
    UploadSynced,
    /// A due step of a lot is done; the next one is not, though it may be due too.
    LotStep,
    /// An envelope is unsealed; its outcome is not stored.
    Unsealed,
    /// The outcome of an envelope is stored; the next one is not begun.
    OutcomeStored,
    /// A message is taken in hand; nothing was sent.
    MailTaken,
    /// The mail server has a message; its row does not say so.
    MailSent,
    /// An upload is doomed; its bytes are there.
    UploadDoomed,
    /// The bytes of a doomed upload are gone; its row is there.
    UploadRemoved,
    /// A batch of the log is committed; its tiles are not written.
    LogSequenced,
    /// The tiles of a batch are written; its root is not signed.
    LogTiles,
    /// The root of a batch is signed; the checkpoint is not published.
    LogSigned,
    /// The checkpoint is published; the database does not say so.
    LogPublished,
    /// A message of a ceremony is heard and what follows from it is written; its commit has not begun.
    CeremonyHeard,
    /// It is durable; its member was not answered.
    CeremonyStored,
    /// What custodians will answer to is drawn from a box; it is not on record.
    SnapshotDrawn,
    /// It is on record; no share was asked for.
    SnapshotFixed,
    /// Partial decryptions are found to be right; they are not stored.
    SharesChecked,
    /// They are durable; who gave them was not answered.
    SharesStored,
    /// Every envelope of a box has its outcome; the commit that says so has not begun.
    BoxUnsealed,
    /// A session is closed; the commit has not begun.
    SessionClosing,
    /// It is durable; nobody was answered.
    SessionClosed,
}

impl Point {
    /// Every place.
    pub const ALL: [Self; 27] = [
        Self::BodyIn,
        Self::BidBeforeCommit,
        Self::BidAfterCommit,
        Self::BeforeCommit,
        Self::AfterCommit,
        Self::UploadRow,
        Self::UploadSynced,
        Self::LotStep,
        Self::Unsealed,
        Self::OutcomeStored,
        Self::MailTaken,
        Self::MailSent,
        Self::UploadDoomed,
        Self::UploadRemoved,
        Self::LogSequenced,
        Self::LogTiles,
        Self::LogSigned,
        Self::LogPublished,
        Self::CeremonyHeard,
        Self::CeremonyStored,
        Self::SnapshotDrawn,
        Self::SnapshotFixed,
        Self::SharesChecked,
        Self::SharesStored,
        Self::BoxUnsealed,
        Self::SessionClosing,
        Self::SessionClosed,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::BodyIn => "body-in",
            Self::BidBeforeCommit => "bid-before-commit",
            Self::BidAfterCommit => "bid-after-commit",
            Self::BeforeCommit => "before-commit",
            Self::AfterCommit => "after-commit",
            Self::UploadRow => "upload-row",
            Self::UploadSynced => "upload-synced",
            Self::LotStep => "lot-step",
            Self::Unsealed => "unsealed",
            Self::OutcomeStored => "outcome-stored",
            Self::MailTaken => "mail-taken",
            Self::MailSent => "mail-sent",
            Self::UploadDoomed => "upload-doomed",
            Self::UploadRemoved => "upload-removed",
            Self::LogSequenced => "log-sequenced",
            Self::LogTiles => "log-tiles",
            Self::LogSigned => "log-signed",
            Self::LogPublished => "log-published",
            Self::CeremonyHeard => "ceremony-heard",
            Self::CeremonyStored => "ceremony-stored",
            Self::SnapshotDrawn => "snapshot-drawn",
            Self::SnapshotFixed => "snapshot-fixed",
            Self::SharesChecked => "shares-checked",
            Self::SharesStored => "shares-stored",
            Self::BoxUnsealed => "box-unsealed",
            Self::SessionClosing => "session-closing",
            Self::SessionClosed => "session-closed",
        }
    }

    /// The place of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|point| point.name() == name)
    }
}

/// What is to happen at the places. Whoever does not want to go on must not return.
pub trait Plan: Send + Sync {
    /// A server is at `point`.
    fn reach(&self, point: Point);
}

/// The plan of a server; none unless one was handed over.
#[derive(Clone, Default)]
pub struct Faults(Option<Arc<dyn Plan>>);

impl Faults {
    /// Those of a plan.
    pub fn planned(plan: Arc<dyn Plan>) -> Self {
        Self(Some(plan))
    }

    /// Says that `point` is reached.
    #[inline]
    pub fn reach(&self, point: Point) {
        if let Some(plan) = &self.0 {
            plan.reach(point);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Mutex;

    use super::*;

    struct Seen(Mutex<Vec<Point>>);

    impl Plan for Seen {
        fn reach(&self, point: Point) {
            self.0.lock().expect("no panic").push(point);
        }
    }

    #[test]
    fn a_plan_hears_of_every_place_and_no_plan_is_no_obstacle() {
        let seen = Arc::new(Seen(Mutex::default()));
        for faults in [Faults::planned(seen.clone()), Faults::default()] {
            Point::ALL.into_iter().for_each(|point| faults.reach(point));
        }
        assert_eq!(*seen.0.lock().expect("no panic"), Point::ALL);
    }

    #[test]
    fn every_place_has_a_name_of_its_own() {
        let names: BTreeSet<&str> = Point::ALL.into_iter().map(Point::name).collect();
        assert_eq!(names.len(), Point::ALL.len());
        assert!(Point::ALL.into_iter().all(|point| Point::parse(point.name()) == Some(point)));
        assert_eq!(Point::parse("elsewhere"), None);
    }
}
