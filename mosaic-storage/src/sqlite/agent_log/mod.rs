//! Agent logs in the SQLite file, beside the sessions.
//!
//! | table | holds |
//! | --- | --- |
//! | `agent_log` | the rows, by tenant and time: their ids are in the order of their times |
//! | `agent_log_summaries` | what rows that have left came to, a line a group |
//! | `agent_log_segments` | the register of segments: 0 announced, 1 sealed, 2 condemned |
//!
//! Changes go through the one writer of the store, in the groups of the jobs; each is a savepoint, so one that does not fit changes
//! nothing. Reading has the readers.
//!
//! Erasing writes these tables anew: see [`anew`](super::anew).

mod erase;
mod ops;
mod read;
mod store;

pub use store::SqliteAgentLog;

/// The tables of agent logs.
pub(super) const TABLES: &str = "
    CREATE TABLE agent_log (
        tenant TEXT NOT NULL,
        id BLOB NOT NULL,
        user TEXT,
        agent TEXT,
        session TEXT,
        run BLOB NOT NULL,
        seq INTEGER NOT NULL,
        kind TEXT NOT NULL,
        at INTEGER NOT NULL,
        duration INTEGER NOT NULL,
        provider TEXT,
        name TEXT,
        status TEXT NOT NULL,
        error TEXT,
        message TEXT,
        input INTEGER NOT NULL,
        output INTEGER NOT NULL,
        cached_input INTEGER NOT NULL,
        cache_write INTEGER NOT NULL,
        cache_write_1h INTEGER NOT NULL,
        reasoning INTEGER NOT NULL,
        cost INTEGER,
        call TEXT,
        attempt INTEGER NOT NULL,
        weight INTEGER NOT NULL,
        PRIMARY KEY (tenant, id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX agent_log_by_user ON agent_log (tenant, user, id);
    CREATE INDEX agent_log_by_session ON agent_log (tenant, session, id);
    CREATE INDEX agent_log_by_run ON agent_log (tenant, run, id);
    CREATE TABLE agent_log_summaries (
        tenant TEXT NOT NULL,
        day INTEGER NOT NULL,
        grouped TEXT NOT NULL,
        user TEXT,
        agent TEXT,
        totals TEXT NOT NULL,
        PRIMARY KEY (tenant, day, grouped)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE agent_log_segments (
        tenant TEXT NOT NULL,
        name TEXT NOT NULL,
        day INTEGER NOT NULL,
        state INTEGER NOT NULL,
        since INTEGER,
        body TEXT,
        PRIMARY KEY (tenant, name)
    ) STRICT, WITHOUT ROWID;
";
