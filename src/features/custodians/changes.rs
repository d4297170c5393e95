//! The one write of custodians.

use super::model::CustodianRow;

crate::subject!(CustodianRow, custodians);
