//! Jobs in the file of the sessions.
//!
//! Changes go through the one writer of the store, in groups: what waits while one commit is under way shares the next. Reading has
//! the readers.
//!
//! An owner is an open store, and lives as long as its lock on a file does ([`super::owner`]): the system lets go of it when the
//! process dies, however it dies. So a claim takes the jobs of a dead process at once, and never those of a living one, however long
//! that was silent.
//!
//! There is no bell between processes: a worker looks every `QueueOptions::poll`.

mod ops;
mod store;

/// The tables of jobs.
pub(super) const TABLES: &str = "
    CREATE TABLE jobs (
        id TEXT PRIMARY KEY NOT NULL,
        tenant TEXT NOT NULL,
        kind TEXT NOT NULL,
        state INTEGER NOT NULL,
        priority INTEGER NOT NULL,
        run_at INTEGER NOT NULL,
        attempt INTEGER NOT NULL,
        max_attempts INTEGER NOT NULL,
        epoch INTEGER NOT NULL,
        owner TEXT,
        visible_until INTEGER,
        created INTEGER NOT NULL,
        dedup TEXT,
        until_start INTEGER NOT NULL,
        held TEXT,
        rules TEXT NOT NULL,
        payload TEXT NOT NULL,
        error TEXT
    ) STRICT;
    CREATE UNIQUE INDEX jobs_by_key ON jobs (tenant, kind, held) WHERE held IS NOT NULL;
    CREATE INDEX jobs_due ON jobs (priority DESC, run_at, id) WHERE state = 0;
    CREATE INDEX jobs_next ON jobs (kind, run_at) WHERE state = 0;
    CREATE INDEX jobs_running ON jobs (owner) WHERE state = 1;
    CREATE TABLE job_pauses (kind TEXT PRIMARY KEY NOT NULL) STRICT;
    CREATE TABLE schedules (
        tenant TEXT NOT NULL,
        name TEXT NOT NULL,
        times TEXT NOT NULL,
        definition TEXT NOT NULL,
        next INTEGER NOT NULL,
        PRIMARY KEY (tenant, name)
    ) STRICT;
";
