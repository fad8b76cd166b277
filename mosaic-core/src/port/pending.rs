//! A request that its host has not answered.

use super::host::Port;
use super::message::RequestId;
use super::table::KeepWaiter;

/// An open request. Dropping it before its end cancels it.
pub(super) struct Pending {
    pub(super) port: Port,
    pub(super) id: RequestId,
    pub(super) ended: bool,
}

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.ended {
            self.port.cancel(self.id, KeepWaiter::No);
        }
    }
}
