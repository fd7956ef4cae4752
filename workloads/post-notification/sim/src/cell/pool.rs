//! The instances of one function.

use std::collections::VecDeque;

use matrix_app::Micros;
use matrix_app::writer::Instance;

/// The instances of one function: idle ones are used again, the most recently used first. Beyond the concurrency limit an
/// invocation waits for an instance: the services throttle and callers retry, of which this is the limit of quick retries.
#[derive(Debug)]
pub struct Pool {
    idle: Vec<(u64, Micros)>,
    created: u64,
    busy: u32,
    limit: u32,
    idle_timeout_us: i64,
    waiting: VecDeque<u32>,
}

impl Pool {
    /// A function that nobody has invoked yet.
    #[must_use]
    pub fn new(limit: u32, idle_timeout_us: i64) -> Self {
        Self { idle: Vec::new(), created: 0, busy: 0, limit, idle_timeout_us, waiting: VecDeque::new() }
    }

    /// An instance for the invocation of `request`. `None`: it waits, and a later [`Self::release`] names it.
    pub fn invoke(&mut self, request: u32, now: Micros) -> Option<Instance> {
        if self.busy >= self.limit {
            self.waiting.push_back(request);
            return None;
        }
        self.busy += 1;
        Some(self.take(now))
    }

    /// Takes an instance back after an invocation; whom it, or a fresh one, serves next.
    pub fn release(&mut self, instance: Instance, now: Micros) -> Option<(u32, Instance)> {
        self.idle.push((instance.id, now));
        let Some(request) = self.waiting.pop_front() else {
            self.busy -= 1;
            return None;
        };
        Some((request, self.take(now)))
    }

    fn take(&mut self, now: Micros) -> Instance {
        match self.idle.pop() {
            Some((id, since)) if now - since < self.idle_timeout_us => Instance { id, cold: false },
            _ => {
                // The top of the stack was used last: if it is gone, so are the others.
                self.idle.clear();
                self.created += 1;
                Instance { id: self.created, cold: true }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_recently_used_instance_serves_again_until_it_is_gone() {
        let mut pool = Pool::new(9, 100);
        let a = pool.invoke(0, Micros(0)).unwrap();
        let b = pool.invoke(1, Micros(0)).unwrap();
        assert!(a.cold && b.cold && a.id != b.id);
        assert_eq!(pool.release(b, Micros(5)), None);
        assert_eq!(pool.release(a, Micros(6)), None);
        let again = pool.invoke(2, Micros(10)).unwrap();
        assert_eq!(again, Instance { id: a.id, cold: false });
        assert_eq!(pool.release(again, Micros(10)), None);
        assert!(pool.invoke(3, Micros(110)).unwrap().cold, "both were idle for too long");
    }

    #[test]
    fn beyond_the_limit_invocations_wait_in_order() {
        let mut pool = Pool::new(1, 100);
        let a = pool.invoke(0, Micros(0)).unwrap();
        assert_eq!(pool.invoke(1, Micros(1)), None);
        assert_eq!(pool.invoke(2, Micros(2)), None);
        let (next, a) = pool.release(a, Micros(3)).unwrap();
        assert_eq!((next, a.cold), (1, false));
        assert_eq!(pool.release(a, Micros(4)).unwrap().0, 2);
    }
}
