//! The owner's proof of life, and its ear: a connection that holds an advisory lock and listens.
//!
//! The lock is one of the session, so it ends with the connection, however that ends. When the connection breaks and the process
//! lives, it connects again and takes the lock again; jobs that were taken over meanwhile (silent too long as well) are lost to it, as
//! their epochs tell.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::select;
use mosaic_core::StoreError;
use mosaic_core::queue::Bell;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sqlx::{PgPool, Row as _};
use tokio::sync::oneshot;

use super::fault::told;

/// Between two tries to connect, or to take the lock.
const AGAIN: Duration = Duration::from_secs(1);

/// Held by the store: dropped, the presence ends.
#[derive(Debug)]
pub(super) struct Presence {
    end: Option<oneshot::Sender<()>>,
    ended: Option<oneshot::Receiver<()>>,
}

impl Presence {
    /// Gives the lock back and waits until that is done.
    pub(super) async fn end(mut self) {
        drop(self.end.take());
        if let Some(ended) = self.ended.take() {
            let _ = ended.await;
        }
    }
}

/// Takes the owner's lock and begins to listen; then stays in the background.
pub(super) async fn begin(
    connect: PgConnectOptions,
    patience: Duration,
    owner: Arc<str>,
    channel: String,
    bell: Bell,
    store: &str,
) -> Result<Presence, StoreError> {
    let options = PgPoolOptions::new().max_connections(1).max_lifetime(None).idle_timeout(None);
    let pool = options.acquire_timeout(patience).connect_lazy_with(connect);
    let mut present = Present { pool, owner, channel, bell, locked: false };
    let listener = present.connect().await.map_err(|error| told(store, "connecting", error))?;
    let (end, ending) = oneshot::channel();
    let (done, ended) = oneshot::channel();
    tokio::spawn(async move {
        let pool = present.pool.clone();
        // The sender is dropped, never used.
        select(Box::pin(present.stay(listener)), ending).await;
        pool.close().await;
        let _ = done.send(());
    });
    Ok(Presence { end: Some(end), ended: Some(ended) })
}

struct Present {
    pool: PgPool,
    owner: Arc<str>,
    channel: String,
    bell: Bell,
    locked: bool,
}

impl Present {
    async fn connect(&mut self) -> Result<PgListener, sqlx::Error> {
        let mut listener = PgListener::connect_with(&self.pool).await?;
        listener.listen(&self.channel).await?;
        self.lock(&mut listener).await?;
        Ok(listener)
    }

    /// Not waiting for it: the server may think for a while that our own broken connection lives, and who takes our jobs over
    /// holds the lock for a moment.
    async fn lock(&mut self, listener: &mut PgListener) -> Result<(), sqlx::Error> {
        let query = sqlx::query("SELECT pg_try_advisory_lock(hashtextextended($1, 0))").bind(&*self.owner);
        self.locked = query.fetch_one(listener).await?.try_get(0)?;
        Ok(())
    }

    async fn stay(&mut self, listener: PgListener) {
        let mut listener = Some(listener);
        loop {
            listener = match listener {
                Some(mut connected) => match self.listen(&mut connected).await {
                    Ok(()) => Some(connected),
                    Err(sqlx::Error::PoolClosed) => return,
                    Err(error) => {
                        tracing::warn!(%error, "the connection of the owner's lock broke");
                        None
                    }
                },
                None => {
                    tokio::time::sleep(AGAIN).await;
                    let connected = self.connect().await.ok();
                    if connected.is_some() {
                        self.bell.ring();
                    }
                    connected
                }
            };
        }
    }

    /// Hears one thing.
    async fn listen(&mut self, listener: &mut PgListener) -> Result<(), sqlx::Error> {
        let heard = if self.locked {
            listener.try_recv().await?
        } else {
            match tokio::time::timeout(AGAIN, listener.try_recv()).await {
                Ok(heard) => heard?,
                Err(_) => return self.lock(listener).await,
            }
        };
        // Nothing: the connection broke and was made anew; what was said meanwhile was not heard.
        if heard.is_none() {
            self.lock(listener).await?;
        }
        self.bell.ring();
        Ok(())
    }
}
