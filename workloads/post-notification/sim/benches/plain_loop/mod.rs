//! A plain event loop without futures: the oracle of a test and the yardstick of the benchmark.
//!
//! It runs one kind of cell only, Redis with SNS, antipode off, delay 0, in a closed loop, and does for it the same JSON,
//! the same draws and the same rows as the simulator, from the application's wire functions.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use matrix_app::wire::{Delivered, deliver_sns, receive, reply_event, reply_to};
use matrix_app::writer::Instance;
use matrix_app::{ClientSide, Evaluation, Event, Lineage, LineageId, Micros, Outcome, Post, PostKey, Row, sizes};
use matrix_driver::RowSink;
use matrix_plan::Arrival;
use matrix_sim::EPOCH;
use matrix_sim::cell::Setup;
use matrix_sim::draw::Purpose;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Send,
    Arrive,
    WriterStarts,
    Written,
    Published,
    Answer,
    Deliver,
    ReaderStarts,
    Read,
}

struct Request {
    i: u64,
    key: PostKey,
    sent_at: Micros,
    /// The client's event, then the notification on its way.
    wire: Vec<u8>,
    started_at: Micros,
    read_start_at: Micros,
    found: bool,
    reply: Vec<u8>,
    reply_at: Option<Micros>,
    evaluation: Option<Vec<u8>>,
    /// The notification's event, while the reader reads.
    event: Vec<u8>,
    notification_bytes: u64,
    writer: Instance,
    reader: Instance,
}

/// The instances of a function, the most recently used on top.
#[derive(Default)]
struct Instances {
    idle: Vec<(u64, Micros)>,
    created: u64,
}

impl Instances {
    fn take(&mut self, now: Micros, idle_timeout_us: i64) -> Instance {
        while let Some((id, since)) = self.idle.pop() {
            if now - since < idle_timeout_us {
                return Instance { id, cold: false };
            }
        }
        self.created += 1;
        Instance { id: self.created, cold: true }
    }
}

struct Loop<'s> {
    setup: &'s Setup,
    rows: &'s mut dyn RowSink<Row>,
    heap: BinaryHeap<Reverse<(Micros, u64, Step, u32)>>,
    sequence: u64,
    now: Micros,
    next: u64,
    places: Vec<Request>,
    free: Vec<u32>,
    visible: HashMap<PostKey, Micros>,
    latest: Micros,
    writers: Instances,
    readers: Instances,
}

/// Runs the cell.
pub(crate) fn run(setup: &Setup, rows: &mut dyn RowSink<Row>) {
    let Arrival::Concurrency(clients) = setup.arrival else { panic!("the plain loop is closed") };
    assert!(!setup.antipode && setup.delay_ms == 0 && setup.post.in_log_order && setup.notification.lanes.is_none());
    let mut plain = Loop {
        setup,
        rows,
        heap: BinaryHeap::new(),
        sequence: 0,
        now: EPOCH,
        next: 0,
        places: Vec::new(),
        free: Vec::new(),
        visible: HashMap::new(),
        latest: EPOCH,
        writers: Instances::default(),
        readers: Instances::default(),
    };
    for _ in 0..u64::from(clients).min(setup.requests) {
        plain.enter(0, Step::Send, 0);
    }
    while let Some(Reverse((now, _, step, place))) = plain.heap.pop() {
        plain.now = now;
        plain.step(step, place);
    }
}

impl Loop<'_> {
    fn enter(&mut self, after_us: i64, step: Step, place: u32) {
        self.sequence += 1;
        self.heap.push(Reverse((self.now + after_us, self.sequence, step, place)));
    }

    fn step(&mut self, step: Step, place: u32) {
        let setup = self.setup;
        match step {
            Step::Send => self.send(),
            Step::Arrive => {
                let instance = self.writers.take(self.now, setup.idle_timeout_us);
                self.places[place as usize].writer = instance;
                let after_us = start_us(setup, self.places[place as usize].i, instance, Purpose::WriterStart);
                self.enter(after_us, Step::WriterStarts, place);
            }
            Step::WriterStarts => {
                let request = &mut self.places[place as usize];
                request.started_at = self.now;
                let after_us = setup.post.write.sample(setup.draws.at(request.i, Purpose::Write, 0));
                self.enter(after_us, Step::Written, place);
            }
            Step::Written => self.written(place),
            Step::Published => {
                let request = &self.places[place as usize];
                self.writers.idle.push((request.writer.id, self.now));
                let after_us = setup.leg.sample(setup.draws.at(request.i, Purpose::LegBack, 0));
                self.enter(after_us, Step::Answer, place);
            }
            Step::Answer => {
                self.places[place as usize].reply_at = Some(self.now);
                self.send();
                self.finish(place);
            }
            Step::Deliver => {
                let instance = self.readers.take(self.now, setup.idle_timeout_us);
                self.places[place as usize].reader = instance;
                let after_us = start_us(setup, self.places[place as usize].i, instance, Purpose::ReaderStart);
                self.enter(after_us, Step::ReaderStarts, place);
            }
            Step::ReaderStarts => {
                let request = &mut self.places[place as usize];
                let Delivered::Event { json, notification_bytes } = receive(&request.wire).unwrap() else {
                    panic!("not a notification")
                };
                request.read_start_at = self.now;
                request.found = self.visible[&request.key] <= self.now;
                request.event = json;
                request.notification_bytes = notification_bytes;
                let after_us = setup.post.read.sample(setup.draws.at(request.i, Purpose::Read, 0));
                self.enter(after_us, Step::Read, place);
            }
            Step::Read => self.read(place),
        }
    }

    fn send(&mut self) {
        let i = self.next;
        if i >= self.setup.requests {
            return;
        }
        self.next += 1;
        let key = self.setup.key(i).unwrap();
        let wire = self.setup.request(i, &key, self.now).to_json().unwrap().into_bytes();
        let nobody = Instance { id: 0, cold: false };
        let request = Request {
            i,
            key,
            sent_at: self.now,
            wire,
            started_at: EPOCH,
            read_start_at: EPOCH,
            found: false,
            reply: Vec::new(),
            reply_at: None,
            evaluation: None,
            event: Vec::new(),
            notification_bytes: 0,
            writer: nobody,
            reader: nobody,
        };
        let place = match self.free.pop() {
            Some(place) => {
                self.places[place as usize] = request;
                place
            }
            None => {
                self.places.push(request);
                (self.places.len() - 1) as u32
            }
        };
        let after_us = self.setup.leg.sample(self.setup.draws.at(i, Purpose::LegOut, 0));
        self.enter(after_us, Step::Arrive, place);
    }

    /// The post is stored: commits it, publishes the notification and prepares the answer.
    fn written(&mut self, place: u32) {
        let (setup, now) = (self.setup, self.now);
        let Request { i, key, wire, started_at, writer, .. } = &self.places[place as usize];
        let (i, key) = (*i, *key);
        let mut event = Event::from_json(wire).unwrap();
        event.writer_start_at = Some(*started_at);
        event.post_written_at = Some(now);
        let lag_us = setup.post.lag.sample(setup.draws.at(i, Purpose::Lag, 0));
        self.latest = self.latest.max(now + lag_us);
        self.visible.insert(key, self.latest);
        let lineage = Lineage::new(LineageId(setup.draws.wide(i, Purpose::Lineage)));
        event.context = Some(lineage.to_context().unwrap().into());
        event.notification_written_at = Some(now);
        let notification = deliver_sns(&event.to_json().unwrap()).unwrap();
        let post = Post { key: &event.key, bytes: event.payload_bytes.unwrap(), lineage: None };
        event.post_bytes = Some(sizes::redis(&post));
        event.writer_instance = Some(writer.id);
        event.writer_cold = Some(writer.cold);
        let reply = reply_to(&event).unwrap();
        let request = &mut self.places[place as usize];
        request.reply = reply;
        request.wire = notification;
        let after_us = setup.notification.trigger.sample(setup.draws.at(i, Purpose::Trigger, 0));
        self.enter(after_us, Step::Deliver, place);
        let after_us = setup.notification.publish.sample(setup.draws.at(i, Purpose::Publish, 0));
        self.enter(after_us, Step::Published, place);
    }

    /// The read has ended: evaluates it.
    fn read(&mut self, place: u32) {
        let now = self.now;
        let request = &mut self.places[place as usize];
        let event = Event::from_json(&request.event).unwrap();
        let context = event.context.as_deref().unwrap();
        assert!(Lineage::from_context(context).unwrap().operations.is_empty());
        let evaluation = Evaluation {
            i: event.i,
            client_sent_at: event.client_sent_at,
            writer_start_at: event.writer_start_at,
            post_written_at: event.post_written_at,
            reader_received_at: request.read_start_at,
            notification_to_reader_spent_ms: event
                .notification_written_at
                .map(|at| (request.read_start_at - at) as f64 / 1e3),
            post_read_at: Some(now),
            consistent_read: Some(request.found),
            antipode_spent_ms: None,
            notification_size_bytes: Some(request.notification_bytes),
            notification_bytes: Some(request.notification_bytes),
            key: Some((&*event.key).into()),
            attempt: event.attempt.as_deref().map(Into::into),
            notification_written_at: event.notification_written_at,
            barrier_polls: None,
            barrier_last_miss_at: None,
            read_start_at: Some(request.read_start_at),
            lineage_bytes: Some(context.len() as u64),
            reader_instance: Some(request.reader.id),
            reader_cold: Some(request.reader.cold),
            outcome: Some(Outcome::Ok),
            error: None,
        };
        request.evaluation = Some(evaluation.to_json().unwrap());
        self.readers.idle.push((request.reader.id, now));
        self.finish(place);
    }

    fn finish(&mut self, place: u32) {
        let request = &self.places[place as usize];
        let (Some(evaluation), Some(_)) = (&request.evaluation, request.reply_at) else { return };
        let client = ClientSide {
            i: request.i,
            key: request.key,
            sent_at: request.sent_at,
            reply_at: request.reply_at,
            writer_failed: false,
        };
        let message = Evaluation::unwrap_message(std::str::from_utf8(evaluation).unwrap()).unwrap();
        let evaluation = Evaluation::from_json(message.as_bytes()).unwrap();
        let json = reply_event(&request.reply).unwrap();
        let reply = Event::from_json(json.as_bytes()).unwrap();
        let visible_at = self.visible.remove(&request.key);
        let row = Row::join(&client, Some(&reply), Some(&evaluation), visible_at, EPOCH);
        self.rows.push(row).unwrap();
        self.free.push(place);
    }
}

fn start_us(setup: &Setup, i: u64, instance: Instance, purpose: Purpose) -> i64 {
    let law = if instance.cold { &setup.cold_start } else { &setup.warm_start };
    law.sample(setup.draws.at(i, purpose, 0))
}
