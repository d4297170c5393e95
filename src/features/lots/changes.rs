//! Every write of lots.

use super::model::LotRow;

crate::subject!(LotRow, lots);
