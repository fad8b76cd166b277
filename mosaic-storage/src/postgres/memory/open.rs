//! From a server to a store of memories: pgvector, and the tables.

use std::sync::Arc;

use mosaic_core::StoreError;
use sqlx::PgPool;

use super::schema::{TABLES, TENANTS_OWN};
use crate::postgres::fault::told;
use crate::postgres::options::PostgresOptions;
use crate::postgres::row_security;
use crate::postgres::schema::{Tables, migrate};

/// Makes the tables, or brings them to the newest format. Gives the schema of pgvector, quoted.
pub(super) async fn prepare(
    pool: &PgPool,
    options: &PostgresOptions,
    store: &str,
) -> Result<Arc<str>, StoreError> {
    let vector = extension(pool, store).await?;
    let migrations =
        [format!("{}{}", TABLES.replace("@vector@", &vector), row_security::by_digest(TENANTS_OWN))];
    migrate(pool, options, store, &Tables { meta: "memory_meta", migrations: &migrations }).await?;
    Ok(vector.into())
}

/// Where pgvector is; installed where it is not and we may.
async fn extension(pool: &PgPool, store: &str) -> Result<String, StoreError> {
    const ACTION: &str = "looking for the extension `vector`";
    let find = "SELECT quote_ident(n.nspname), e.extversion FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
                WHERE e.extname = 'vector'";
    let look = || sqlx::query_as::<_, (String, String)>(find).fetch_optional(pool);
    let mut found = look().await.map_err(|error| told(store, ACTION, error))?;
    if found.is_none() {
        let create = sqlx::raw_sql("CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA public");
        let created = create.execute(pool).await;
        // Of two who create it at once one may be told that it is there.
        found = look().await.map_err(|error| told(store, ACTION, error))?;
        if let (None, Err(error)) = (&found, created) {
            let source = format!(
                "{error}; memories in Postgres need pgvector: let somebody who may do so run `CREATE EXTENSION vector`"
            );
            return Err(StoreError::Other { store: store.into(), action: ACTION, source: source.into() });
        }
    }
    match found {
        Some((schema, version)) if reads_on(&version) => Ok(schema),
        other => {
            let version = other.map_or_else(|| "none".to_owned(), |(_, version)| version);
            let source =
                format!("it is {version}, and must be 0.8 or newer (`ALTER EXTENSION vector UPDATE`)");
            Err(StoreError::Other { store: store.into(), action: ACTION, source: source.into() })
        }
    }
}

/// Since 0.8 a scan of an index reads on until enough rows pass a filter.
fn reads_on(version: &str) -> bool {
    let mut numbers = version.split('.').map(|number| number.parse::<u32>().unwrap_or(0));
    let major = numbers.next().unwrap_or(0);
    major > 0 || numbers.next().unwrap_or(0) >= 8
}

#[cfg(test)]
mod tests {
    use super::reads_on;

    #[test]
    fn versions_that_read_on_are_told_from_older_ones() {
        assert!(["0.8.0", "0.8.6", "0.10.0", "1.0.0", "1"].into_iter().all(reads_on));
        assert!(!["0.7.4", "0.5", "", "x"].into_iter().any(reads_on));
    }
}
