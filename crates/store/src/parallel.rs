//! The same work on many things, by as many threads as there are processors.

use std::sync::mpsc::sync_channel;
use std::thread;

use rayon::iter::{IntoParallelIterator as _, ParallelExtend as _, ParallelIterator as _};

/// Fewer things are not worth a second thread.
const FEW: usize = 512;

/// Most things that are taken at a time: what they were is gone before the next ones are taken.
const AT_A_TIME: usize = 8192;

/// What `work` makes of each item, in the order of the items.
pub fn each<I, R>(items: I, work: impl Fn(I::Item) -> R + Sync + Send) -> Vec<R>
where
    I: IntoIterator<Item: Send, IntoIter: ExactSizeIterator>,
    R: Send,
{
    let mut items = items.into_iter();
    if items.len() < FEW {
        return items.map(work).collect();
    }
    let mut made = Vec::with_capacity(items.len());
    while items.len() > 0 {
        let some: Vec<_> = items.by_ref().take(AT_A_TIME).collect();
        made.par_extend(some.into_par_iter().map(&work));
    }
    made
}

/// What `work` makes of each item, given to `then` in the order of the items: so many at a time, while the next ones are made.
///
/// # Errors
/// The first that `then` gives.
pub fn in_order<T: Sync, R: Send, E>(
    items: &[T],
    at_a_time: usize,
    work: impl Fn(&T) -> R + Sync,
    then: impl FnMut(R) -> Result<(), E>,
) -> Result<(), E> {
    thread::scope(|scope| {
        let (send, made) = sync_channel(1);
        let work = &work;
        scope.spawn(move || items.chunks(at_a_time).try_for_each(|some| send.send(each(some, work))));
        made.into_iter().flatten().try_for_each(then)
    })
}

/// Does two things at the same time: the first by another thread.
pub fn beside<A: Send, B>(other: impl FnOnce() -> A + Send, this: impl FnOnce() -> B) -> (A, B) {
    thread::scope(|scope| {
        let other = scope.spawn(other);
        let this = this();
        (other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), this)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_stands_in_order() {
        for count in [0, 1, 255, 512, 1000, 4097, 40_001] {
            let items: Vec<usize> = (0..count).collect();
            let twice: Vec<usize> = items.iter().map(|item| item * 2).collect();
            assert_eq!(each(&items, |item| item * 2), twice);
            let mut made = Vec::new();
            let mut then = |item| (made.len() < 30_000).then(|| made.push(item)).ok_or(());
            let ended = in_order(&items, 1000, |item| item * 2, &mut then);
            assert_eq!((ended.is_ok(), &made), (count <= 30_000, &twice[..count.min(30_000)].to_vec()));
            assert_eq!(each(items, |item| item * 2), twice);
        }
    }
}
