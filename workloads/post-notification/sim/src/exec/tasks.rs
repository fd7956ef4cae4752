//! Sets of tasks of one kind, whose places are used again.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// Tasks whose futures are all of one type. A finished task's box serves the next one: nothing is allocated per task once
/// the set has grown to the number of tasks that run at the same time.
pub(crate) struct Tasks<F> {
    places: Vec<Pin<Box<Option<F>>>>,
    free: Vec<u32>,
}

impl<F: Future> Tasks<F> {
    /// No tasks.
    pub(crate) fn new() -> Self {
        Self { places: Vec::new(), free: Vec::new() }
    }

    /// Takes a task in and returns its place; it is not polled yet.
    pub(crate) fn add(&mut self, task: F) -> u32 {
        match self.free.pop() {
            Some(place) => {
                self.places[place as usize].set(Some(task));
                place
            }
            None => {
                self.places.push(Box::pin(Some(task)));
                (self.places.len() - 1) as u32
            }
        }
    }

    /// Polls the task at `place`. A task that ends is dropped, and its place is free. `None`: it waits, or there is none.
    pub(crate) fn poll(&mut self, place: u32) -> Option<F::Output> {
        let mut slot = self.places[place as usize].as_mut();
        let task = slot.as_mut().as_pin_mut()?;
        match task.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => None,
            Poll::Ready(output) => {
                slot.set(None);
                self.free.push(place);
                Some(output)
            }
        }
    }
}
