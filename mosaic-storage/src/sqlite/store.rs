//! The store: opens, asks the writer, reads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mosaic_core::queue::Bell;
use mosaic_core::{
    Flush, Lease, ListOptions, Row, RowStream, Seq, SessionInfo, SessionKey, SessionStore, StoreError,
};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use super::agent_log::SqliteAgentLog;
use super::fault::Doing;
use super::memory::{Index, SqliteMemories};
use super::options::SqliteOptions;
use super::owner::Owner;
use super::plan::{Change, Done};
use super::queue::{Erasure, Request};
use super::reader::Reader;
use super::schema::{self, Unusable};
use super::writer::Writer;

/// Sessions in a SQLite file. See [the module](super).
#[derive(Debug)]
pub struct SqliteStore {
    pub(super) name: Arc<str>,
    pub(super) owner: Arc<str>,
    pub(super) bell: Bell,
    pub(super) queue: mpsc::UnboundedSender<Request>,
    pub(super) reader: Reader,
    index: Arc<Index>,
    closed: AtomicBool,
}

/// So many may read at once; more wait.
const READERS: u32 = 4;

impl SqliteStore {
    /// Opens a database, and makes it if there is none. Needs a tokio runtime; the store must not outlive it.
    ///
    /// # Errors
    /// [`StoreError::Address`], [`StoreError::Corrupt`] (also for the database of another program),
    /// [`StoreError::NewerFormat`], [`StoreError::Locked`], [`StoreError::ReadOnly`], [`StoreError::Full`].
    pub async fn open(options: SqliteOptions) -> Result<Self, StoreError> {
        options.check_path()?;
        let name: Arc<str> = options.name().into();
        let started = Instant::now();
        let (db, owner) = loop {
            match prepare(&options, &name).await {
                Ok(ready) => break ready,
                Err(Unusable::Said(error)) => return Err(error),
                // Some locks of SQLite do not wait for the busy timeout: that of the change to the WAL, for one.
                Err(Unusable::Fault(fault))
                    if fault.is_busy() && started.elapsed() < options.busy_timeout =>
                {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                Err(Unusable::Fault(fault)) => return Err(fault.told(&name, None)),
            }
        };
        let me = owner.id().clone();
        let (queue, requests) = mpsc::unbounded_channel();
        let writer = Writer {
            store: name.clone(),
            db,
            owner,
            durability: options.durability,
            busy_timeout: options.busy_timeout,
            level: None,
            known: Default::default(),
            trusted: false,
            statements: Default::default(),
            unsynced: false,
            scrub: false,
            queue: queue.downgrade(),
        };
        tokio::spawn(writer.run(requests));
        let pool = SqlitePoolOptions::new()
            .max_connections(READERS)
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_lazy_with(connection(&options).read_only(true).row_buffer_size(256));
        Ok(Self {
            reader: Reader { store: name.clone(), pool },
            name,
            owner: me,
            bell: Bell::default(),
            queue,
            index: Arc::new(Index::new(options.memory_index_bytes, options.memory_graph_from)),
            closed: AtomicBool::new(false),
        })
    }

    /// Opens the database at an address: see [`SqliteOptions::from_url`].
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_url(url: &str) -> Result<Self, StoreError> {
        Self::open(SqliteOptions::from_url(url)?).await
    }

    /// The memories in this file. They are there until the store is closed.
    #[must_use]
    pub fn memories(&self) -> SqliteMemories {
        SqliteMemories::new(
            self.name.clone(),
            self.reader.pool.clone(),
            self.queue.clone(),
            self.index.clone(),
        )
    }

    /// The agent logs in this file. They are there until the store is closed.
    #[must_use]
    pub fn agent_log(&self) -> SqliteAgentLog {
        SqliteAgentLog::new(self.name.clone(), self.reader.pool.clone(), self.queue.clone())
    }

    pub(super) fn closed(&self) -> StoreError {
        StoreError::Closed { store: self.name.to_string() }
    }

    pub(super) fn check_open(&self) -> Result<(), StoreError> {
        if self.closed.load(Ordering::Acquire) { Err(self.closed()) } else { Ok(()) }
    }

    /// Asks the writer and waits for the answer.
    async fn ask<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Request,
    ) -> Result<T, StoreError> {
        self.check_open()?;
        let (reply, answer) = oneshot::channel();
        self.queue.send(request(reply)).map_err(|_| self.closed())?;
        answer.await.map_err(|_| self.closed())?
    }

    async fn change(&self, change: Change) -> Result<Done, StoreError> {
        let answer = self.ask(|reply| Request::Change(change, reply)).await?;
        answer.take().ok_or_else(|| self.closed())
    }

    fn strange(&self) -> StoreError {
        let source = "the writer answered another question".into();
        StoreError::Other { store: self.name.to_string(), action: "asking the writer", source }
    }
}

#[async_trait::async_trait]
impl SessionStore for SqliteStore {
    async fn create(&self, key: &SessionKey, rows: Vec<Row>) -> Result<SessionInfo, StoreError> {
        match self.change(Change::Create { key: key.clone(), rows }).await? {
            Done::Made(info) => Ok(info),
            _ => Err(self.strange()),
        }
    }

    async fn find(&self, key: &SessionKey) -> Result<Option<SessionInfo>, StoreError> {
        self.check_open()?;
        self.reader.find(key).await
    }

    async fn list(&self, tenant: &str, options: ListOptions) -> Result<Vec<SessionInfo>, StoreError> {
        self.check_open()?;
        self.reader.list(tenant, options).await
    }

    async fn tenants(&self) -> Result<Vec<Arc<str>>, StoreError> {
        self.check_open()?;
        self.reader.tenants().await
    }

    async fn lease(&self, key: &SessionKey) -> Result<Lease, StoreError> {
        match self.change(Change::Lease { key: key.clone() }).await? {
            Done::Leased(lease) => Ok(lease),
            _ => Err(self.strange()),
        }
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        self.change(Change::Release { lease: lease.clone() }).await.map(|_| ())
    }

    async fn append(
        &self,
        lease: &Lease,
        expected: Seq,
        rows: Vec<Row>,
        flush: Flush,
    ) -> Result<Seq, StoreError> {
        match self.change(Change::Append { lease: lease.clone(), expected, rows, flush }).await? {
            Done::Appended(last) => Ok(last),
            _ => Err(self.strange()),
        }
    }

    async fn read(&self, key: &SessionKey, from: Seq) -> Result<RowStream, StoreError> {
        self.check_open()?;
        Ok(Box::pin(self.reader.read(key, from).await?))
    }

    async fn fork(&self, from: &SessionKey, upto: Seq, to: &SessionKey) -> Result<SessionInfo, StoreError> {
        let (from, to) = (from.clone(), to.clone());
        self.ask(|reply| Request::Fork { from, upto, to, reply }).await
    }

    async fn erase(&self, key: &SessionKey) -> Result<(), StoreError> {
        let (key, held) = (key.clone(), None);
        self.ask(|reply| Request::Erase(Erasure { key, held, reply })).await
    }

    async fn erase_leased(&self, lease: &Lease, expected: Seq) -> Result<(), StoreError> {
        let (key, held) = (lease.key.clone(), Some((lease.clone(), expected)));
        self.ask(|reply| Request::Erase(Erasure { key, held, reply })).await
    }

    async fn close(&self) -> Result<(), StoreError> {
        if self.closed.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        // Readers first: the last connection to go empties the WAL, and that needs one that may write.
        self.reader.pool.close().await;
        let (reply, answer) = oneshot::channel();
        match self.queue.send(Request::Close { reply }) {
            Ok(()) => answer.await.unwrap_or(Ok(())),
            // The writer is gone: with the runtime that it was started in.
            Err(_) => Ok(()),
        }
    }
}

/// What all connections share.
pub(super) fn connection(options: &SqliteOptions) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(&options.path)
        .busy_timeout(options.busy_timeout)
        .statement_cache_capacity(128)
        // Finds a damaged page when it is loaded, rather than when it has done harm.
        .pragma("cell_size_check", "ON")
        .disable_statement_logging()
}

/// Connects the writer, checks the file and brings it to the newest format.
async fn prepare(options: &SqliteOptions, name: &str) -> Result<(SqliteConnection, Owner), Unusable> {
    let connect = connection(options).create_if_missing(true).pragma("secure_delete", "ON");
    let mut db = connect.connect().await.doing("opening it")?;
    match set_up(&mut db, options, name).await {
        Ok(owner) => Ok((db, owner)),
        Err(error) => {
            schema::hang_up(db).await;
            Err(error)
        }
    }
}

async fn set_up(db: &mut SqliteConnection, options: &SqliteOptions, name: &str) -> Result<Owner, Unusable> {
    // Before anything is changed: the file may not be ours.
    schema::inspect(db, name).await?;
    sqlx::raw_sql("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN IMMEDIATE")
        .execute(&mut *db)
        .await
        .doing("preparing it")?;
    schema::migrate(db, name).await?;
    // SQLite begins a transaction on a read-only file without a word; a write tells.
    sqlx::raw_sql("UPDATE meta SET writer = ''").execute(&mut *db).await.doing("preparing it")?;
    let owner = Owner::new(&options.path).map_err(|error| owner_error(error, name))?;
    sqlx::raw_sql("COMMIT").execute(&mut *db).await.doing("preparing it")?;
    if let Some(bytes) = options.max_bytes {
        let pages = format!("PRAGMA max_page_count = {}", bytes / 4096);
        sqlx::raw_sql(AssertSqlSafe(pages)).execute(db).await.doing("preparing it")?;
    }
    Ok(owner)
}

fn owner_error(error: std::io::Error, name: &str) -> StoreError {
    let (store, source) = (name.to_owned(), Box::new(error));
    match source.kind() {
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
            StoreError::ReadOnly { store, source }
        }
        std::io::ErrorKind::StorageFull => StoreError::Full { store, source },
        _ => StoreError::Other { store, action: "making its owner's file", source },
    }
}
