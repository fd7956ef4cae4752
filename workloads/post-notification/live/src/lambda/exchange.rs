//! The middle of an attempt: requests to a function, evaluations from a queue, rows from both.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use matrix_app::Clock as _;
use matrix_app::Row;
use matrix_driver::{Cancel, RowSink};
use matrix_lambdas::function::SystemClock;
use matrix_plan::CellInputs;

use super::clients::Shared;
use super::gather::{Clients, Gathering, telling};
use super::join::Join;
use super::receive::Receiver;
use super::saved::{Head, Messages};
use super::send::Sender;
use super::visible::VisibleLog;
use super::{LambdaError, Services, Settings};
use crate::aws::{Pause, Renewal};

/// A function that takes requests, and the queue that gets evaluations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// AWS name of the function's region.
    pub writer_region: String,
    /// The writer's function: its name or ARN.
    pub function: String,
    /// AWS name of the queue's region.
    pub reader_region: String,
    /// URL of the queue of evaluations.
    pub queue_url: String,
    /// What the attempts' nonces begin with, where the reader looks at that; else nothing. At most 8 characters.
    pub identity: String,
}

/// A cell's requests and evaluations.
pub(crate) struct Exchange<'a> {
    pub(crate) inputs: &'a CellInputs,
    pub(crate) settings: &'a Settings,
    function: String,
    writer: aws_sdk_lambda::Client,
    receiver: Receiver,
    /// What nonces begin with.
    identity: String,
    renewal: Option<Renewal>,
}

impl<'a> Exchange<'a> {
    pub(crate) fn new(
        inputs: &'a CellInputs,
        route: Route,
        services: &Services,
        settings: &'a Settings,
        shared: &Shared,
    ) -> Self {
        let queue = shared.sqs(services, settings, &route.reader_region);
        let is_given = services.given.evaluations.is_some();
        let receiver = Receiver::new(queue, route.queue_url, route.reader_region, is_given, settings.poll_wait_s);
        Self {
            inputs,
            settings,
            function: route.function,
            writer: shared.lambda(services, settings, &route.writer_region),
            receiver,
            identity: route.identity,
            renewal: services.renewal.clone(),
        }
    }

    /// The head of an attempt that begins now, and its clock. Nonces have 16 characters, whoever makes them: they are part
    /// of every notification.
    pub(crate) fn begin(&self) -> Result<(Head, SystemClock), LambdaError> {
        let clock = SystemClock::start();
        let mut nonce = format!("{}{:016x}", self.identity, getrandom::u64()?);
        nonce.truncate(16);
        let instance = self.settings.instance.clone();
        let head = Head { nonce, epoch: clock.now(), visible_from: None, instance };
        Ok((head, clock))
    }

    /// Sends the requests, and gathers at the same time.
    pub(crate) async fn exchange(
        &self,
        head: &Head,
        clock: SystemClock,
        visible: Option<VisibleLog>,
        rows: &mut dyn RowSink<Row>,
        cancel: &Cancel,
    ) -> Result<Join, LambdaError> {
        let clients = self.send(head, clock)?;
        let join = Join::new(head.epoch, &head.nonce, self.inputs.requests, visible);
        self.gather(join, Some(clients), None, rows, cancel).await
    }

    /// Begins to send the requests.
    pub(crate) fn send(&self, head: &Head, clock: SystemClock) -> Result<Clients, LambdaError> {
        let (told, listening) = telling();
        let stop = Arc::new(AtomicBool::new(false));
        let sender = Sender {
            client: self.writer.clone(),
            function: self.function.clone(),
            inputs: self.inputs.clone(),
            nonce: head.nonce.clone(),
            seed: getrandom::u64()?,
            clock,
            in_flight: self.settings.in_flight.max(1),
            throttle_patience: self.settings.throttle_patience,
            renewal: self.renewal.clone(),
            stop: Arc::clone(&stop),
            told,
        };
        Ok(Clients { told: listening, stop, sending: tokio::spawn(sender.send_all()) })
    }

    /// Gathers until every request has its row. With `clients` they are listened to at the same time.
    pub(crate) async fn gather(
        &self,
        join: Join,
        clients: Option<Clients>,
        keep: Option<Messages>,
        rows: &mut dyn RowSink<Row>,
        cancel: &Cancel,
    ) -> Result<Join, LambdaError> {
        Box::pin(self.gathering(join, keep)?.gather(clients, rows, cancel)).await
    }

    /// Makes the rows of what is known, and asks the queue for nothing.
    pub(crate) async fn conclude(
        &self,
        join: Join,
        rows: &mut dyn RowSink<Row>,
        cancel: &Cancel,
    ) -> Result<Join, LambdaError> {
        self.gathering(join, None)?.conclude(rows, cancel).await
    }

    fn gathering(&self, join: Join, keep: Option<Messages>) -> Result<Gathering<'a>, LambdaError> {
        let quarantine = self.settings.quarantine.clone().map(Messages::open).transpose()?;
        let (inputs, settings, receiver) = (self.inputs, self.settings, self.receiver.clone());
        let pause = self.renewal.as_ref().map_or_else(Pause::default, |renewal| renewal.pause().clone());
        Ok(Gathering { join, inputs, settings, receiver, keep, quarantine, pause })
    }
}
