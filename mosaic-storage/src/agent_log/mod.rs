//! Agent logs as the databases have them: the statements and the rows that SQLite and Postgres have in common.
//!
//! What is asked and what is read is the same text and the same columns in both; what differs is how a value is bound and read, and what one
//! column is called: [`Dialect`]. Changes are written out for each, for their statements are run one by one, and sqlx has no one
//! connection for all databases.

mod answer;
mod query;
mod rows;

pub(crate) use answer::{Answer, from_json};
pub(crate) use query::{hot, push_scope, rows, segments, summaries, tenants, totals};
pub(crate) use rows::push_rows;

use sqlx::{Database, QueryBuilder, Row as _};
use uuid::Uuid;

/// The states of a name in the register of segments.
pub(crate) const ANNOUNCED: i64 = 0;
pub(crate) const SEALED: i64 = 1;
pub(crate) const CONDEMNED: i64 = 2;

/// A value that is bound.
pub(crate) enum Value {
    Text(Option<String>),
    Number(Option<i64>),
    Uuid(Uuid),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(Some(number.into()))
    }
}

/// What a database does in its own way.
pub(crate) trait Dialect: Database {
    /// The column of users.
    const USER: &'static str;

    fn push(query: &mut QueryBuilder<Self>, value: Value);
    fn text(row: &Self::Row, column: usize) -> Result<Option<&str>, sqlx::Error>;
    fn number(row: &Self::Row, column: usize) -> Result<Option<i64>, sqlx::Error>;
    fn uuid(row: &Self::Row, column: usize) -> Result<Uuid, sqlx::Error>;
}

/// Each of these is one call, of the same name in all databases; only the compiler cannot know that of a database in general.
macro_rules! dialect {
    ($database:ty, $user:literal) => {
        impl Dialect for $database {
            const USER: &'static str = $user;

            fn push(query: &mut QueryBuilder<Self>, value: Value) {
                match value {
                    Value::Text(text) => query.push_bind(text),
                    Value::Number(number) => query.push_bind(number),
                    Value::Uuid(uuid) => query.push_bind(uuid),
                };
            }
            fn text(row: &Self::Row, column: usize) -> Result<Option<&str>, sqlx::Error> {
                row.try_get(column)
            }
            fn number(row: &Self::Row, column: usize) -> Result<Option<i64>, sqlx::Error> {
                row.try_get(column)
            }
            fn uuid(row: &Self::Row, column: usize) -> Result<Uuid, sqlx::Error> {
                row.try_get(column)
            }
        }
    };
}

#[cfg(feature = "sqlite")]
dialect!(sqlx::Sqlite, "user");
#[cfg(feature = "postgres")]
dialect!(sqlx::Postgres, "user_name");
