//! Times at which nothing is asked of AWS, because it would not answer: they count for no deadline.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

/// Whether there is a pause, and how long pauses have lasted. Clones are one and the same.
#[derive(Clone, Debug)]
pub struct Pause(Arc<watch::Sender<State>>);

#[derive(Clone, Copy, Debug, Default)]
struct State {
    since: Option<Instant>,
    before: Duration,
    count: u64,
}

impl Default for Pause {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(State::default())))
    }
}

impl Pause {
    /// How long pauses have lasted in all.
    #[must_use]
    pub fn lasted(&self) -> Duration {
        let state = *self.0.borrow();
        state.before + state.since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// How many there have been.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.borrow().count
    }

    /// Whether there is one now.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.0.borrow().since.is_some()
    }

    /// Begins a pause, which ends when the guard is dropped.
    pub(super) fn begin(&self) -> Paused {
        self.0.send_modify(|state| {
            state.since.get_or_insert_with(Instant::now);
            state.count += 1;
        });
        Paused(self.clone())
    }

    /// Waits until there is none.
    pub(crate) async fn over(&self) {
        // The sender lives as long as this.
        let _ = self.0.subscribe().wait_for(|state| state.since.is_none()).await;
    }

    /// Sleeps for a time in which pauses do not count.
    pub(crate) async fn sleep(&self, time: Duration) {
        let mut left = time;
        loop {
            self.over().await;
            let before = self.lasted();
            tokio::time::sleep(left).await;
            left = left.min(self.lasted().saturating_sub(before));
            if left.is_zero() {
                return;
            }
        }
    }

    /// A clock that stands still in pauses, from now on.
    #[must_use]
    pub fn stopwatch(&self) -> Stopwatch {
        Stopwatch { began: Instant::now(), paused_before: self.lasted(), pause: self.clone() }
    }
}

/// A pause under way.
#[derive(Debug)]
pub(super) struct Paused(Pause);

impl Drop for Paused {
    fn drop(&mut self) {
        self.0.0.send_modify(|state| {
            if let Some(since) = state.since.take() {
                state.before += since.elapsed();
            }
        });
    }
}

/// Time since something began, without pauses.
#[derive(Clone, Debug)]
pub struct Stopwatch {
    began: Instant,
    paused_before: Duration,
    pause: Pause,
}

impl Stopwatch {
    /// The time since it began that was no pause.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        let paused = self.pause.lasted().saturating_sub(self.paused_before);
        self.began.elapsed().saturating_sub(paused)
    }

    /// Begins anew.
    pub fn restart(&mut self) {
        *self = self.pause.stopwatch();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: Duration = Duration::from_millis(1);

    #[tokio::test]
    async fn a_sleep_lasts_as_long_again_as_the_pause_in_it() {
        let pause = Pause::default();
        let watch = pause.stopwatch();
        let paused = pause.begin();
        let sleeper = pause.clone();
        let asleep = tokio::spawn(async move { sleeper.sleep(TIME).await });
        // Until a sleep that pauses do not lengthen would be over.
        while pause.lasted() < 10 * TIME {
            tokio::time::sleep(TIME).await;
        }
        assert!(!asleep.is_finished() && pause.is_on());
        drop(paused);
        asleep.await.unwrap();
        assert_eq!((pause.is_on(), pause.count()), (false, 1));
        assert!(watch.elapsed() >= TIME);
        assert!(watch.elapsed() + pause.lasted() <= watch.began.elapsed());
    }
}
