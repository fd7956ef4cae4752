//! The requests in flight.

use matrix_app::writer::Instance;
use matrix_app::{Micros, PostKey};

/// A request from its sending to its row.
#[derive(Debug)]
pub(crate) struct Request {
    /// Number of the request.
    pub(crate) i: u64,
    /// Key of its post.
    pub(crate) key: PostKey,
    /// When the client sent it.
    pub(crate) sent_at: Micros,
    /// What is on its way: the client's event, then what the event source delivers to the reader.
    pub(crate) wire: Vec<u8>,
    /// The writer's answer.
    pub(crate) reply: Vec<u8>,
    /// When the answer reached the client.
    pub(crate) reply_at: Option<Micros>,
    /// Whether the client expects nothing more.
    pub(crate) answered: bool,
    /// Whether the writer failed.
    pub(crate) writer_failed: bool,
    /// Whether a notification was published.
    pub(crate) published: bool,
    /// What the reader sent to the queue.
    pub(crate) evaluation: Vec<u8>,
    /// Whether the reader has ended.
    pub(crate) read: bool,
    /// The lane of its notification.
    pub(crate) lane: u32,
    /// The instance of the function that serves, or last served it.
    pub(crate) instance: [Instance; 2],
}

/// The requests in flight; the place of a finished one is used again.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    places: Vec<Request>,
    free: Vec<u32>,
}

impl Requests {
    /// Takes a request in and returns its place.
    pub(crate) fn add(&mut self, i: u64, key: PostKey, sent_at: Micros, wire: Vec<u8>) -> u32 {
        let fresh = Request {
            i,
            key,
            sent_at,
            wire,
            reply: Vec::new(),
            reply_at: None,
            answered: false,
            writer_failed: false,
            published: false,
            evaluation: Vec::new(),
            read: false,
            lane: 0,
            instance: [Instance { id: 0, cold: false }; 2],
        };
        match self.free.pop() {
            Some(place) => {
                self.places[place as usize] = fresh;
                place
            }
            None => {
                self.places.push(fresh);
                (self.places.len() - 1) as u32
            }
        }
    }

    pub(crate) fn get(&self, place: u32) -> &Request {
        &self.places[place as usize]
    }

    pub(crate) fn get_mut(&mut self, place: u32) -> &mut Request {
        &mut self.places[place as usize]
    }

    /// Frees the place of a finished request; what it held stays readable until the place is taken again.
    pub(crate) fn free(&mut self, place: u32) {
        self.free.push(place);
    }
}
