//! What a cell costs.

use std::collections::{BTreeMap, BTreeSet};

use matrix_plan::{Arrival, Aws, Axes, CellInputs, NotificationStorage, PostStorage, Region, Regions};

use super::assumptions::{
    AURORA_PAGE_BYTES, AURORA_WRITE_BYTES, CLIENT_MS, NOTIFICATION_BYTES, POST_OVERHEAD_BYTES, READER_MS,
    SETTLING_MINUTES, SQS_REQUESTS, STREAM_SHARDS, missed_polls, wait_ms, windows_ms,
};
use super::item::Item;
use super::prices::{NoPrice, Prices};
use super::service::Service;

/// What a cell, or several, is expected to take and to cost. The hours of databases, nodes and brokers are not in it: those
/// are the set-up's, and run on while nothing is measured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CellCost {
    /// Requests of the client.
    pub requests: u64,
    /// Bytes that leave the writer's region for readers' ones.
    pub bytes_between_regions: u64,
    /// Polls of storages by barriers.
    pub barrier_polls: u64,
    /// Time in minutes, one cell after the other.
    pub minutes: f64,
    /// US dollars by service.
    pub dollars: BTreeMap<Service, f64>,
}

impl CellCost {
    /// US dollars of all services.
    #[must_use]
    pub fn total(&self) -> f64 {
        // The sum of no numbers would be -0.
        self.dollars.values().fold(0.0, |sum, dollars| sum + dollars)
    }

    /// Adds another cell's.
    pub fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.bytes_between_regions += other.bytes_between_regions;
        self.barrier_polls += other.barrier_polls;
        self.minutes += other.minutes;
        for (service, dollars) in &other.dollars {
            *self.dollars.entry(*service).or_default() += dollars;
        }
    }
}

/// Estimates the cost of an experiment's cells.
#[derive(Clone, Debug)]
pub struct Costs<'a> {
    prices: &'a Prices,
    regions: &'a Regions,
    memory_mb: u32,
    /// The regions to which each writer's data is replicated: those of all readers that the experiment has for it, because
    /// the storages replicate to every region that they were set up for, whoever reads.
    replicas: BTreeMap<Region, BTreeSet<Region>>,
}

/// What the lines of a bill are made of.
struct Bill<'a> {
    prices: &'a Prices,
    dollars: BTreeMap<Service, f64>,
}

impl Bill<'_> {
    fn add(&mut self, service: Service, item: Item, region: &str, units: f64) -> Result<(), NoPrice> {
        *self.dollars.entry(service).or_default() += self.prices.dollars(item, region, units)?;
        Ok(())
    }
}

/// AWS names of the regions that a cell uses.
struct AwsRegions<'a> {
    writer: &'a str,
    reader: &'a str,
    replicas: Vec<&'a str>,
}

impl<'a> Costs<'a> {
    /// For the cells of an experiment with these settings, regions and points.
    #[must_use]
    pub fn new(prices: &'a Prices, aws: &Aws, regions: &'a Regions, points: &[Axes]) -> Self {
        let mut replicas: BTreeMap<Region, BTreeSet<Region>> = BTreeMap::new();
        for point in points {
            let pair = &point.combination.regions;
            replicas.entry(pair.writer.clone()).or_default().insert(pair.reader.clone());
        }
        Self { prices, regions, memory_mb: aws.memory_mb, replicas }
    }

    /// What a cell is expected to take and to cost.
    ///
    /// # Errors
    /// When the file of prices lacks one.
    pub fn cell(&self, cell: &CellInputs) -> Result<CellCost, NoPrice> {
        let Axes { combination, delay_ms, antipode } = &cell.axes;
        let places = self.places(cell);
        let requests = cell.requests as f64;
        let wait_ms = if *antipode { wait_ms(combination.post_storage, *delay_ms, cell.barrier) } else { 0.0 };
        let misses = if *antipode { missed_polls(wait_ms, cell.barrier) } else { 0 };
        let (window_ms, _) = windows_ms(combination.post_storage);
        // The writer takes less than a window, which ends when the post is read.
        let writer_ms = window_ms + *delay_ms as f64;
        let reader_ms = READER_MS + wait_ms;

        let mut bill = Bill { prices: self.prices, dollars: BTreeMap::new() };
        for (region, ms) in [(places.writer, writer_ms), (places.reader, reader_ms)] {
            bill.add(Service::Lambda, Item::LambdaRequest, region, requests)?;
            let gb_seconds = requests * ms / 1000.0 * f64::from(self.memory_mb) / 1024.0;
            bill.add(Service::Lambda, Item::LambdaGbSecond, region, gb_seconds)?;
        }
        bill.add(Service::Sqs, Item::SqsRequest, places.reader, requests * SQS_REQUESTS)?;
        post(&mut bill, cell, &places, misses)?;
        match combination.notification_storage {
            NotificationStorage::Sns => bill.add(Service::Sns, Item::SnsPublish, places.writer, requests)?,
            NotificationStorage::Amq => {}
            NotificationStorage::Dynamo => items(&mut bill, cell, &places, NOTIFICATION_BYTES)?,
        }
        let bytes_between_regions = bytes(cell, places.replicas.len() as u64);
        bill.add(Service::Transfer, Item::TransferGb, places.writer, bytes_between_regions as f64 / 1e9)?;

        let sending_ms = match cell.arrival {
            Arrival::Concurrency(clients) => requests * (writer_ms + CLIENT_MS) / f64::from(clients),
            Arrival::RatePerSecond(rate) => requests / rate * 1000.0,
        };
        let reading_ms = match combination.notification_storage {
            NotificationStorage::Dynamo => requests * reader_ms / STREAM_SHARDS,
            NotificationStorage::Sns | NotificationStorage::Amq => 0.0,
        };
        Ok(CellCost {
            requests: cell.requests,
            bytes_between_regions,
            barrier_polls: if *antipode { cell.requests * (misses + 1) } else { 0 },
            minutes: (sending_ms.max(reading_ms) + writer_ms + reader_ms) / 60_000.0 + SETTLING_MINUTES,
            dollars: bill.dollars,
        })
    }

    /// A region without a name has the prices of any region: cells of such do not come so far.
    fn places(&self, cell: &CellInputs) -> AwsRegions<'_> {
        let pair = &cell.axes.combination.regions;
        let name = |region: &Region| self.regions.aws_name(region).unwrap_or(super::prices::ANYWHERE);
        let readers = self.replicas.get(&pair.writer).into_iter().flatten();
        let replicas = readers.filter(|region| **region != pair.reader).map(name);
        AwsRegions {
            writer: name(&pair.writer),
            reader: name(&pair.reader),
            replicas: std::iter::once(name(&pair.reader)).chain(replicas).collect(),
        }
    }
}

/// Bytes that leave the writer's region: posts go to every replica, and so do notifications in DynamoDB; others go to the
/// reader alone.
fn bytes(cell: &CellInputs, replicas: u64) -> u64 {
    let notified = match cell.axes.combination.notification_storage {
        NotificationStorage::Sns | NotificationStorage::Amq => 1,
        NotificationStorage::Dynamo => replicas,
    };
    let post = cell.payload_bytes.saturating_add(POST_OVERHEAD_BYTES).saturating_mul(replicas);
    cell.requests.saturating_mul(post.saturating_add(NOTIFICATION_BYTES * notified))
}

/// Writing, reading and removing the posts, and asking whether they are visible.
fn post(bill: &mut Bill<'_>, cell: &CellInputs, places: &AwsRegions<'_>, misses: u64) -> Result<(), NoPrice> {
    let requests = cell.requests as f64;
    let bytes = cell.payload_bytes.saturating_add(POST_OVERHEAD_BYTES);
    match cell.axes.combination.post_storage {
        PostStorage::Redis => Ok(()),
        PostStorage::S3 => {
            for region in std::iter::once(&places.writer).chain(&places.replicas) {
                bill.add(Service::S3, Item::S3Put, region, requests)?;
            }
            let hits = 1 + u64::from(cell.axes.antipode);
            bill.add(Service::S3, Item::S3Get, places.reader, requests * (hits + misses) as f64)
        }
        PostStorage::Mysql => {
            let writes = requests * bytes.div_ceil(AURORA_WRITE_BYTES) as f64;
            bill.add(Service::Aurora, Item::AuroraIo, places.writer, writes)?;
            for region in &places.replicas {
                bill.add(Service::Aurora, Item::AuroraReplicatedIo, region, writes)?;
            }
            bill.add(
                Service::Aurora,
                Item::AuroraIo,
                places.reader,
                requests * bytes.div_ceil(AURORA_PAGE_BYTES) as f64,
            )
        }
        PostStorage::Dynamo => {
            items(bill, cell, places, bytes)?;
            // A reader reads weakly, for half a unit; the barrier strongly, and what is not there costs one unit.
            let item = bytes.div_ceil(4096) as f64;
            let found = if cell.axes.antipode { item } else { 0.0 };
            bill.add(
                Service::Dynamo,
                Item::DynamoReadUnit,
                places.reader,
                requests * (item / 2.0 + found + misses as f64),
            )
        }
    }
}

/// Writing items of a global table, and removing them afterwards, which costs as much.
fn items(bill: &mut Bill<'_>, cell: &CellInputs, places: &AwsRegions<'_>, bytes: u64) -> Result<(), NoPrice> {
    let units = 2.0 * cell.requests as f64 * bytes.div_ceil(1024) as f64;
    std::iter::once(&places.writer)
        .chain(&places.replicas)
        .try_for_each(|region| bill.add(Service::Dynamo, Item::DynamoWriteUnit, region, units))
}
