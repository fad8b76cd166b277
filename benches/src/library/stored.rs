//! C with its log in SQLite.

use std::sync::Arc;

use mosaic_storage::{Durability, SqliteOptions, SqliteStore};

use super::setup::{Models, engine, messages, turn};
use crate::Result;
use crate::disk;
use crate::measure::{Measured, Meter};
use crate::scenario::{self, check};

pub(super) async fn tool_turns(url: &str, durability: Durability) -> Result<Measured> {
    let folder = tempfile::tempdir()?;
    let options = SqliteOptions::new(folder.path().join("mosaic.db")).durability(durability);
    let engine = engine(Arc::new(SqliteStore::open(options).await?));
    let agent = Models::new(url)?.agent(scenario::TOOL_MODEL)?;
    // The connection is there before the measured part.
    let warm = engine.session("warm", &agent).await?;
    turn(&warm, 0).await?;
    let session = engine.session("bench", &agent).await?;
    let meter = Meter::start();
    for number in 0..scenario::TURNS {
        turn(&session, number).await?;
    }
    let measured = meter.stop(scenario::TURNS);
    check("messages", messages(&session).await?, 4 * scenario::TURNS)?;
    let open_bytes = disk::bytes(folder.path())?;
    drop((warm, session));
    engine.close().await?;
    Ok(measured
        .with("disk_bytes", disk::bytes(folder.path())? as f64)
        .with("disk_open_bytes", open_bytes as f64))
}
