//! Every write of evaluations and reports.

use super::model::{EvaluationRow, ReportRow};

crate::subject!(EvaluationRow, evaluations);
crate::subject!(ReportRow, reports);
