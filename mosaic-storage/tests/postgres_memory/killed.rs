//! Killing a process at a chosen statement: it waits there for rows that somebody else has locked.

use std::process::{Command, Stdio};

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::server::{Database, execute, soon};

/// Where the killed process finds its database.
pub(crate) const DATABASE: &str = "MOSAIC_KILLED_TEST_DATABASE";

/// Makes whoever deletes rows of a table wait in its `COMMIT`: see [`Stop::InCommit`].
pub(crate) async fn commits_wait(database: &Database, table: &str) {
    let text = format!(
        "CREATE FUNCTION public.wait() RETURNS trigger LANGUAGE plpgsql AS
             'BEGIN PERFORM pg_advisory_xact_lock(4711); RETURN NULL; END';
         CREATE CONSTRAINT TRIGGER wait AFTER DELETE ON mosaic.{table}
             DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.wait()"
    );
    execute(&database.superuser, &text).await;
}

/// Where a process is stopped.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stop {
    /// Where it first changes a row of a table.
    AtRowsOf(&'static str),
    /// In its `COMMIT`: the server ends that by itself.
    InCommit,
}

/// Runs a test of this program as a process of its own until it is stopped there, kills it, and waits until the server is done with it.
pub(crate) async fn kill(database: &Database, test: &str, stop: Stop) {
    let mut db = PgConnection::connect(&database.superuser).await.unwrap();
    let mut holder = db.begin().await.unwrap();
    let lock = match stop {
        Stop::AtRowsOf(table) => format!("SELECT 1 FROM mosaic.{table} FOR UPDATE"),
        Stop::InCommit => "SELECT pg_advisory_xact_lock(4711)".to_owned(),
    };
    sqlx::raw_sql(AssertSqlSafe(lock)).execute(&mut *holder).await.unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", test]).env(DATABASE, &database.url).stdout(Stdio::null());
    let mut child = child.spawn().unwrap();
    let waiting = "SELECT count(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND application_name = 'mosaic' AND wait_event_type = 'Lock'";
    let stopped = async {
        while database.ask::<i64>(waiting).await == 0 {
            assert!(child.try_wait().unwrap().is_none(), "it ended and was not stopped at {stop:?}");
        }
    };
    soon(stopped).await;
    child.kill().unwrap();
    child.wait().unwrap();
    holder.rollback().await.unwrap();
    let there = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'mosaic'";
    soon(async { while database.ask::<i64>(there).await > 0 {} }).await;
}
