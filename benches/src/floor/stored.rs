//! C with its messages in SQLite: a row a message, a transaction a turn.

use std::path::Path;

use rusqlite::Connection;

use super::client::Client;
use super::turns;
use super::wire::Message;
use crate::Result;
use crate::disk;
use crate::measure::{Measured, Meter};
use crate::scenario::{self, check};

/// When SQLite waits for the disk.
#[derive(Debug, Clone, Copy)]
pub(super) enum Synchronous {
    /// At a checkpoint: what is committed survives the process, not a power cut.
    Normal,
    /// At every commit.
    Full,
}

pub(super) async fn tool_turns(url: &str, synchronous: Synchronous) -> Result<Measured> {
    let client = Client::new(url)?;
    turns::turn(&client, scenario::TOOL_MODEL, &mut turns::conversation(), 0).await?;
    let folder = tempfile::tempdir()?;
    let mut database = open(&folder.path().join("floor.db"), synchronous)?;
    let mut messages = turns::conversation();
    let meter = Meter::start();
    for number in 0..scenario::TURNS {
        let before = messages.len();
        turns::turn(&client, scenario::TOOL_MODEL, &mut messages, number).await?;
        save(&mut database, before, messages.get(before..).unwrap_or_default())?;
    }
    let measured = meter.stop(scenario::TURNS);
    let rows: i64 = database.query_row("SELECT count(*) FROM message", [], |row| row.get(0))?;
    check("rows", rows as u64, 4 * scenario::TURNS)?;
    let open_bytes = disk::bytes(folder.path())?;
    database.close().map_err(|(_, error)| error)?;
    Ok(measured
        .with("disk_bytes", disk::bytes(folder.path())? as f64)
        .with("disk_open_bytes", open_bytes as f64))
}

fn open(path: &Path, synchronous: Synchronous) -> Result<Connection> {
    let database = Connection::open(path)?;
    database.pragma_update(None, "journal_mode", "wal")?;
    let word = match synchronous {
        Synchronous::Normal => "normal",
        Synchronous::Full => "full",
    };
    database.pragma_update(None, "synchronous", word)?;
    database.execute(
        "CREATE TABLE message (session TEXT, seq INTEGER, body BLOB, PRIMARY KEY (session, seq)) WITHOUT ROWID",
        [],
    )?;
    Ok(database)
}

fn save(database: &mut Connection, first: usize, messages: &[Message]) -> Result<()> {
    let transaction = database.transaction()?;
    {
        let mut insert = transaction.prepare_cached("INSERT INTO message VALUES (?1, ?2, ?3)")?;
        for (offset, message) in messages.iter().enumerate() {
            let body = serde_json::to_vec(message)?;
            insert.execute(rusqlite::params!["default/bench", (first + offset) as i64, body])?;
        }
    }
    transaction.commit()?;
    Ok(())
}
