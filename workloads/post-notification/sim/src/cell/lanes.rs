//! Lanes: the shards of a stream, or the one queue of a mapping. Each delivers in order, to one reader at a time.

use std::collections::VecDeque;

use matrix_app::Micros;

/// The lanes of an ordered notification storage.
#[derive(Debug)]
pub(crate) struct Lanes(Vec<Lane>);

#[derive(Debug)]
struct Lane {
    /// When the notification entered last becomes available: none overtakes it.
    latest: Micros,
    /// Whether a reader is at work.
    busy: bool,
    /// Notifications that wait for it.
    waiting: VecDeque<u32>,
}

impl Lanes {
    pub(crate) fn new(count: u32, start: Micros) -> Self {
        Self((0..count).map(|_| Lane { latest: start, busy: false, waiting: VecDeque::new() }).collect())
    }

    /// The lane that a uniform draw (the hash of the key) leads to.
    pub(crate) fn choose(&self, draw: u64) -> u32 {
        ((u128::from(draw) * self.0.len() as u128) >> 64) as u32
    }

    /// When a notification that would be available at `at` really is: not before those entered earlier.
    pub(crate) fn in_order(&mut self, lane: u32, at: Micros) -> Micros {
        let latest = &mut self.0[lane as usize].latest;
        *latest = at.max(*latest);
        *latest
    }

    /// A notification is available. Whether a reader takes it at once; else it waits.
    pub(crate) fn offer(&mut self, lane: u32, request: u32) -> bool {
        let lane = &mut self.0[lane as usize];
        if lane.busy {
            lane.waiting.push_back(request);
            return false;
        }
        lane.busy = true;
        true
    }

    /// The lane's reader has ended: what it takes next.
    pub(crate) fn done(&mut self, lane: u32) -> Option<u32> {
        let lane = &mut self.0[lane as usize];
        let next = lane.waiting.pop_front();
        lane.busy = next.is_some();
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_serves_one_at_a_time_in_order() {
        let mut lanes = Lanes::new(2, Micros(0));
        assert!(lanes.offer(0, 7));
        assert!(!lanes.offer(0, 8));
        assert!(!lanes.offer(0, 9));
        assert!(lanes.offer(1, 10), "the other lane is free");
        assert_eq!((lanes.done(0), lanes.done(0), lanes.done(0)), (Some(8), Some(9), None));
        assert!(lanes.offer(0, 11));
    }

    #[test]
    fn nothing_overtakes_in_a_lane() {
        let mut lanes = Lanes::new(2, Micros(0));
        assert_eq!(lanes.in_order(0, Micros(50)), Micros(50));
        assert_eq!(lanes.in_order(0, Micros(20)), Micros(50));
        assert_eq!(lanes.in_order(1, Micros(20)), Micros(20));
    }

    #[test]
    fn every_lane_is_chosen() {
        let lanes = Lanes::new(3, Micros(0));
        assert_eq!([0, 1 << 63, u64::MAX].map(|draw| lanes.choose(draw)), [0, 1, 2]);
    }
}
