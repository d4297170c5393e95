//! Statements that are prepared once for each connection.
//!
//! Diesel prepares some statements anew each time they run, every `UPDATE` and raw SQL among them, because in general
//! their text may differ from one run to the next. Where it cannot, whoever writes the statement says so with [`Kept`].

use std::marker::PhantomData;

use diesel::backend::Backend;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};

/// A statement whose text is always the same, whatever its values; `Id` is a type that names this statement and no other.
pub struct Kept<Id, S> {
    statement: S,
    id: PhantomData<Id>,
}

/// Names the statement that inserts a whole row of this type.
pub struct Insert<Row>(PhantomData<Row>);

/// Names the statement that replaces a row of this type, one version older.
pub struct Update<Row>(PhantomData<Row>);

impl<Id, S> Kept<Id, S> {
    /// Says that `statement` has one text, and that nothing else goes by the name `Id`.
    pub fn new(statement: S) -> Self {
        Self { statement, id: PhantomData }
    }
}

impl<Id: 'static, S> QueryId for Kept<Id, S> {
    type QueryId = Kept<Id, ()>;

    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<Id, S, DB> QueryFragment<DB> for Kept<Id, S>
where
    DB: Backend,
    S: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.statement.walk_ast(out)
    }

    fn is_safe_to_cache_prepared(&self, _backend: &DB) -> QueryResult<bool> {
        Ok(true)
    }
}

impl<Id, S, C> RunQueryDsl<C> for Kept<Id, S> {}

/// Runs a statement as [`Kept`] under a name, on whichever database it is, and returns the number of rows.
#[macro_export]
macro_rules! kept {
    ($conn:expr, $id:ty, $statement:expr) => {
        $crate::on!($conn, c => ::diesel::RunQueryDsl::execute($crate::db::Kept::<$id, _>::new($statement), c))
    };
}
