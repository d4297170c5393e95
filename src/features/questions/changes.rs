//! Every write of questions: one subject.

use super::model::QuestionRow;

crate::subject!(QuestionRow, questions);
