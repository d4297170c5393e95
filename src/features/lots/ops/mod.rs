//! Use cases of lots: registering one, and every act of its machine.

mod act;
mod register;

pub use act::{Act, act, advance};
pub use register::{check_terms, edit, register, retender};
