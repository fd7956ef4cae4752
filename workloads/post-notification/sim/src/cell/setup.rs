//! The parameters of one cell, ready for sampling.

use std::ops::Deref;

use matrix_app::key::PostKey;
use matrix_app::{BarrierPolicy, Event, Micros};
use matrix_plan::{Arrival, CellInputs, CellKey, Invocation, NotificationStorage, PostStorage};

use crate::draw::{Draws, Purpose};
use crate::model::{FunctionModel, Model, ModelError, NotificationModel, Replication};
use crate::table::Table;

/// Everything that the course of a cell depends on.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Number of requests.
    pub requests: u64,
    /// When requests are sent.
    pub arrival: Arrival,
    /// How the client invokes the writer.
    pub invocation: Invocation,
    /// How the barrier polls.
    pub barrier: BarrierPolicy,
    /// Artificial delay, in milliseconds.
    pub delay_ms: u64,
    /// Whether the reader waits in the barrier.
    pub antipode: bool,
    /// Length of a post's content, in bytes.
    pub payload_bytes: u64,
    /// Nonce of the attempt.
    pub nonce: String,
    /// The cell's random streams.
    pub draws: Draws,
    /// The services.
    pub services: Services,
}

/// The services of a combination, as cells of one payload see them. To make their tables takes longer than to simulate a small
/// cell; copies share them.
#[derive(Clone, Debug)]
pub struct Services {
    /// One way between the client and the writer's function.
    pub leg: Table,
    /// Start of a function in a new instance.
    pub cold_start: Table,
    /// Start of a function in an instance that has served before.
    pub warm_start: Table,
    /// Most instances of one function at a time.
    pub concurrency: u32,
    /// Time after which an idle instance is gone, in microseconds.
    pub idle_timeout_us: i64,
    /// The post storage.
    pub post: PostTables,
    /// The notification storage.
    pub notification: NotificationTables,
}

/// A post storage between the cell's regions.
#[derive(Clone, Debug)]
pub struct PostTables {
    /// Which one.
    pub storage: PostStorage,
    /// Storing a post.
    pub write: Table,
    /// Reading a post, with the client's overhead.
    pub read: Table,
    /// A poll of the barrier.
    pub poll: Table,
    /// Moving a post to the reader that found it: for this cell's payload.
    pub transfer: Option<Table>,
    /// From the write's confirmation to visibility.
    pub lag: Table,
    /// Whether a write becomes visible only after those committed before it.
    pub in_log_order: bool,
}

/// A notification storage between the cell's regions.
#[derive(Clone, Debug)]
pub struct NotificationTables {
    /// Which one.
    pub storage: NotificationStorage,
    /// Time that publishing takes the writer.
    pub publish: Table,
    /// From publishing (or, where items are replicated, from the replica) to the reader's invocation.
    pub trigger: Table,
    /// From the item's writing to its replica; `None` where messages are no replicated items.
    pub item_lag: Option<Table>,
    /// Number of lanes; `None` delivers each message by itself.
    pub lanes: Option<u32>,
}

/// A cell that cannot be simulated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The model lacks something.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The number of requests is beyond what keys can tell apart.
    #[error("{0} requests are more than keys can tell apart: the limit is {limit}", limit = PostKey::MAX_REQUESTS)]
    TooManyRequests(u64),
    /// Nobody would ever send a request.
    #[error("nobody sends requests: the concurrency is 0, or the rate is not above 0")]
    NoArrivals,
}

impl Setup {
    /// The parameters of a cell under a model. `stream` names the random streams.
    ///
    /// # Errors
    /// When the model lacks something that the cell needs, or the cell has too many requests.
    pub fn new(model: &Model, inputs: &CellInputs, stream: &CellKey, nonce: String) -> Result<Self, SetupError> {
        Self::with(Services::new(model, inputs)?, inputs, stream, nonce)
    }

    /// The parameters of a cell on these services, which are those of its inputs.
    ///
    /// # Errors
    /// When the cell has too many requests, or none are ever sent.
    pub(crate) fn with(
        services: Services,
        inputs: &CellInputs,
        stream: &CellKey,
        nonce: String,
    ) -> Result<Self, SetupError> {
        if inputs.requests > PostKey::MAX_REQUESTS {
            return Err(SetupError::TooManyRequests(inputs.requests));
        }
        match inputs.arrival {
            Arrival::Concurrency(0) => return Err(SetupError::NoArrivals),
            Arrival::RatePerSecond(rate) if rate.is_nan() || rate <= 0.0 => return Err(SetupError::NoArrivals),
            Arrival::Concurrency(_) | Arrival::RatePerSecond(_) => {}
        }
        Ok(Self {
            requests: inputs.requests,
            arrival: inputs.arrival,
            invocation: inputs.invocation,
            barrier: BarrierPolicy {
                min_ms: inputs.barrier.min_ms,
                max_ms: inputs.barrier.max_ms,
                deadline_ms: inputs.barrier.deadline_ms,
            },
            delay_ms: inputs.axes.delay_ms,
            antipode: inputs.axes.antipode,
            payload_bytes: inputs.payload_bytes,
            nonce,
            draws: Draws::new(stream),
            services,
        })
    }

    /// The key of request `i`.
    #[must_use]
    pub fn key(&self, i: u64) -> Option<PostKey> {
        PostKey::new(i, self.draws.at(i, Purpose::Key, 0))
    }

    /// When an open loop sends request `i`, in microseconds after the cell's beginning.
    #[must_use]
    pub fn sent_after_us(&self, i: u64) -> Option<i64> {
        match self.arrival {
            Arrival::RatePerSecond(rate) => Some((i as f64 * 1e6 / rate).round() as i64),
            Arrival::Concurrency(_) => None,
        }
    }

    /// The event that a client sends for request `i`. It says the same with antipode on and off, so that a message grows
    /// by the lineage alone.
    #[must_use]
    pub fn request<'a>(&'a self, i: u64, key: &'a PostKey, sent_at: Micros) -> Event<'a> {
        let mut event = Event::new(i, key.as_str(), sent_at).with_barrier(self.barrier);
        event.attempt = Some(self.nonce.as_str().into());
        event.antipode = Some(self.antipode);
        event.delay_ms = Some(self.delay_ms);
        event.payload_bytes = Some(self.payload_bytes);
        event
    }
}

impl Deref for Setup {
    type Target = Services;
    fn deref(&self) -> &Services {
        &self.services
    }
}

impl Services {
    /// The services of a cell under a model.
    ///
    /// # Errors
    /// When the model lacks something that the cell needs.
    pub(crate) fn new(model: &Model, inputs: &CellInputs) -> Result<Self, ModelError> {
        let FunctionModel { cold_start, warm_start, concurrency, idle_timeout_ms } = &model.functions;
        Ok(Self {
            leg: model.client_leg.table(1.0, 0.0),
            cold_start: cold_start.table(1.0, 0.0),
            warm_start: warm_start.table(1.0, 0.0),
            concurrency: *concurrency,
            idle_timeout_us: (idle_timeout_ms * 1e3).round() as i64,
            post: PostTables::new(model, inputs)?,
            notification: NotificationTables::new(model, inputs)?,
        })
    }
}

impl PostTables {
    fn new(model: &Model, inputs: &CellInputs) -> Result<Self, ModelError> {
        let combination = &inputs.axes.combination;
        let storage = combination.post_storage;
        let post = model.post_storage(storage)?;
        let link = model.link(storage, &combination.regions)?;
        Ok(Self {
            storage,
            write: post.write.table(1.0, 0.0),
            read: post.read.table(1.0, link.client_overhead_ms),
            poll: post.poll.table(1.0, 0.0),
            transfer: post.transfer.as_ref().map(|transfer| {
                let share = inputs.payload_bytes as f64 / transfer.reference_bytes as f64;
                transfer.time.table(share, 0.0)
            }),
            lag: post.lag.table(link.lag_factor, link.lag_shift_ms),
            in_log_order: post.replication == Replication::Log,
        })
    }
}

impl NotificationTables {
    fn new(model: &Model, inputs: &CellInputs) -> Result<Self, ModelError> {
        let combination = &inputs.axes.combination;
        let storage = combination.notification_storage;
        let notification = model.notification_storage(storage)?;
        let link = model.notification_link(notification, &combination.regions)?;
        Ok(match notification {
            NotificationModel::Concurrent { publish, trigger, round_trips } => Self {
                storage,
                publish: publish.table(1.0, 0.0),
                trigger: trigger.table(1.0, round_trips * link.rtt_ms),
                item_lag: None,
                lanes: None,
            },
            NotificationModel::Ordered { publish, trigger, round_trips, lanes } => Self {
                storage,
                publish: publish.table(1.0, 0.0),
                trigger: trigger.table(1.0, round_trips * link.rtt_ms),
                item_lag: None,
                lanes: Some(*lanes),
            },
            NotificationModel::Stream { publish, item_lag, trigger, lanes } => Self {
                storage,
                publish: publish.table(1.0, 0.0),
                trigger: trigger.table(1.0, 0.0),
                item_lag: Some(item_lag.table(1.0, link.item_lag_shift_ms)),
                lanes: Some(*lanes),
            },
        })
    }
}
