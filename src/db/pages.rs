//! Pages of long lists.

/// Narrows a boxed query, ordered by two columns, to what lies beyond a place: a pair of their values. `older` for an order
/// that falls, `newer` for one that rises.
///
/// The first condition is a range of the index over both columns. Without it, with the second alone, a database reads
/// from the beginning of the list to every page.
#[macro_export]
macro_rules! beyond {
    ($query:expr, $first:expr, $second:expr, $place:expr, older) => {
        $crate::beyond!(@ $query, $first, $second, $place, le, lt)
    };
    ($query:expr, $first:expr, $second:expr, $place:expr, newer) => {
        $crate::beyond!(@ $query, $first, $second, $place, ge, gt)
    };
    (@ $query:expr, $first:expr, $second:expr, $place:expr, $up_to:ident, $past:ident) => {{
        let (first, second) = $place;
        $query.filter($first.$up_to(ToOwned::to_owned(&first))).filter($first.$past(first).or($second.$past(second)))
    }};
}

#[cfg(test)]
mod tests {
    use diesel::connection::SimpleConnection;
    use diesel::prelude::*;
    use diesel::sqlite::Sqlite;

    diesel::table! {
        list (id) {
            at -> BigInt,
            id -> Text,
        }
    }

    #[derive(QueryableByName)]
    struct Step {
        #[diesel(sql_type = diesel::sql_types::Text)]
        detail: String,
    }

    fn conn() -> SqliteConnection {
        let mut conn = SqliteConnection::establish(":memory:").expect("opened");
        let rows: Vec<String> = (0..12).map(|n| format!("({}, 'id-{n:02}')", n / 3)).collect();
        conn.batch_execute(&format!(
            "CREATE TABLE list (at BIGINT NOT NULL, id TEXT NOT NULL PRIMARY KEY); CREATE INDEX list_at ON list (at, id); \
             INSERT INTO list (at, id) VALUES {}",
            rows.join(", ")
        ))
        .expect("made");
        conn
    }

    #[test]
    fn pages_lose_nothing_and_repeat_nothing_where_many_lie_at_one_place() {
        let mut conn = conn();
        let (mut falling, mut rising) = (Vec::<(i64, String)>::new(), Vec::<(i64, String)>::new());
        for _ in 0..4 {
            let mut query = list::table.order((list::at.desc(), list::id.desc())).limit(4).into_boxed();
            if let Some(last) = falling.last().cloned() {
                query = crate::beyond!(query, list::at, list::id, last, older);
            }
            falling.extend(query.load::<(i64, String)>(&mut conn).expect("read"));
            let mut query = list::table.order((list::at.asc(), list::id.asc())).limit(4).into_boxed();
            if let Some(last) = rising.last().cloned() {
                query = crate::beyond!(query, list::at, list::id, last, newer);
            }
            rising.extend(query.load::<(i64, String)>(&mut conn).expect("read"));
        }
        let all: Vec<(i64, String)> = (0..12).map(|n| (n / 3, format!("id-{n:02}"))).collect();
        assert_eq!(rising, all);
        falling.reverse();
        assert_eq!(falling, all);
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a plan has no typed form")]
    fn a_page_begins_where_it_begins() {
        let mut conn = conn();
        let query = list::table.order((list::at.desc(), list::id.desc())).limit(4).into_boxed::<Sqlite>();
        let query = crate::beyond!(query, list::at, list::id, (2_i64, "id-07".to_owned()), older);
        let text = diesel::debug_query::<Sqlite, _>(&query).to_string();
        let (text, _) = text.split_once(" -- binds").expect("binds are told apart");
        let plan: Vec<Step> = diesel::sql_query(format!("EXPLAIN QUERY PLAN {text}")).load(&mut conn).expect("planned");
        let plan: Vec<String> = plan.into_iter().map(|step| step.detail).collect();
        assert!(plan.iter().any(|step| step.contains("list_at (at<?)")), "{plan:?}");
    }
}
