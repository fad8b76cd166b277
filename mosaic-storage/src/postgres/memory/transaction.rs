//! A transaction of one tenant: nothing of others can be seen in it.

use std::sync::Arc;

use mosaic_core::memory::{MemoryError, Scope};
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row as _, Transaction};
use uuid::Uuid;

use super::names;
use super::schema::corrupt;
use super::store::Shared;
use crate::postgres::fault::told;
use crate::postgres::row_security::{Sight, begin_seeing};

/// Whom a change keeps from changing things beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lock {
    /// All of the tenant.
    Tenant,
    /// Those who change the same user's memories, and those who change the whole tenant's.
    Part(Uuid),
}

impl Lock {
    /// The narrowest that holds all that may be changed in a scope.
    pub(super) fn of(scope: &Scope) -> Self {
        match &scope.user {
            Some(user) => Self::Part(names::part(&scope.tenant, Some(user))),
            None => Self::Tenant,
        }
    }
}

/// When a change survives a crash of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lasting {
    /// When its commit has returned, if the server is set so.
    Durable,
    /// A moment later.
    Soon,
}

/// A transaction under way. Dropped, it is rolled back.
#[derive(Debug)]
pub(super) struct OfTenant {
    db: Transaction<'static, Postgres>,
    pub(super) store: Arc<str>,
    pub(super) tenant: Uuid,
    /// The schema of pgvector, quoted.
    pub(super) vector: Arc<str>,
}

impl OfTenant {
    /// All of it sees one state of the database.
    pub(super) async fn read(shared: &Shared, scope: &Scope) -> Result<Self, MemoryError> {
        Self::begin(shared, scope, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "").await
    }

    /// Each statement sees what was committed before it. The locks are held to the end.
    pub(super) async fn write(
        shared: &Shared,
        scope: &Scope,
        lock: Lock,
        lasting: Lasting,
    ) -> Result<Self, MemoryError> {
        // Keys of 64 bits out of digests of 128. Where two meet, two wait for each other.
        let number = |key: Uuid| key.as_u64_pair().0.cast_signed();
        let tenant = number(names::tenant(scope));
        let locks = match lock {
            Lock::Tenant => format!("SELECT pg_advisory_xact_lock({tenant})"),
            Lock::Part(part) => format!(
                "SELECT pg_advisory_xact_lock_shared({tenant}); SELECT pg_advisory_xact_lock({})",
                number(part)
            ),
        };
        let then = match lasting {
            Lasting::Durable => locks,
            Lasting::Soon => format!("SET LOCAL synchronous_commit = off; {locks}"),
        };
        Self::begin(shared, scope, "BEGIN", &then).await
    }

    async fn begin(shared: &Shared, scope: &Scope, begin: &str, then: &str) -> Result<Self, MemoryError> {
        let tenant = names::tenant(scope);
        let begun = begin_seeing(&shared.pool, begin, Sight::Digest(tenant), shared.patience, then).await;
        let db = begun.map_err(|error| told(&shared.name, "beginning", error))?;
        Ok(Self { db, store: shared.name.clone(), tenant, vector: shared.vector.clone() })
    }

    pub(super) fn told(&self, action: &'static str, error: sqlx::Error) -> MemoryError {
        told(&self.store, action, error).into()
    }

    /// What a query finds.
    pub(super) async fn rows(
        &mut self,
        mut query: QueryBuilder<Postgres>,
        action: &'static str,
    ) -> Result<Vec<PgRow>, MemoryError> {
        let found = query.build().fetch_all(&mut *self.db).await;
        found.map_err(|error| self.told(action, error))
    }

    /// The same, planned for these values: the server keeps no plan of it. One for all values would read the text of a vector anew
    /// for each row, and use no index of one model.
    pub(super) async fn rows_once(
        &mut self,
        mut query: QueryBuilder<Postgres>,
        action: &'static str,
    ) -> Result<Vec<PgRow>, MemoryError> {
        let found = query.build().persistent(false).fetch_all(&mut *self.db).await;
        found.map_err(|error| self.told(action, error))
    }

    /// Does something, and tells to how many rows.
    pub(super) async fn run(
        &mut self,
        mut query: QueryBuilder<Postgres>,
        action: &'static str,
    ) -> Result<u64, MemoryError> {
        let done = query.build().execute(&mut *self.db).await;
        Ok(done.map_err(|error| self.told(action, error))?.rows_affected())
    }

    /// The connection, for what is read row by row.
    pub(super) fn connection(&mut self) -> &mut sqlx::PgConnection {
        &mut self.db
    }

    /// A column of an answer.
    pub(super) fn get<'r, T>(&self, row: &'r PgRow, column: usize) -> Result<T, MemoryError>
    where
        T: sqlx::Decode<'r, Postgres> + sqlx::Type<Postgres>,
    {
        row.try_get(column).map_err(|error| corrupt(&self.store, error.to_string()))
    }

    pub(super) async fn commit(self) -> Result<(), MemoryError> {
        let Self { db, store, .. } = self;
        db.commit().await.map_err(|error| told(&store, "committing", error).into())
    }
}

/// The beginning of a query.
pub(super) fn sql(text: &str) -> QueryBuilder<Postgres> {
    QueryBuilder::new(text)
}
