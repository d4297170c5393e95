//! Evaluation: which bids are responsive, what they cost, in which order they stand, and who is awarded.
//!
//! Promises: every opened bid is judged by a person, with a reason where it is rejected or revalued; what is a comparison
//! of two amounts (above the ceiling, below the reserve or asking price) is computed and never judged; the ranking
//! follows from the judgements and the terms alone and is computed anew whenever it is asked for, and the one that the
//! report was filed with is kept with the report. Both the price read out and the evaluated price are shown.
//! Deliberately not here: committees, scores, exchange rates.

pub mod changes;
pub mod http;
pub mod model;
pub mod ops;
pub mod queries;
pub mod standing;
pub mod view;
