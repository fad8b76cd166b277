//! Agent logs in Postgres: the tables of SQLite's (see `sqlite/agent_log`), and the same states.
//!
//! A move is a transaction under an advisory lock of its tenant, so that two moves do not add to one summary at once. Each transaction says
//! whose rows it is about and sees no others ([row-level security](super::row_security)); the one that lists tenants sees all, and changes
//! nothing. Erased is gone from every answer at once, and from the server's files after [`PostgresAgentLog::scrub`].

mod ops;
mod read;
mod store;

pub use store::PostgresAgentLog;

use super::row_security::by_name;
use super::statistics;

/// All tables with rows of tenants.
pub(super) const TENANTS_OWN: &[&str] = &["agent_log", "agent_log_summaries", "agent_log_segments"];

/// What the third format adds: row-level security, and no statistics of columns that tell something.
pub(super) fn keep_apart() -> String {
    let without_statistics = statistics::without(&[
        ("agent_log", "tenant user_name agent session provider name message call"),
        ("agent_log_summaries", "tenant grouped user_name agent totals"),
        ("agent_log_segments", "tenant name body"),
    ]);
    by_name(TENANTS_OWN) + &without_statistics
}

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
