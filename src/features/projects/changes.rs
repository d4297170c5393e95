//! Every write of projects: one subject.

use super::model::ProjectRow;

crate::subject!(ProjectRow, projects);
