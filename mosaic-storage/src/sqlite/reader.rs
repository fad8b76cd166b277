//! Reading, on connections of its own.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt, stream};
use mosaic_core::{ListOptions, Row, Seq, SessionInfo, SessionKey, StoreError, Timestamp};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqlitePool};

use super::fault::Doing;
use super::schema::{from_sql, to_sql};
use crate::rules;

/// A page has at most so many rows ...
const PAGE_ROWS: u32 = 512;

/// ... and ends after so many bytes, so that large entries do not pile up.
const PAGE_BYTES: usize = 4 << 20;

/// What `find` and `list` ask of a session `s`.
macro_rules! info {
    ($which:literal) => {
        concat!(
            "SELECT s.id, s.name, l.seq, l.at, (SELECT at FROM entries WHERE session = s.id AND seq = 1)
             FROM sessions s JOIN entries l
             ON l.session = s.id AND l.seq = (SELECT max(seq) FROM entries WHERE session = s.id)
             WHERE s.tenant = ?",
            $which
        )
    };
}

/// Reads.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    pub(super) store: Arc<str>,
    pub(super) pool: SqlitePool,
}

impl Reader {
    pub(super) async fn find(&self, key: &SessionKey) -> Result<Option<SessionInfo>, StoreError> {
        Ok(self.head(key).await?.map(|(_, info)| info))
    }

    /// A session's number, and what is known of it.
    async fn head(&self, key: &SessionKey) -> Result<Option<(i64, SessionInfo)>, StoreError> {
        let query = sqlx::query(info!(" AND s.name = ?")).bind(&*key.tenant).bind(&*key.name);
        let row = query.fetch_optional(&self.pool).await;
        let row = row.doing("looking up a session").map_err(|fault| fault.told(&self.store, None))?;
        row.map(|row| self.info(&key.tenant, &row)).transpose()
    }

    pub(super) async fn list(
        &self,
        tenant: &str,
        options: ListOptions,
    ) -> Result<Vec<SessionInfo>, StoreError> {
        let tenant: Arc<str> = tenant.into();
        // The names with a prefix stand together, from the prefix itself on.
        let after = options.after.filter(|after| *after >= options.prefix);
        let query = match &after {
            Some(after) => {
                sqlx::query(info!(" AND s.name > ? ORDER BY s.name LIMIT ?")).bind(&*tenant).bind(after)
            }
            None => sqlx::query(info!(" AND s.name >= ? ORDER BY s.name LIMIT ?"))
                .bind(&*tenant)
                .bind(&options.prefix),
        };
        let rows = query.bind(i64::from(options.limit)).fetch_all(&self.pool).await;
        let rows = rows.doing("listing sessions").map_err(|fault| fault.told(&self.store, None))?;
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            let (_, info) = self.info(&tenant, row)?;
            if !info.key.name.starts_with(&options.prefix) {
                break;
            }
            found.push(info);
        }
        Ok(found)
    }

    pub(super) async fn tenants(&self) -> Result<Vec<Arc<str>>, StoreError> {
        // Each is found by a look into the index: sessions are many, tenants are not.
        let query = sqlx::query(
            "WITH RECURSIVE found (tenant) AS (
                 SELECT min(tenant) FROM sessions
                 UNION ALL
                 SELECT (SELECT min(tenant) FROM sessions s WHERE s.tenant > found.tenant)
                 FROM found WHERE found.tenant IS NOT NULL
             )
             SELECT tenant FROM found WHERE tenant IS NOT NULL ORDER BY tenant",
        );
        let rows = query.fetch_all(&self.pool).await;
        let rows = rows.doing("listing tenants").map_err(|fault| fault.told(&self.store, None))?;
        let names = rows.iter().map(|row| row.try_get::<&str, _>(0).map(Arc::from));
        names.collect::<Result<_, _>>().map_err(|error| self.corrupt(None, error.to_string()))
    }

    fn info(&self, tenant: &Arc<str>, row: &SqliteRow) -> Result<(i64, SessionInfo), StoreError> {
        let parts = || {
            let at = |column: usize| row.try_get::<i64, _>(column).map(|at| Timestamp(at.cast_unsigned()));
            let info = SessionInfo {
                key: SessionKey::of(tenant.clone(), row.try_get::<&str, _>(1)?),
                last: from_sql(row.try_get(2)?),
                updated: at(3)?,
                created: at(4)?,
            };
            Ok((row.try_get(0)?, info))
        };
        parts().map_err(|error: sqlx::Error| self.corrupt(None, error.to_string()))
    }

    /// The rows of a session from a number on, page by page. No connection is held between two pages, so a slow reader is in
    /// nobody's way.
    pub(super) async fn read(
        &self,
        key: &SessionKey,
        from: Seq,
    ) -> Result<impl Stream<Item = Result<Row, StoreError>> + Send + 'static, StoreError> {
        let (session, info) = self.head(key).await?.ok_or_else(|| rules::not_found(&self.store, key))?;
        let pages = Pages {
            reader: self.clone(),
            key: key.clone(),
            session,
            next: from.max(Seq(1)),
            last: info.last,
        };
        Ok(stream::try_unfold(pages, Pages::next).try_flatten())
    }

    fn corrupt(&self, at: Option<Seq>, reason: String) -> StoreError {
        StoreError::Corrupt { store: self.store.to_string(), at, reason }
    }
}

struct Pages {
    reader: Reader,
    key: SessionKey,
    session: i64,
    next: Seq,
    /// The last number when reading began: so far there must be rows.
    last: Seq,
}

type Page = stream::Iter<std::collections::vec_deque::IntoIter<Result<Row, StoreError>>>;

impl Pages {
    async fn next(mut self) -> Result<Option<(Page, Self)>, StoreError> {
        if self.next > self.last {
            return Ok(None);
        }
        let rows = self.page().await?;
        if rows.is_empty() {
            return Err(self.missing().await);
        }
        Ok(Some((stream::iter(rows), self)))
    }

    async fn page(&mut self) -> Result<VecDeque<Result<Row, StoreError>>, StoreError> {
        let fault = |error, at| {
            Err(error).doing("reading entries").map_err(|fault| fault.told(&self.reader.store, Some(at)))
        };
        let query = sqlx::query(
            "SELECT seq, v, kind, at, body FROM entries WHERE session = ? AND seq BETWEEN ? AND ? ORDER BY seq LIMIT ?",
        );
        let mut found = query
            .bind(self.session)
            .bind(to_sql(self.next))
            .bind(to_sql(self.last))
            .bind(PAGE_ROWS)
            .fetch(&self.reader.pool);
        let (mut rows, mut bytes, mut next) = (VecDeque::new(), 0, self.next);
        loop {
            match found.try_next().await {
                Ok(Some(row)) => {
                    let row =
                        row_of(&row).map_err(|error| self.reader.corrupt(Some(next), error.to_string()))?;
                    if row.seq != next {
                        let reason = format!("entry {next} is missing: {} follows", row.seq);
                        rows.push_back(Err(self.reader.corrupt(Some(next), reason)));
                        break;
                    }
                    bytes += row.bytes.len();
                    next = next.next();
                    rows.push_back(Ok(row));
                    if bytes > PAGE_BYTES {
                        break;
                    }
                }
                Ok(None) => break,
                // What could be read is given first.
                Err(error) => {
                    rows.push_back(fault(error, next));
                    break;
                }
            }
        }
        drop(found);
        self.next = next;
        Ok(rows)
    }

    /// Why there is no row where one must be: the session was erased meanwhile, or rows are gone.
    async fn missing(&self) -> StoreError {
        match self.reader.head(&self.key).await {
            Err(error) => error,
            Ok(Some((session, info))) if session == self.session => {
                let reason = format!("entry {} is missing, the log goes on to {}", self.next, info.last);
                self.reader.corrupt(Some(self.next), reason)
            }
            Ok(_) => rules::not_found(&self.reader.store, &self.key),
        }
    }
}

fn row_of(row: &SqliteRow) -> Result<Row, sqlx::Error> {
    let v: i64 = row.try_get(1)?;
    Ok(Row {
        seq: from_sql(row.try_get(0)?),
        v: u16::try_from(v).map_err(|error| sqlx::Error::Decode(error.into()))?,
        kind: row.try_get::<String, _>(2)?.into(),
        at: Timestamp(row.try_get::<i64, _>(3)?.cast_unsigned()),
        bytes: Bytes::from(row.try_get::<Vec<u8>, _>(4)?),
    })
}
