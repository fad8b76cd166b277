//! The one thread that calls into Python unasked.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use pyo3::prelude::*;

use super::inbox::Inbox;

/// An inbox waits here at most once, so this bounds the event loops that are woken at one time, not the events. Past
/// it, tokio's workers wait.
const WAKES: usize = 1024;

/// A thread that stays attached to the interpreter (attaching anew costs tens of microseconds) and wakes event loops.
pub(super) struct Dispatcher {
    wakes: Mutex<Option<SyncSender<Arc<Inbox>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Dispatcher {
    pub(super) fn start() -> std::io::Result<Self> {
        let (wakes, woken) = sync_channel(WAKES);
        let thread = Builder::new().name("mosaic-dispatch".into()).spawn(move || run(woken))?;
        Ok(Self { wakes: Mutex::new(Some(wakes)), thread: Mutex::new(Some(thread)) })
    }

    /// Whether the inbox's loop will be woken; not so after the stop.
    pub(super) fn wake(&self, inbox: Arc<Inbox>) -> bool {
        let wakes = self.wakes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        wakes.is_some_and(|wakes| wakes.send(inbox).is_ok())
    }

    /// Ends the thread and waits for that. The caller must not be attached: the thread may need the interpreter.
    pub(super) fn stop(&self) {
        drop(self.wakes.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // An error means that the thread panicked; it is gone either way.
            let _ = thread.join();
        }
    }
}

fn run(mut woken: Receiver<Arc<Inbox>>) {
    Python::attach(|py| {
        loop {
            // Moved in, for a receiver cannot be shared with the detached closure.
            let receiver = &mut woken;
            let Ok(inbox) = py.detach(move || receiver.recv()) else { return };
            inbox.wake_loop(py);
        }
    });
}
