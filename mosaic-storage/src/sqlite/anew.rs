//! Writing tables anew, so that no copy of what was deleted is left in the file.
//!
//! SQLite overwrites the cells that it deletes and the pages that it gives up (`secure_delete`), but not the copies that a page keeps between
//! its cells when rows were moved from it to another: when it was split, joined, or rebuilt. Such copies are of rows that were there then,
//! whosever they are; only giving the page up takes them away. So whatever promises to leave no trace moves the rows that stay to new pages.
//!
//! | | |
//! | --- | --- |
//! | all or nothing | it is part of the transaction that deletes: a crash or a full disk undoes both |
//! | readers | go on with what they see (WAL); other writers wait |
//! | cost | that of writing the tables: the WAL grows by about twice their size until it is emptied, the file by a few pages |
//!
//! `VACUUM` would do it too. It writes everything that is in the file, not only the tables concerned, wants room for a second file, and
//! cannot be part of a transaction.

use sqlx::{AssertSqlSafe, SqliteConnection};

use super::fault::{Doing, Fault};

const ACTION: &str = "writing tables anew";

/// So many rows are moved at once: the file grows by no more, so that there is room for it when there is room for nothing else.
const STEP: i64 = 32;

/// Moves all rows of some tables to new pages, within the transaction of the caller, and gives the old pages up.
pub(super) async fn write_anew(db: &mut SqliteConnection, tables: &[&str]) -> Result<(), Fault> {
    // Else renaming looks into every view, and there is one that names a table which is not there just then. Left so after a failure it
    // does no harm: nothing else is renamed here.
    run(db, "PRAGMA legacy_alter_table = ON").await?;
    for table in tables {
        one(db, table).await?;
    }
    run(db, "PRAGMA legacy_alter_table = OFF").await
}

async fn one(db: &mut SqliteConnection, table: &str) -> Result<(), Fault> {
    let made = sqlx::query_as::<_, (String, String, String)>(
        "SELECT type, name, sql FROM sqlite_schema WHERE tbl_name = ? AND sql IS NOT NULL ORDER BY type <> 'table', rowid",
    );
    let made = made.bind(table).fetch_all(&mut *db).await.doing(ACTION)?;
    let Some(((_, _, create), beside)) = made.split_first() else { return Ok(()) };
    let numbers = if create.contains("AUTOINCREMENT") { numbers(db, table).await? } else { None };
    let kept = format!("{table}_kept");
    run(db, create.replacen(table, &kept, 1)).await?;
    // Indexes need not follow, and triggers must not: nothing is added or removed.
    for (kind, name, _) in beside {
        run(db, format!("DROP {kind} \"{name}\"")).await?;
    }
    if create.contains("WITHOUT ROWID") {
        run(db, format!("INSERT INTO {kept} SELECT * FROM {table}")).await?;
    } else {
        move_rows(db, table, &kept).await?;
    }
    run(db, format!("DROP TABLE {table}")).await?;
    run(db, format!("ALTER TABLE {kept} RENAME TO {table}")).await?;
    for (_, _, create) in beside {
        run(db, create.clone()).await?;
    }
    if let Some(newest) = numbers {
        count_on(db, table, newest).await?;
    }
    Ok(())
}

async fn move_rows(db: &mut SqliteConnection, table: &str, kept: &str) -> Result<(), Fault> {
    let last = format!("SELECT max(rowid) FROM (SELECT rowid FROM {table} ORDER BY rowid LIMIT {STEP})");
    let copy = format!("INSERT INTO {kept} SELECT * FROM {table} WHERE rowid <= ? ORDER BY rowid");
    let remove = format!("DELETE FROM {table} WHERE rowid <= ?");
    loop {
        let last = sqlx::query_scalar::<_, Option<i64>>(AssertSqlSafe(last.clone())).persistent(false);
        let Some(last) = last.fetch_one(&mut *db).await.doing(ACTION)? else { return Ok(()) };
        for text in [&copy, &remove] {
            let moved = sqlx::query(AssertSqlSafe(text.clone())).persistent(false).bind(last);
            moved.execute(&mut *db).await.doing(ACTION)?;
        }
    }
}

/// The newest number that was given; the row with it may be gone.
async fn numbers(db: &mut SqliteConnection, table: &str) -> Result<Option<i64>, Fault> {
    let text = "SELECT seq FROM sqlite_sequence WHERE name = ?";
    sqlx::query_scalar(text).bind(table).fetch_optional(db).await.doing(ACTION)
}

/// Goes on counting where it was: numbers are never given twice.
async fn count_on(db: &mut SqliteConnection, table: &str, newest: i64) -> Result<(), Fault> {
    for text in [
        "DELETE FROM sqlite_sequence WHERE name = ?1",
        "INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)",
    ] {
        sqlx::query(text).bind(table).bind(newest).execute(&mut *db).await.doing(ACTION)?;
    }
    Ok(())
}

async fn run(db: &mut SqliteConnection, text: impl Into<String>) -> Result<(), Fault> {
    sqlx::raw_sql(AssertSqlSafe(text.into())).execute(db).await.doing(ACTION)?;
    Ok(())
}
