//! The one write of looks before the opening.

use super::model::BreakGlassRow;

crate::subject!(BreakGlassRow, break_glasses);
