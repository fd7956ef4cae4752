//! Sending the requests of a cell.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use aws_sdk_lambda::Client;
use aws_sdk_lambda::types::InvocationType;
use matrix_app::wire::{WireError, reply_event};
use matrix_app::{BarrierPolicy, ClientSide, Clock as _, Event, Micros, PostKey};
use matrix_driver::clean;
use matrix_lambdas::function::SystemClock;
use matrix_plan::{Arrival, CellInputs, Invocation};
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, sleep_until};

use super::invoke::{Answer, invoke};
use super::{LambdaError, Unserved};
use crate::aws::{Pause, Renewal};

/// What the client knows of a request once it expects nothing more of it.
#[derive(Clone, Debug)]
pub(crate) struct ClientResult {
    pub(crate) client: ClientSide,
    /// The event as the writer completed it, as JSON.
    pub(crate) reply: Option<String>,
    /// Answers by which the service asked to come back later.
    pub(crate) throttled: u64,
    /// Why there is no reply, where one was waited for.
    pub(crate) trouble: Option<Trouble>,
    /// The same in the words of who failed, without secrets.
    pub(crate) why: Option<String>,
}

/// Why a request has no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Trouble {
    /// The writer failed or was refused.
    Failed,
    /// No answer came.
    Unanswered,
}

/// Most refusals of credentials that each time turned out to be valid.
const REFUSALS_MAX: u32 = 10;

/// Everything that the requests of an attempt have in common.
#[derive(Debug)]
pub(crate) struct Sender {
    pub(crate) client: Client,
    pub(crate) function: String,
    pub(crate) inputs: CellInputs,
    pub(crate) nonce: String,
    /// Seed of the keys' letters.
    pub(crate) seed: u64,
    pub(crate) clock: SystemClock,
    pub(crate) in_flight: u32,
    pub(crate) throttle_patience: Duration,
    /// Credentials that may expire: a request is sent, and its time taken, when there are some.
    pub(crate) renewal: Option<Renewal>,
    pub(crate) stop: Arc<AtomicBool>,
    pub(crate) told: mpsc::Sender<ClientResult>,
}

impl Sender {
    /// Sends every request and tells how each ended, in whatever order. Ends early when it is stopped.
    pub(crate) async fn send_all(self) -> Result<(), LambdaError> {
        if self.inputs.requests > PostKey::MAX_REQUESTS {
            let most = PostKey::MAX_REQUESTS;
            return Err(Unserved::TooManyRequests { requests: self.inputs.requests, most }.into());
        }
        let this = Arc::new(self);
        match this.inputs.arrival {
            Arrival::Concurrency(clients) if clients > 0 => {
                this.closed_loop(clients.min(this.in_flight)).await;
                Ok(())
            }
            Arrival::RatePerSecond(rate) if rate > 0.0 => {
                this.open_loop(rate).await;
                Ok(())
            }
            arrival => Err(Unserved::NothingToSend(arrival).into()),
        }
    }

    async fn closed_loop(self: &Arc<Self>, clients: u32) {
        let next = Arc::new(AtomicU64::new(0));
        let clients = u64::from(clients).min(self.inputs.requests);
        let tasks = (0..clients).map(|_| {
            let (this, next) = (Arc::clone(self), Arc::clone(&next));
            tokio::spawn(async move {
                while !this.is_stopped() {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    if i >= this.inputs.requests {
                        break;
                    }
                    this.request(i, None).await;
                }
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            // A client ends by itself.
            let _ = task.await;
        }
    }

    /// Requests evenly spaced in time. Where too many are under way, the next one waits; it still counts as sent when it
    /// should have been. While there are no credentials time stands still for them all.
    async fn open_loop(self: &Arc<Self>, rate: f64) {
        let (began, epoch) = (Instant::now(), self.clock.now());
        let pause = self.renewal.as_ref().map_or_else(Pause::default, |renewal| renewal.pause().clone());
        let paused_before = pause.lasted();
        let free = Arc::new(Semaphore::new(self.in_flight as usize));
        for i in 0..self.inputs.requests {
            let planned = Duration::from_micros((i as f64 * 1e6 / rate).round() as u64);
            let mut after = planned;
            loop {
                sleep_until(began + after).await;
                pause.over().await;
                let moved = planned + pause.lasted().saturating_sub(paused_before);
                if moved <= after {
                    break;
                }
                after = moved;
            }
            let Ok(place) = Arc::clone(&free).acquire_owned().await else { break };
            if self.is_stopped() {
                break;
            }
            let after_us = i64::try_from(after.as_micros()).unwrap_or(i64::MAX);
            let (this, at) = (Arc::clone(self), epoch + after_us);
            tokio::spawn(async move {
                this.request(i, Some(at)).await;
                drop(place);
            });
        }
        let _ = free.acquire_many(self.in_flight).await;
    }

    /// Sends a request, as often as credentials are refused: then nothing was done, and it counts as sent when it is sent
    /// with others.
    async fn request(&self, i: u64, at: Option<Micros>) {
        let Some(key) = PostKey::new(i, mixed(self.seed, i)) else { return };
        let (mut at, mut throttled) = (at, 0);
        for refusals in 0.. {
            self.ready().await;
            let sent_at = at.take().unwrap_or_else(|| self.clock.now());
            let client = ClientSide { i, key, sent_at, reply_at: None, writer_failed: false };
            let mut told = ClientResult { client, reply: None, throttled, trouble: None, why: None };
            let answer = self.ask(&told.client, &mut throttled).await;
            told.throttled = throttled;
            match answer {
                Answer::Refused if refusals < REFUSALS_MAX => continue,
                answer => self.ended(&mut told, answer),
            }
            // Nobody listens only when the attempt is over.
            let _ = self.told.send(told).await;
            return;
        }
    }

    /// Waits for credentials where there are none.
    async fn ready(&self) {
        if let Some(renewal) = &self.renewal {
            renewal.ready().await;
        }
    }

    async fn ask(&self, client: &ClientSide, throttled: &mut u64) -> Answer {
        let kind = match self.inputs.invocation {
            Invocation::RequestResponse => InvocationType::RequestResponse,
            Invocation::Event => InvocationType::Event,
        };
        let payload = match self.event(client).to_json() {
            Ok(payload) => payload.into_bytes(),
            Err(error) => return Answer::Failed(error.to_string()),
        };
        let invoked = invoke(&self.client, &self.function, payload, &kind, self.throttle_patience).await;
        *throttled += invoked.throttled;
        invoked.answer
    }

    /// What an answer means for the client.
    fn ended(&self, told: &mut ClientResult, answer: Answer) {
        match answer {
            Answer::Reply(bytes) => {
                told.client.reply_at = Some(self.clock.now());
                match completed(bytes.as_ref()) {
                    Ok(event) => told.reply = Some(event),
                    Err(error) => {
                        let shown = String::from_utf8_lossy(bytes.as_ref());
                        told.failed(Trouble::Failed, &format!("the writer's reply cannot be read ({error}): {shown}"));
                    }
                }
            }
            Answer::Accepted => {}
            Answer::Failed(why) => {
                told.client.reply_at = Some(self.clock.now());
                told.failed(Trouble::Failed, &why);
            }
            Answer::Refused => {
                told.client.reply_at = Some(self.clock.now());
                told.failed(Trouble::Failed, "the credentials were refused");
            }
            Answer::Unknown(why) => told.failed(Trouble::Unanswered, &why),
        }
        told.client.writer_failed = told.trouble == Some(Trouble::Failed);
    }

    /// The event that a client sends. It says the same with antipode on and off, so that a message grows by the lineage
    /// alone.
    fn event<'a>(&'a self, client: &'a ClientSide) -> Event<'a> {
        let inputs = &self.inputs;
        let barrier = BarrierPolicy {
            min_ms: inputs.barrier.min_ms,
            max_ms: inputs.barrier.max_ms,
            deadline_ms: inputs.barrier.deadline_ms,
        };
        let mut event = Event::new(client.i, client.key.as_str(), client.sent_at).with_barrier(barrier);
        event.attempt = Some(self.nonce.as_str().into());
        event.antipode = Some(inputs.axes.antipode);
        event.delay_ms = Some(inputs.axes.delay_ms);
        event.payload_bytes = Some(inputs.payload_bytes);
        event
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// The event in a writer's reply, as JSON.
fn completed(reply: &[u8]) -> Result<String, WireError> {
    let event = reply_event(reply)?;
    Event::from_json(event.as_bytes())?;
    Ok(event.into_owned())
}

impl ClientResult {
    fn failed(&mut self, trouble: Trouble, why: &str) {
        self.trouble = Some(trouble);
        self.why = Some(clean(why));
    }
}

/// Random letters for a key: the output function of SplitMix64 (Steele, Lea and Flood, 2014) over the attempt's seed.
fn mixed(seed: u64, i: u64) -> u64 {
    let mut word = seed.wrapping_add(i.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}
