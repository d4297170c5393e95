//! Mails as somebody can see them: what waits, what was sent, what could not be.
//!
//! Promises: the text of a message is shown to nobody here, and of a message about sealed facts neither recipient nor lot
//! nor what the mail server said, and before its lot is opened not even that there is one; a message that failed can be
//! tried again. Making messages is the ledger's business (in
//! the transaction of their cause), sending them the mailer's.

pub mod changes;
pub mod http;
pub mod model;
pub mod ops;
pub mod queries;
