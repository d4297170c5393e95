//! The one write of mandates.

use super::model::MandateRow;

crate::subject!(MandateRow, mandates);
