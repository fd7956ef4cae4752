//! What a function instance brings to the application: a clock, randomness and its identity.

use std::cell::Cell;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use matrix_app::writer::Instance;
use matrix_app::{Clock, Entropy, LineageId, Micros};

/// The clock of one invocation: the system's time at its start, carried on by a clock that never jumps. An instance may be
/// frozen between invocations, so each invocation starts one anew.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    epoch: Micros,
    start: Instant,
}

impl SystemClock {
    /// Starts the clock of an invocation.
    #[must_use]
    pub fn start() -> Self {
        // A system time before 1970 is no time at all; the rows will show it.
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { epoch: Micros(0) + micros(since_epoch), start: Instant::now() }
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

impl Clock for SystemClock {
    fn now(&self) -> Micros {
        self.epoch + micros(self.start.elapsed())
    }

    async fn sleep_until(&self, at: Micros) {
        let left = u64::try_from(at - self.now()).unwrap_or(0);
        if left > 0 {
            tokio::time::sleep(Duration::from_micros(left)).await;
        }
    }
}

/// Identities of lineages: the system's randomness at the start of the instance, then a count that is mixed into it.
#[derive(Debug)]
pub struct SystemEntropy {
    high: u64,
    low: u64,
    next: Cell<u64>,
}

impl SystemEntropy {
    /// Takes its seed from the system.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn new() -> Result<Self, getrandom::Error> {
        Ok(Self { high: getrandom::u64()?, low: getrandom::u64()?, next: Cell::new(getrandom::u64()?) })
    }
}

/// The output function of SplitMix64 (Steele, Lea and Flood, 2014): a bijection.
fn mix(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

impl Entropy for SystemEntropy {
    fn lineage_id(&self) -> LineageId {
        let n = self.next.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.next.set(n);
        LineageId((u128::from(mix(n ^ self.high)) << 64) | u128::from(mix(n ^ self.low)))
    }
}

/// The identity of a function instance, which lives as long as its process.
#[derive(Debug)]
pub struct InstanceState {
    id: u64,
    cold: Cell<bool>,
}

impl InstanceState {
    /// A random name: below 2^53, so that a JSON number holds it in every language.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn new() -> Result<Self, getrandom::Error> {
        Ok(Self { id: getrandom::u64()? >> 11, cold: Cell::new(true) })
    }

    /// The instance at the invocation that begins now: cold at the first one only.
    pub fn invoked(&self) -> Instance {
        Instance { id: self.id, cold: self.cold.replace(false) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn only_the_first_invocation_is_cold() {
        let state = InstanceState::new().unwrap();
        let (first, second) = (state.invoked(), state.invoked());
        assert_eq!((first.cold, second.cold), (true, false));
        assert_eq!(first.id, second.id);
        assert!(first.id < 1 << 53);
    }

    #[test]
    fn lineages_are_different_within_and_between_instances() {
        let instances = [SystemEntropy::new().unwrap(), SystemEntropy::new().unwrap()];
        let ids: BTreeSet<_> = instances.iter().flat_map(|entropy| (0..500).map(|_| entropy.lineage_id())).collect();
        assert_eq!(ids.len(), 1000);
    }
}
