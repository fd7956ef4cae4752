//! The same work on many things, by as many threads as there are processors.

use std::num::NonZeroUsize;
use std::thread::{self, ScopedJoinHandle};

/// Fewer things are not worth a thread.
const FEW: usize = 256;

/// What `work` makes of each item, in the order of the items.
pub fn each<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get).min(items.len() / FEW);
    if threads < 2 {
        return items.iter().map(work).collect();
    }
    let work = &work;
    let mut parts = items.chunks(items.len().div_ceil(threads));
    let first = parts.next().unwrap_or_default();
    thread::scope(|scope| {
        let others: Vec<_> = parts.map(|part| scope.spawn(move || part.iter().map(work).collect::<Vec<R>>())).collect();
        let mut made: Vec<R> = Vec::with_capacity(items.len());
        made.extend(first.iter().map(work));
        for other in others.into_iter().map(ScopedJoinHandle::join) {
            made.extend(other.unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        made
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_stands_in_order() {
        for count in [0, 1, 255, 512, 1000, 4097] {
            let items: Vec<usize> = (0..count).collect();
            assert_eq!(each(&items, |item| item * 2), items.iter().map(|item| item * 2).collect::<Vec<_>>());
        }
    }
}
