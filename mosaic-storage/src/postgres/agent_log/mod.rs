//! Agent logs in Postgres: the tables of SQLite's (see `sqlite/agent_log`), and the same states.
//!
//! A move is a transaction under an advisory lock of its tenant, so that two moves do not add to one summary at once. Postgres keeps old
//! versions of rows until `VACUUM`: erased is gone from every answer at once, and from the disk when the server has cleaned up.

mod ops;
mod read;
mod rows;
mod store;

pub use store::PostgresAgentLog;

/// The tables of agent logs.
pub(super) const TABLES: &str = r#"
    CREATE TABLE agent_log (
        tenant text COLLATE "C" NOT NULL,
        id uuid NOT NULL,
        user_name text COLLATE "C",
        agent text COLLATE "C",
        session text COLLATE "C",
        run uuid NOT NULL,
        seq bigint NOT NULL,
        kind text COLLATE "C" NOT NULL,
        at bigint NOT NULL,
        duration bigint NOT NULL,
        provider text COLLATE "C",
        name text COLLATE "C",
        status text COLLATE "C" NOT NULL,
        error text,
        message text,
        input bigint NOT NULL,
        output bigint NOT NULL,
        cached_input bigint NOT NULL,
        cache_write bigint NOT NULL,
        cache_write_1h bigint NOT NULL,
        reasoning bigint NOT NULL,
        cost bigint,
        call text,
        attempt bigint NOT NULL,
        weight bigint NOT NULL,
        PRIMARY KEY (tenant, id)
    );
    CREATE INDEX agent_log_by_user ON agent_log (tenant, user_name, id);
    CREATE INDEX agent_log_by_session ON agent_log (tenant, session, id);
    CREATE INDEX agent_log_by_run ON agent_log (tenant, run, id);
    CREATE TABLE agent_log_summaries (
        tenant text COLLATE "C" NOT NULL,
        day bigint NOT NULL,
        grouped text COLLATE "C" NOT NULL,
        user_name text COLLATE "C",
        agent text COLLATE "C",
        totals text NOT NULL,
        PRIMARY KEY (tenant, day, grouped)
    );
    CREATE TABLE agent_log_segments (
        tenant text COLLATE "C" NOT NULL,
        name text COLLATE "C" NOT NULL,
        day bigint NOT NULL,
        state bigint NOT NULL,
        since bigint,
        body text,
        PRIMARY KEY (tenant, name)
    );
"#;
