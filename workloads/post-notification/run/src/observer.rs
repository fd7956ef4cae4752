//! Who sees how work goes on.

use std::fmt::Arguments;

/// Sees how work goes on: a command shows it on a terminal. Workers call it from their threads.
pub trait Observer: Sync {
    /// A remark for the person, without a line end.
    fn note(&self, text: Arguments<'_>);

    /// A cell began. `place` is its number among those that are executed.
    fn begin(&self, place: usize, name: String) {
        let _ = (place, name);
    }

    /// So many more requests of some cell are done.
    fn requests(&self, count: u64) {
        let _ = count;
    }

    /// The cell with this number ended: with a result, or without.
    fn end(&self, place: usize, done: bool) {
        let _ = (place, done);
    }

    /// Every worker has ended.
    fn finish(&self) {}
}

/// Looks at nothing.
pub struct Unobserved;

impl Observer for Unobserved {
    fn note(&self, _: Arguments<'_>) {}
}
