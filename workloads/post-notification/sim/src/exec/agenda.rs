//! The agenda: what happens when. Ties are settled by the order of entry.

use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use matrix_app::Micros;

/// A running task: what to poll when a timer fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TaskId {
    /// Which set of tasks.
    pub(crate) set: u8,
    /// Place in the set.
    pub(crate) slot: u32,
}

/// The agenda, with the present instant. `E` is what happens besides timers.
pub(crate) struct Agenda<E> {
    now: Cell<Micros>,
    current: Cell<TaskId>,
    inner: RefCell<Inner<E>>,
}

struct Inner<E> {
    heap: BinaryHeap<Entry<E>>,
    sequence: u64,
    timers: Vec<Timer>,
    free: Vec<u32>,
    /// Timers of dropped sleeps that still stand in the heap.
    dead: usize,
}

struct Entry<E> {
    at: Micros,
    sequence: u64,
    what: What<E>,
}

#[derive(Clone, Copy)]
enum What<E> {
    Event(E),
    Timer(u32),
}

#[derive(Clone, Copy)]
struct Timer {
    task: TaskId,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// In the heap; a sleep waits for it.
    Armed,
    /// No longer in the heap; its sleep has not been dropped yet.
    Fired,
    /// In the heap, but its sleep was dropped: nobody is to be woken.
    Dead,
}

/// What the agenda has next.
pub(crate) enum Next<E> {
    /// An event.
    Event(E),
    /// A timer fired: poll the task.
    Wake(TaskId),
}

/// Dead timers that are tolerated before the heap is swept.
const TOLERATED: usize = 1024;

impl<E: Copy> Agenda<E> {
    /// An empty agenda, at `start`.
    pub(crate) fn new(start: Micros) -> Self {
        let inner = Inner { heap: BinaryHeap::new(), sequence: 0, timers: Vec::new(), free: Vec::new(), dead: 0 };
        Self { now: Cell::new(start), current: Cell::new(TaskId { set: 0, slot: 0 }), inner: RefCell::new(inner) }
    }

    /// The present instant.
    pub(crate) fn now(&self) -> Micros {
        self.now.get()
    }

    /// Enters an event.
    pub(crate) fn enter(&self, at: Micros, event: E) {
        self.inner.borrow_mut().push(at, What::Event(event));
    }

    /// Moves on to the next entry that concerns anybody. `None`: nothing will ever happen again.
    pub(crate) fn next(&self) -> Option<Next<E>> {
        let inner = &mut *self.inner.borrow_mut();
        while let Some(entry) = inner.heap.pop() {
            match entry.what {
                What::Event(event) => {
                    self.now.set(entry.at);
                    return Some(Next::Event(event));
                }
                What::Timer(timer) => {
                    let Timer { task, state } = &mut inner.timers[timer as usize];
                    if *state == State::Dead {
                        inner.dead -= 1;
                        inner.free.push(timer);
                    } else {
                        *state = State::Fired;
                        self.now.set(entry.at);
                        self.current.set(*task);
                        return Some(Next::Wake(*task));
                    }
                }
            }
        }
        None
    }

    /// Says which task is about to be polled, for the sleeps that it begins.
    pub(crate) fn set_current(&self, task: TaskId) {
        self.current.set(task);
    }

    /// Waits until `at`.
    pub(crate) fn sleep_until(&self, at: Micros) -> Sleep<'_, E> {
        Sleep { agenda: self, at, timer: None }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.inner.borrow().heap.len()
    }
}

impl<E: Copy> Inner<E> {
    fn push(&mut self, at: Micros, what: What<E>) {
        self.sequence += 1;
        self.heap.push(Entry { at, sequence: self.sequence, what });
    }

    fn arm(&mut self, at: Micros, task: TaskId) -> u32 {
        let armed = Timer { task, state: State::Armed };
        let timer = match self.free.pop() {
            Some(timer) => {
                self.timers[timer as usize] = armed;
                timer
            }
            None => {
                self.timers.push(armed);
                (self.timers.len() - 1) as u32
            }
        };
        self.push(at, What::Timer(timer));
        timer
    }

    fn disarm(&mut self, timer: u32) {
        let state = &mut self.timers[timer as usize].state;
        if *state == State::Fired {
            self.free.push(timer);
            return;
        }
        *state = State::Dead;
        self.dead += 1;
        if self.dead > TOLERATED && self.dead * 2 > self.heap.len() {
            let Self { heap, timers, free, dead, .. } = self;
            heap.retain(|entry| match entry.what {
                What::Timer(timer) if timers[timer as usize].state == State::Dead => {
                    free.push(timer);
                    false
                }
                _ => true,
            });
            *dead = 0;
        }
    }
}

/// A sleep. Dropping it, before or after its end, leaves nobody to be woken.
pub(crate) struct Sleep<'a, E: Copy> {
    agenda: &'a Agenda<E>,
    at: Micros,
    timer: Option<u32>,
}

impl<E: Copy> Future for Sleep<'_, E> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.agenda.now.get() >= self.at {
            return Poll::Ready(());
        }
        if self.timer.is_none() {
            let task = self.agenda.current.get();
            self.timer = Some(self.agenda.inner.borrow_mut().arm(self.at, task));
        }
        Poll::Pending
    }
}

impl<E: Copy> Drop for Sleep<'_, E> {
    fn drop(&mut self) {
        if let Some(timer) = self.timer {
            self.agenda.inner.borrow_mut().disarm(timer);
        }
    }
}

/// The heap is a maximum heap: the earliest entry is the greatest.
impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.sequence).cmp(&(self.at, self.sequence))
    }
}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<E> Eq for Entry<E> {}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    const TASK: TaskId = TaskId { set: 0, slot: 0 };

    fn poll<E: Copy>(sleep: &mut Sleep<'_, E>) -> Poll<()> {
        Pin::new(sleep).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn entries_come_by_time_then_in_order_of_entry() {
        let agenda = Agenda::new(Micros(0));
        for (at, event) in [(5, 'c'), (3, 'a'), (5, 'd'), (3, 'b'), (9, 'e')] {
            agenda.enter(Micros(at), event);
        }
        let mut seen = String::new();
        while let Some(Next::Event(event)) = agenda.next() {
            seen.push(event);
        }
        assert_eq!(seen, "abcde");
        assert_eq!(agenda.now(), Micros(9));
    }

    #[test]
    fn a_dropped_sleep_wakes_nobody_and_moves_no_clock() {
        let agenda: Agenda<()> = Agenda::new(Micros(0));
        let mut dropped = agenda.sleep_until(Micros(10));
        let mut kept = agenda.sleep_until(Micros(7));
        assert!(poll(&mut dropped).is_pending() && poll(&mut kept).is_pending());
        drop(dropped);
        assert!(matches!(agenda.next(), Some(Next::Wake(TASK))));
        assert!(poll(&mut kept).is_ready());
        drop(kept);
        assert!(agenda.next().is_none());
        assert_eq!(agenda.now(), Micros(7));
    }

    #[test]
    fn a_timer_taken_again_belongs_to_its_new_sleep() {
        let agenda: Agenda<()> = Agenda::new(Micros(0));
        let mut first = agenda.sleep_until(Micros(1));
        assert!(poll(&mut first).is_pending());
        assert!(agenda.next().is_some());
        drop(first);
        agenda.set_current(TaskId { set: 1, slot: 4 });
        let mut second = agenda.sleep_until(Micros(2));
        assert!(poll(&mut second).is_pending());
        assert!(matches!(agenda.next(), Some(Next::Wake(TaskId { set: 1, slot: 4 }))));
    }

    #[test]
    fn dead_timers_do_not_pile_up() {
        let agenda: Agenda<()> = Agenda::new(Micros(0));
        for _ in 0..100_000 {
            let mut deadline = agenda.sleep_until(Micros(120_000_000));
            assert!(poll(&mut deadline).is_pending());
        }
        assert!(agenda.len() <= TOLERATED + 1, "{}", agenda.len());
        assert!(agenda.inner.borrow().timers.len() <= TOLERATED + 2);
        assert!(agenda.next().is_none());
    }
}
