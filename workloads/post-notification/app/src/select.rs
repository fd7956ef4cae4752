//! A biased choice between two futures.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

/// Which future ended first.
pub(crate) enum Either<A, B> {
    /// The first one.
    First(A),
    /// The second one.
    Second(B),
}

/// Polls `first`, then `second`, always in this order, until one of them ends. Both keep their place.
pub(crate) async fn biased<A: Future, B: Future>(
    mut first: Pin<&mut A>,
    mut second: Pin<&mut B>,
) -> Either<A::Output, B::Output> {
    poll_fn(|context| {
        if let Poll::Ready(output) = first.as_mut().poll(context) {
            return Poll::Ready(Either::First(output));
        }
        second.as_mut().poll(context).map(Either::Second)
    })
    .await
}
