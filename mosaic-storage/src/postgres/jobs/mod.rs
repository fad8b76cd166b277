//! Jobs: tables, statements, and the store as a store of jobs.

mod ops;
mod store;

use super::statistics;

/// What the fourth format adds: no statistics of columns that tell something.
pub(super) fn without_statistics() -> String {
    statistics::without(&[
        ("jobs", "tenant dedup held payload error"),
        ("schedules", "tenant name definition"),
    ])
}

/// The tables of jobs.
pub(super) const TABLES: &str = r#"
    CREATE TABLE jobs (
        id uuid PRIMARY KEY,
        tenant text COLLATE "C" NOT NULL,
        kind text COLLATE "C" NOT NULL,
        state smallint NOT NULL,
        priority integer NOT NULL,
        run_at bigint NOT NULL,
        attempt integer NOT NULL,
        max_attempts integer NOT NULL,
        epoch bigint NOT NULL,
        owner text COLLATE "C",
        visible_until bigint,
        created bigint NOT NULL,
        dedup text COLLATE "C",
        until_start boolean NOT NULL,
        held text COLLATE "C",
        rules text NOT NULL,
        payload text NOT NULL,
        error text
    );
    CREATE UNIQUE INDEX jobs_by_key ON jobs (tenant, kind, held) WHERE held IS NOT NULL;
    CREATE INDEX jobs_due ON jobs (priority DESC, run_at, id) WHERE state = 0;
    CREATE INDEX jobs_next ON jobs (kind, run_at) WHERE state = 0;
    CREATE INDEX jobs_running ON jobs (visible_until) WHERE state = 1;
    CREATE TABLE job_pauses (kind text COLLATE "C" PRIMARY KEY);
    CREATE TABLE schedules (
        tenant text COLLATE "C" NOT NULL,
        name text COLLATE "C" NOT NULL,
        times text NOT NULL,
        definition text NOT NULL,
        next bigint NOT NULL,
        PRIMARY KEY (tenant, name)
    );
"#;
