//! Every write of opening sessions, outcomes and objections.

use super::model::{ObjectionRow, OpeningRow, UnsealingRow};

crate::subject!(OpeningRow, openings);
crate::subject!(UnsealingRow, unsealings);
crate::subject!(ObjectionRow, objections);
