//! Turns at what is shared within one driver.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;

/// Who does something with a shared thing, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Turns(Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<()>>>>);

impl Turns {
    /// Waits until nobody else has any of the things.
    pub(crate) async fn take(&self, things: &[String]) -> Vec<OwnedMutexGuard<()>> {
        // In one order, so that nobody waits for somebody who waits for them.
        let mut things: Vec<&String> = things.iter().collect();
        things.sort();
        things.dedup();
        let mut taken = Vec::with_capacity(things.len());
        for thing in things {
            let one =
                Arc::clone(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(thing.clone()).or_default());
            taken.push(one.lock_owned().await);
        }
        taken
    }
}
