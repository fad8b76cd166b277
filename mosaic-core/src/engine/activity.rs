//! What runs, so that closing can wait for it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::id::CallId;
use crate::session::SessionError;

/// What runs. Drivers enter; closing waits until all have left.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    state: Mutex<State>,
    left: Notify,
}

#[derive(Debug, Default)]
struct State {
    active: usize,
    closed: bool,
    abandoned: Vec<CallId>,
}

/// What was found when Mosaic was closed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct CloseReport {
    /// Calls that were cancelled and did not stop. Their threads or tasks may still be at work.
    pub abandoned: Vec<CallId>,
}

impl Activity {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fails when Mosaic is closed.
    pub(crate) fn check(&self) -> Result<(), SessionError> {
        if self.lock().closed { Err(SessionError::Closed) } else { Ok(()) }
    }

    /// Something begins to run, until the guard is dropped.
    pub(crate) fn enter(self: &Arc<Self>) -> Result<Active, SessionError> {
        let mut state = self.lock();
        if state.closed {
            return Err(SessionError::Closed);
        }
        state.active += 1;
        Ok(Active(self.clone()))
    }

    /// A call was cancelled and did not stop.
    pub(crate) fn abandoned(&self, call: &CallId) {
        self.lock().abandoned.push(call.clone());
    }

    /// Takes no more work and waits until nothing runs.
    pub(crate) async fn close(&self) -> CloseReport {
        loop {
            let left = std::pin::pin!(self.left.notified());
            let mut left = left;
            left.as_mut().enable();
            {
                let mut state = self.lock();
                state.closed = true;
                if state.active == 0 {
                    return CloseReport { abandoned: std::mem::take(&mut state.abandoned) };
                }
            }
            left.await;
        }
    }
}

/// Something runs.
#[derive(Debug)]
pub(crate) struct Active(Arc<Activity>);

impl Drop for Active {
    fn drop(&mut self) {
        self.0.lock().active -= 1;
        self.0.left.notify_waiters();
    }
}
