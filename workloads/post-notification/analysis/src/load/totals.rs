//! Sums over rows.

use matrix_app::Outcome;

use crate::traces::Outcomes;

/// Sums over rows: whole numbers, so that their order does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Rows, one per planned request.
    pub planned: u64,
    /// Rows by outcome.
    pub outcomes: Outcomes,
    /// Reads that missed the post.
    pub misses: u64,
    /// Requests that came to their end, and in what time.
    pub ended: Ended,
    /// Time spent in barriers, in microseconds.
    pub barrier_us: i128,
    /// Polls of barriers.
    pub barrier_polls: i128,
    /// Posts of known size.
    pub posts: Objects,
    /// Notifications of known size.
    pub notifications: Objects,
}

/// A number of objects and the sum of their sizes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Objects {
    /// How many.
    pub count: u64,
    /// Their logical bytes.
    pub bytes: i128,
}

/// How many requests came to their end, and in what time. The end is the writer's answer, unless it is an error; where the client does not wait
/// for one, it is the end of the reader's read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Requests with a known end.
    pub requests: u64,
    /// From the first request sent to the last end, in microseconds.
    pub span_us: i128,
}

impl Totals {
    /// Rows of the given outcome.
    #[must_use]
    pub fn count(&self, outcome: Outcome) -> u64 {
        self.outcomes.of(outcome)
    }

    /// Requests whose reader read, whatever it found.
    #[must_use]
    pub fn reads(&self) -> u64 {
        self.count(Outcome::Ok)
    }

    /// Requests whose evaluation never came.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.count(Outcome::Lost)
    }

    /// Requests that ended in an error or at the barrier's deadline.
    #[must_use]
    pub fn failed(&self) -> u64 {
        [Outcome::WriterError, Outcome::ReaderError, Outcome::BarrierTimeout]
            .map(|outcome| self.count(outcome))
            .iter()
            .sum()
    }

    /// Adds the totals of another cell.
    pub fn add(&mut self, other: &Self) {
        self.planned += other.planned;
        for outcome in Outcome::ALL {
            self.outcomes.add(outcome, other.outcomes.of(outcome));
        }
        self.misses += other.misses;
        self.ended.requests += other.ended.requests;
        self.ended.span_us += other.ended.span_us;
        self.barrier_us += other.barrier_us;
        self.barrier_polls += other.barrier_polls;
        self.posts.add(other.posts);
        self.notifications.add(other.notifications);
    }
}

impl Objects {
    /// Adds other objects.
    pub fn add(&mut self, other: Self) {
        self.count += other.count;
        self.bytes += other.bytes;
    }

    /// Average bytes per object; `None` without objects.
    #[must_use]
    pub fn average(&self) -> Option<f64> {
        (self.count > 0).then(|| self.bytes as f64 / self.count as f64)
    }
}

impl Ended {
    /// Requests a second; `None` where no time passed.
    #[must_use]
    pub fn per_second(&self) -> Option<f64> {
        (self.requests > 0 && self.span_us > 0).then(|| self.requests as f64 * 1e6 / self.span_us as f64)
    }
}
