//! The course of events of one cell: clients, functions and event sources around the application's tasks.

use std::borrow::Cow;
use std::future::Future;

use matrix_app::wire::{WireError, reply_event};
use matrix_app::{ClientSide, Evaluation, Event, Handled, ReaderError, Row, WriterError};
use matrix_driver::{Cancel, DriverError, RowSink};
use matrix_plan::{Arrival, Invocation};

use super::host;
use super::lanes::Lanes;
use super::pool::Pool;
use super::setup::Setup;
use super::world::{Happening, World};
use crate::EPOCH;
use crate::draw::Purpose;
use crate::exec::{Next, TaskId, Tasks};
use crate::faults::Faults;

/// Entries of the agenda between two looks at the request to stop.
const PATIENCE: u32 = 1024;

/// The sets of tasks, and the places of a request's instances.
const WRITERS: u8 = 0;
const READERS: u8 = 1;

/// Runs a cell to its end: a row for every planned request, each as soon as it is complete.
///
/// # Errors
/// When stopped, when a row cannot be kept, or when an injected fault leaves the cell without a next event.
pub(crate) fn run(
    setup: &Setup,
    faults: &dyn Faults,
    rows: &mut dyn RowSink<Row>,
    cancel: &Cancel,
) -> Result<(), DriverError> {
    let world = World::new(setup, faults);
    let pool = || Pool::new(setup.concurrency, setup.idle_timeout_us);
    let mut engine = Engine {
        world: &world,
        rows,
        writer: Function { pool: pool(), tasks: Tasks::new(), serving: Vec::new() },
        reader: Function { pool: pool(), tasks: Tasks::new(), serving: Vec::new() },
        next: 0,
        done: 0,
    };
    engine.begin();
    let mut patience = 0;
    while let Some(next) = world.agenda.next() {
        patience += 1;
        if patience == PATIENCE {
            patience = 0;
            if cancel.is_cancelled() {
                return Err(DriverError::Cancelled);
            }
        }
        match next {
            Next::Wake(TaskId { set: WRITERS, slot }) => engine.poll_writer(slot)?,
            Next::Wake(TaskId { slot, .. }) => engine.poll_reader(slot)?,
            Next::Event(Happening::WriterStarts(place)) => {
                let task = engine.writer.start(place, host::write(&world, place));
                world.agenda.set_current(TaskId { set: WRITERS, slot: task });
                engine.poll_writer(task)?;
            }
            Next::Event(Happening::ReaderStarts(place)) => {
                let task = engine.reader.start(place, host::read(&world, place));
                world.agenda.set_current(TaskId { set: READERS, slot: task });
                engine.poll_reader(task)?;
            }
            Next::Event(happening) => engine.happens(happening)?,
        }
    }
    if engine.done < setup.requests {
        let (done, requests) = (engine.done, setup.requests);
        return Err(DriverError::failed(format!("after {done} of {requests} requests nothing can happen any more")));
    }
    Ok(())
}

/// A function: its instances and the tasks that run in them.
struct Function<F> {
    pool: Pool,
    tasks: Tasks<F>,
    /// The request that each task serves.
    serving: Vec<u32>,
}

impl<F: Future> Function<F> {
    fn start(&mut self, place: u32, future: F) -> u32 {
        let task = self.tasks.add(future);
        if self.serving.len() <= task as usize {
            self.serving.resize(task as usize + 1, 0);
        }
        self.serving[task as usize] = place;
        task
    }

    /// Polls a task: when it ends, the request it served and the output.
    fn poll(&mut self, task: u32) -> Option<(u32, F::Output)> {
        self.tasks.poll(task).map(|output| (self.serving[task as usize], output))
    }
}

struct Engine<'w, 'r, W, R> {
    world: &'w World<'w>,
    rows: &'r mut dyn RowSink<Row>,
    writer: Function<W>,
    reader: Function<R>,
    /// Number of the request to be sent next.
    next: u64,
    /// Rows so far.
    done: u64,
}

impl<W, R> Engine<'_, '_, W, R>
where
    W: Future<Output = Result<Vec<u8>, WriterError>>,
    R: Future<Output = Result<Handled, ReaderError>>,
{
    fn begin(&mut self) {
        let setup = self.world.setup;
        let clients = match setup.arrival {
            Arrival::Concurrency(clients) => u64::from(clients).min(setup.requests),
            Arrival::RatePerSecond(_) => 1.min(setup.requests),
        };
        for _ in 0..clients {
            self.world.agenda.enter(EPOCH, Happening::Send);
        }
    }

    fn happens(&mut self, happening: Happening) -> Result<(), DriverError> {
        let World { setup, agenda, .. } = self.world;
        match happening {
            Happening::Send => self.send()?,
            Happening::Arrive(place) => {
                if let Some(instance) = self.writer.pool.invoke(place, agenda.now()) {
                    self.start(WRITERS, place, instance);
                }
            }
            Happening::Answer(place) => {
                let mut requests = self.world.requests.borrow_mut();
                let request = requests.get_mut(place);
                request.reply_at = Some(agenda.now());
                request.answered = true;
                drop(requests);
                if matches!(setup.arrival, Arrival::Concurrency(_)) {
                    self.send()?;
                }
                self.finish(place)?;
            }
            Happening::Replicated(place) => {
                let i = self.world.requests.borrow().get(place).i;
                let trigger_us = setup.notification.trigger.sample(setup.draws.at(i, Purpose::Trigger, 0));
                let at = self.world.in_order(place, agenda.now() + trigger_us);
                agenda.enter(at, Happening::Deliver(place));
            }
            Happening::Deliver(place) => {
                let lane = self.world.requests.borrow().get(place).lane;
                let taken = self.world.lanes.borrow_mut().as_mut().is_none_or(|lanes| lanes.offer(lane, place));
                if taken {
                    self.invoke_reader(place);
                }
            }
            // Their tasks begin where the types of the tasks are known: in `run`.
            Happening::WriterStarts(_) | Happening::ReaderStarts(_) => {}
        }
        Ok(())
    }

    /// A client sends the next request, if one is left.
    fn send(&mut self) -> Result<(), DriverError> {
        let World { setup, agenda, .. } = self.world;
        let i = self.next;
        if i >= setup.requests {
            return Ok(());
        }
        self.next += 1;
        let now = agenda.now();
        let broken = |why: String| DriverError::failed(format!("request {i}: {why}"));
        let key = setup.key(i).ok_or_else(|| broken("there is no key for it".to_owned()))?;
        let event = setup.request(i, &key, now).to_json().map_err(|error| broken(error.to_string()))?;
        let place = self.world.requests.borrow_mut().add(i, key, now, event.into_bytes());
        let arrives_at = now + setup.leg.sample(setup.draws.at(i, Purpose::LegOut, 0));
        agenda.enter(arrives_at, Happening::Arrive(place));
        if let Some(after_us) = setup.sent_after_us(self.next) {
            agenda.enter(EPOCH + after_us, Happening::Send);
        } else if setup.invocation == Invocation::Event {
            // The function's service accepts the invocation at once: the client goes on when it hears so.
            agenda.enter(arrives_at + self.way_back_us(i), Happening::Send);
        }
        Ok(())
    }

    fn way_back_us(&self, i: u64) -> i64 {
        let setup = self.world.setup;
        setup.leg.sample(setup.draws.at(i, Purpose::LegBack, 0))
    }

    fn invoke_reader(&mut self, place: u32) {
        if let Some(instance) = self.reader.pool.invoke(place, self.world.now()) {
            self.start(READERS, place, instance);
        }
    }

    /// Starts a function's instance for a request.
    fn start(&mut self, function: u8, place: u32, instance: matrix_app::writer::Instance) {
        let setup = self.world.setup;
        let mut requests = self.world.requests.borrow_mut();
        let request = requests.get_mut(place);
        request.instance[usize::from(function)] = instance;
        let (purpose, happening) = match function {
            WRITERS => (Purpose::WriterStart, Happening::WriterStarts(place)),
            _ => (Purpose::ReaderStart, Happening::ReaderStarts(place)),
        };
        let law = if instance.cold { &setup.cold_start } else { &setup.warm_start };
        let at = self.world.now() + law.sample(setup.draws.at(request.i, purpose, 0));
        self.world.agenda.enter(at, happening);
    }

    fn poll_writer(&mut self, task: u32) -> Result<(), DriverError> {
        let Some((place, result)) = self.writer.poll(task) else { return Ok(()) };
        let now = self.world.now();
        let mut requests = self.world.requests.borrow_mut();
        let request = requests.get_mut(place);
        match result {
            Ok(reply) => request.reply = reply,
            Err(_) => request.writer_failed = true,
        }
        let (i, instance) = (request.i, request.instance[usize::from(WRITERS)]);
        let answers = self.world.setup.invocation == Invocation::RequestResponse;
        request.answered = !answers;
        drop(requests);
        if let Some((waiting, instance)) = self.writer.pool.release(instance, now) {
            self.start(WRITERS, waiting, instance);
        }
        if answers {
            self.world.agenda.enter(now + self.way_back_us(i), Happening::Answer(place));
        }
        self.finish(place)
    }

    fn poll_reader(&mut self, task: u32) -> Result<(), DriverError> {
        // A reader that fails has sent no evaluation: its request is lost, and nobody tries again.
        let Some((place, _)) = self.reader.poll(task) else { return Ok(()) };
        let now = self.world.now();
        let mut requests = self.world.requests.borrow_mut();
        let request = requests.get_mut(place);
        request.read = true;
        let (lane, instance) = (request.lane, request.instance[usize::from(READERS)]);
        drop(requests);
        if let Some((waiting, instance)) = self.reader.pool.release(instance, now) {
            self.start(READERS, waiting, instance);
        }
        let next = self.world.lanes.borrow_mut().as_mut().and_then(|lanes: &mut Lanes| lanes.done(lane));
        if let Some(next) = next {
            self.invoke_reader(next);
        }
        self.finish(place)
    }

    /// Makes the row of a request of which nothing more is to come, and forgets its post.
    fn finish(&mut self, place: u32) -> Result<(), DriverError> {
        let requests = self.world.requests.borrow();
        let request = requests.get(place);
        let read = request.read || (request.writer_failed && !request.published);
        if !(request.answered && read) {
            return Ok(());
        }
        let i = request.i;
        let broken = |why: String| DriverError::failed(format!("request {i}: {why}"));
        let client = ClientSide {
            i,
            key: request.key,
            sent_at: request.sent_at,
            reply_at: request.reply_at,
            writer_failed: request.writer_failed,
        };
        // As in real life, only a client that waited has the writer's answer.
        let answered = request.reply_at.is_some() && !request.writer_failed;
        let reply = answered.then(|| reply_event(&request.reply)).transpose().map_err(|e| broken(e.to_string()))?;
        let reply = reply.as_ref().map(|json| Event::from_json(json.as_bytes())).transpose();
        let reply = reply.map_err(|error| broken(error.to_string()))?;
        let message = message(&request.evaluation).map_err(|error| broken(error.to_string()))?;
        let evaluation = message.as_ref().map(|json| Evaluation::from_json(json.as_bytes())).transpose();
        let evaluation = evaluation.map_err(|error| broken(error.to_string()))?;
        // What the queue holds of others, or of another attempt, is nobody's.
        let nonce = self.world.setup.nonce.as_str();
        let evaluation = evaluation.filter(|found| found.i == i && found.attempt.as_deref() == Some(nonce));
        let row = Row::join(&client, reply.as_ref(), evaluation.as_ref(), self.world.forget(&request.key), EPOCH);
        drop(requests);
        self.rows.push(row)?;
        self.done += 1;
        self.world.requests.borrow_mut().free(place);
        Ok(())
    }
}

/// The evaluation's JSON in what the reader sent to the queue; `None` if it sent nothing.
fn message(sent: &[u8]) -> Result<Option<Cow<'_, str>>, WireError> {
    if sent.is_empty() {
        return Ok(None);
    }
    let text = std::str::from_utf8(sent).map_err(|_| WireError::Unknown)?;
    Evaluation::unwrap_message(text).map(Some)
}
