//! Every write of documents: the documents themselves, and who fetched them first.

use super::model::{DocumentRow, FollowerRow};

crate::subject!(DocumentRow, documents);
crate::subject!(FollowerRow, followers, stateless);
