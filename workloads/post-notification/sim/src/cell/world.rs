//! What the tasks of a cell share.

use std::cell::RefCell;

use matrix_app::{Micros, PostKey};

use super::lanes::Lanes;
use super::posts::Posts;
use super::requests::Requests;
use super::setup::{Services, Setup};
use crate::EPOCH;
use crate::exec::Agenda;
use crate::faults::Faults;

/// What happens besides timers. The number is a request's place.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Happening {
    /// A client sends its next request.
    Send,
    /// The request reaches the writer's function.
    Arrive(u32),
    /// An instance of the writer's function has started.
    WriterStarts(u32),
    /// The writer's answer reaches the client.
    Answer(u32),
    /// The notification's item reaches the replica of the reader's region.
    Replicated(u32),
    /// The event source has the notification for the reader.
    Deliver(u32),
    /// An instance of the reader's function has started.
    ReaderStarts(u32),
}

/// The simulated world: the application's tasks reach it through their host.
pub(crate) struct World<'c> {
    pub(crate) setup: &'c Setup,
    pub(crate) faults: &'c dyn Faults,
    pub(crate) agenda: Agenda<Happening>,
    pub(crate) posts: RefCell<Posts>,
    pub(crate) requests: RefCell<Requests>,
    pub(crate) lanes: RefCell<Option<Lanes>>,
}

impl<'c> World<'c> {
    pub(crate) fn new(setup: &'c Setup, faults: &'c dyn Faults) -> Self {
        Self {
            setup,
            faults,
            agenda: Agenda::new(EPOCH),
            posts: RefCell::new(Posts::new(setup.post.in_log_order, EPOCH)),
            requests: RefCell::default(),
            lanes: RefCell::new(setup.notification.lanes.map(|count| Lanes::new(count, EPOCH))),
        }
    }

    pub(crate) fn now(&self) -> Micros {
        self.agenda.now()
    }

    /// Puts a published notification on its way to the reader.
    pub(crate) fn carry(&self, place: u32, wire: Vec<u8>, publish_us: i64) {
        use crate::draw::Purpose::{ItemLag, Lane, Trigger};
        let Setup { draws, services: Services { notification, .. }, .. } = self.setup;
        let i = {
            let mut requests = self.requests.borrow_mut();
            let request = requests.get_mut(place);
            request.wire = wire;
            request.published = true;
            let lanes = self.lanes.borrow();
            if let Some(lanes) = &*lanes {
                request.lane = lanes.choose(draws.at(request.i, Lane, 0));
            }
            request.i
        };
        if let Some(item_lag) = &notification.item_lag {
            let replicated_at = self.now() + publish_us + item_lag.sample(draws.at(i, ItemLag, 0));
            self.agenda.enter(replicated_at, Happening::Replicated(place));
        } else {
            let at = self.now() + notification.trigger.sample(draws.at(i, Trigger, 0));
            self.agenda.enter(self.in_order(place, at), Happening::Deliver(place));
        }
    }

    /// When a notification that would be available at `at` really is.
    pub(crate) fn in_order(&self, place: u32, at: Micros) -> Micros {
        match &mut *self.lanes.borrow_mut() {
            Some(lanes) => lanes.in_order(self.requests.borrow().get(place).lane, at),
            None => at,
        }
    }

    /// Forgets the post of a finished request and returns from when on it was visible.
    pub(crate) fn forget(&self, key: &PostKey) -> Option<Micros> {
        self.posts.borrow_mut().forget(key)
    }
}
