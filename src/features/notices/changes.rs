//! Every write of notices.

use super::model::NoticeRow;

crate::subject!(NoticeRow, notices, stateless);
