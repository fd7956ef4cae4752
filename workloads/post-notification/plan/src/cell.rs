//! Cells: one point of the cross-product, everything that gives it its meaning, and its key.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::axes::{NotificationStorage, Platform, PostStorage, RegionPair};
use crate::key::CellKey;
use crate::point::{Axes, Combination};

/// Version of the inputs' form. It is part of every key.
pub const SCHEMA: u32 = 1;

/// When requests are sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Arrival {
    /// Closed loop: so many clients, each of which waits for the writer's answer before it sends again.
    Concurrency(u32),
    /// Open loop: so many requests a second, evenly spaced.
    RatePerSecond(f64),
}

/// How the client invokes the writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Invocation {
    /// The client waits for the answer.
    RequestResponse,
    /// The client does not wait.
    Event,
}

/// How the barrier polls, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Barrier {
    /// Time after which it gives up.
    pub deadline_ms: u64,
    /// Longest pause between two polls.
    pub max_ms: u64,
    /// First pause; it doubles.
    pub min_ms: u64,
}

/// What the platform adds to a cell's meaning: canonical JSON. For the sim: its version and the model parameters that the
/// cell uses; for real services their kinds, versions and settings.
#[derive(Clone, Debug)]
pub struct Fingerprint(Arc<RawValue>);

impl Fingerprint {
    /// The fingerprint of a value.
    ///
    /// # Errors
    /// When the value has no canonical JSON (a number that is not finite).
    pub fn new<T: Serialize>(value: &T) -> Result<Self, serde_json::Error> {
        let canonical = serde_json_canonicalizer::to_string(value)?;
        Ok(Self(RawValue::from_string(canonical)?.into()))
    }

    /// The canonical JSON.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// What a simulator's model had no data of. Real services extrapolate nothing.
    #[must_use]
    pub fn extrapolated(&self) -> Extrapolated {
        #[derive(Deserialize)]
        struct Links {
            notification_link: Link,
            post_link: Link,
        }
        #[derive(Deserialize)]
        struct Link {
            extrapolated: bool,
        }
        // A fingerprint of another form is not a simulator's.
        serde_json::from_str::<Links>(self.as_str()).map_or_else(
            |_| Extrapolated::default(),
            |links| Extrapolated {
                post: links.post_link.extrapolated,
                notification: links.notification_link.extrapolated,
            },
        )
    }
}

/// What a simulator's model has no data of for a cell's region pair: it takes the reference pair's, shifted by the
/// round-trip times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extrapolated {
    /// The post storage.
    pub post: bool,
    /// The notification storage.
    pub notification: bool,
}

impl Extrapolated {
    /// Whether there is anything.
    #[must_use]
    pub fn any(self) -> bool {
        self.post || self.notification
    }
}

impl PartialEq for Fingerprint {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(Self::shared)
    }
}

/// Most bytes of a fingerprint that is kept to be shared, and most such fingerprints.
const SHARED_BYTES: usize = 4096;
const SHARED: usize = 1024;

thread_local! {
    /// Fingerprints that were read: there are as many as combinations, and many more cells.
    static READ: RefCell<BTreeMap<Box<str>, Fingerprint>> = RefCell::default();
}

impl Fingerprint {
    /// The fingerprint of this text: where it was read before, that one.
    fn shared(raw: Box<RawValue>) -> Self {
        if raw.get().len() > SHARED_BYTES {
            return Self(raw.into());
        }
        READ.with_borrow_mut(|read| {
            if let Some(known) = read.get(raw.get()) {
                return known.clone();
            }
            if read.len() >= SHARED {
                read.clear();
            }
            let text = raw.get().into();
            let new = Self(raw.into());
            read.insert(text, new.clone());
            new
        })
    }
}

/// Everything that gives a cell its meaning, and nothing else. Its JSON, as serialised, is canonical: the fields stand in
/// the order of their names, and no value has a second spelling.
#[derive(Clone, Debug, PartialEq)]
pub struct CellInputs {
    /// One value of every axis.
    pub axes: Axes,
    /// When requests are sent.
    pub arrival: Arrival,
    /// How the barrier polls.
    pub barrier: Barrier,
    /// What the platform adds.
    pub fingerprint: Fingerprint,
    /// How the client invokes the writer.
    pub invocation: Invocation,
    /// Length of a post's content, in bytes.
    pub payload_bytes: u64,
    /// What the cell runs on.
    pub platform: Platform,
    /// Number of requests.
    pub requests: u64,
    /// Number of the round, from 1.
    pub round: u32,
    /// Seed of all randomness.
    pub seed: u64,
    /// Version of the application's behaviour.
    pub workload_version: u32,
}

/// The JSON form of [`CellInputs`]: an object with its names in order. `seed` is text, because canonical JSON rounds
/// whole numbers above 2^53.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire<F> {
    #[serde(skip_serializing_if = "Option::is_none")]
    antipode: Option<bool>,
    arrival: WireArrival,
    barrier: Barrier,
    delay_ms: u64,
    fingerprint: F,
    invocation: Invocation,
    notification_storage: NotificationStorage,
    payload_bytes: u64,
    platform: Platform,
    post_storage: PostStorage,
    regions: RegionPair,
    requests: u64,
    round: u32,
    schema: u32,
    seed: String,
    workload_version: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireArrival {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    concurrency: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "canonical_number")]
    rate_per_s: Option<f64>,
}

/// A number as canonical JSON writes it: without a fraction where it has none. Rates lie between 0.001 and 10^6, where
/// `serde_json` and RFC 8785 otherwise agree.
#[expect(clippy::ref_option, reason = "serde's signature")]
fn canonical_number<S: Serializer>(number: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    match *number {
        Some(number) if number.fract() == 0.0 && number.abs() < 9e15 => serializer.serialize_i64(number as i64),
        Some(number) => serializer.serialize_f64(number),
        None => serializer.serialize_none(),
    }
}

impl CellInputs {
    fn to_wire(&self, with_antipode: bool) -> Wire<&Fingerprint> {
        let Axes { combination, delay_ms, antipode } = self.axes.clone();
        Wire {
            antipode: with_antipode.then_some(antipode),
            arrival: match self.arrival {
                Arrival::Concurrency(clients) => WireArrival { concurrency: Some(clients), rate_per_s: None },
                Arrival::RatePerSecond(rate) => WireArrival { concurrency: None, rate_per_s: Some(rate) },
            },
            barrier: self.barrier,
            delay_ms,
            fingerprint: &self.fingerprint,
            invocation: self.invocation,
            notification_storage: combination.notification_storage,
            payload_bytes: self.payload_bytes,
            platform: self.platform,
            post_storage: combination.post_storage,
            regions: combination.regions,
            requests: self.requests,
            round: self.round,
            schema: SCHEMA,
            seed: self.seed.to_string(),
            workload_version: self.workload_version,
        }
    }

    /// The canonical JSON of the inputs, whose SHA-256 is the cell's key.
    ///
    /// # Errors
    /// When a number is not finite.
    pub fn canonical(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(&self.to_wire(true))
    }

    /// The cell's key: the SHA-256 of the canonical JSON.
    ///
    /// # Errors
    /// When a number is not finite.
    pub fn key(&self) -> Result<CellKey, serde_json::Error> {
        key_of(&self.to_wire(true))
    }

    /// The SHA-256 of the canonical JSON without `antipode`: what an on/off pair has in common, and the name of its
    /// random streams.
    ///
    /// # Errors
    /// When a number is not finite.
    pub fn pair_key(&self) -> Result<CellKey, serde_json::Error> {
        key_of(&self.to_wire(false))
    }
}

thread_local! {
    /// What keys are computed of: a kilobyte for each of many.
    static JSON: RefCell<Vec<u8>> = RefCell::default();
}

fn key_of(wire: &Wire<&Fingerprint>) -> Result<CellKey, serde_json::Error> {
    JSON.with_borrow_mut(|json| {
        json.clear();
        serde_json::to_writer(&mut *json, wire)?;
        Ok(CellKey::of(json))
    })
}

impl Serialize for CellInputs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_wire(true).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for CellInputs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let wire = Wire::<Fingerprint>::deserialize(deserializer)?;
        if wire.schema != SCHEMA {
            return Err(D::Error::custom(format_args!("inputs of schema {}, not {SCHEMA}", wire.schema)));
        }
        let arrival = match (wire.arrival.concurrency, wire.arrival.rate_per_s) {
            (Some(clients), None) => Arrival::Concurrency(clients),
            (None, Some(rate)) => Arrival::RatePerSecond(rate),
            _ => return Err(D::Error::custom("an arrival is either a concurrency or a rate")),
        };
        Ok(Self {
            axes: Axes {
                combination: Combination::new(wire.post_storage, wire.notification_storage, wire.regions),
                delay_ms: wire.delay_ms,
                antipode: wire.antipode.ok_or_else(|| D::Error::missing_field("antipode"))?,
            },
            arrival,
            barrier: wire.barrier,
            fingerprint: wire.fingerprint,
            invocation: wire.invocation,
            payload_bytes: wire.payload_bytes,
            platform: wire.platform,
            requests: wire.requests,
            round: wire.round,
            seed: wire.seed.parse().map_err(D::Error::custom)?,
            workload_version: wire.workload_version,
        })
    }
}

/// A cell: its inputs and their key.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// The SHA-256 of the inputs' canonical JSON.
    pub key: CellKey,
    /// What gives the cell its meaning.
    pub inputs: CellInputs,
}

impl Cell {
    /// The cell of the given inputs.
    ///
    /// # Errors
    /// When a number is not finite.
    pub fn new(inputs: CellInputs) -> Result<Self, serde_json::Error> {
        Ok(Self { key: inputs.key()?, inputs })
    }

    /// The cell's axes.
    #[must_use]
    pub fn axes(&self) -> &Axes {
        &self.inputs.axes
    }
}
