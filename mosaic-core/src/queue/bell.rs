//! Wake-ups.

use tokio::sync::watch;

/// Rung by a store when jobs may have become due.
#[derive(Debug, Clone)]
pub struct Bell(watch::Sender<()>);

impl Default for Bell {
    fn default() -> Self {
        Self(watch::Sender::new(()))
    }
}

impl Bell {
    /// Rings it.
    pub fn ring(&self) {
        self.0.send_replace(());
    }

    /// Listens from now on.
    #[must_use]
    pub fn ear(&self) -> Ear {
        Ear(self.0.subscribe())
    }
}

/// Hears a [`Bell`]. What was rung while nobody waited is heard at once; several rings may be heard as one.
#[derive(Debug, Clone)]
pub struct Ear(watch::Receiver<()>);

impl Ear {
    /// Waits for the bell. For ever, once the bell is gone.
    pub async fn rung(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
