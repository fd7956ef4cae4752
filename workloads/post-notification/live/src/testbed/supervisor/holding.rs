//! What keeps the testbed running, and when it ends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// What keeps the testbed running. Once it is ending nobody can hold it any more.
#[derive(Debug, Default)]
pub(super) struct Holding {
    state: Mutex<State>,
    end: Notify,
}

#[derive(Debug, Default)]
struct State {
    leases: usize,
    kept: bool,
    ending: bool,
}

/// A lease that is held.
#[derive(Debug)]
pub(super) struct Held(Arc<Holding>);

impl Drop for Held {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.leases -= 1;
        if state.leases == 0 && !state.kept {
            // Under the same lock as a new lease: whoever comes now is told that it is too late.
            state.ending = true;
            self.0.end.notify_one();
        }
    }
}

impl Holding {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A lease; `None` when the testbed is ending.
    pub(super) fn lease(self: &Arc<Self>) -> Option<Held> {
        let mut state = self.state();
        if state.ending {
            return None;
        }
        state.leases += 1;
        Some(Held(Arc::clone(self)))
    }

    /// Leases that are held.
    pub(super) fn leases(&self) -> usize {
        self.state().leases
    }

    /// Has the testbed stay without a lease.
    pub(super) fn keep(&self) {
        self.state().kept = true;
    }

    /// Whether it stays without a lease.
    pub(super) fn is_kept(&self) -> bool {
        self.state().kept
    }

    /// From now on nobody can hold it; it ends with [`Self::end`].
    pub(super) fn refuse(&self) {
        self.state().ending = true;
    }

    /// Whether it is ending.
    pub(super) fn is_ending(&self) -> bool {
        self.state().ending
    }

    /// Ends it.
    pub(super) fn end(&self) {
        self.refuse();
        self.end.notify_one();
    }

    /// Waits until it is to end.
    pub(super) async fn ended(&self) {
        self.end.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_joins_what_its_last_lease_has_ended() {
        let holding = Arc::new(Holding::default());
        let (first, second) = (holding.lease().unwrap(), holding.lease().unwrap());
        drop(first);
        assert!(!holding.is_ending());
        let third = holding.lease();
        drop((second, third));
        assert!(holding.is_ending() && holding.lease().is_none());
        assert_eq!(holding.leases(), 0);
    }

    #[test]
    fn what_is_kept_outlives_its_leases_and_not_its_end() {
        let holding = Arc::new(Holding::default());
        let lease = holding.lease();
        holding.keep();
        drop(lease);
        assert!(holding.lease().is_some());
        holding.end();
        assert!(holding.lease().is_none());
    }
}
