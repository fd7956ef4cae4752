//! How fast the driver is: requests to a stub of the Invoke and SQS APIs on loopback, a thousand of them in flight.
//!
//! `cargo bench -p matrix-live --bench invoke` prints invocations per second of the processor time that the driver's own
//! threads used, and the process's memory as it went on. Side by side: the original's shape, a client per request.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a benchmark that cannot go on fails")]

mod measure;
mod stub;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_lambda::primitives::Blob;
use matrix_app::{Row, WORKLOAD_VERSION};
use matrix_driver::{Cancel, RowSink, SinkError};
use matrix_live::lambda::{LambdaDriver, Route, Services, Settings, Site};
use matrix_package::Packages;
use matrix_plan::{
    Arrival, Axes, Barrier, Cell, CellInputs, Combination, Fingerprint, NotificationStorage, Platform, PostStorage,
    Region,
};

/// The allocator of the command.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const IN_FLIGHT: u32 = 1000;
const REGION: &str = "eu-central-1";

/// Counts rows, and notes the memory used as they come.
struct Count {
    rows: u64,
    every: u64,
    memory_kib: Vec<u64>,
}

impl RowSink<Row> for Count {
    fn push(&mut self, _row: Row) -> Result<(), SinkError> {
        self.rows += 1;
        if self.rows.is_multiple_of(self.every) {
            self.memory_kib.push(measure::resident_kib());
        }
        Ok(())
    }
}

fn cell(requests: u64) -> Cell {
    let combination = Combination::new(PostStorage::Redis, NotificationStorage::Sns, "eu->us".parse().unwrap());
    let axes = Axes { combination, delay_ms: 0, antipode: true };
    let fingerprint = Fingerprint::new(&serde_json::json!({})).unwrap();
    let defaults = CellInputs::with_defaults(axes, Platform::Local, fingerprint, WORKLOAD_VERSION);
    let (arrival, barrier) = (Arrival::Concurrency(IN_FLIGHT), Barrier { deadline_ms: 60_000, ..defaults.barrier });
    Cell::new(CellInputs { arrival, barrier, payload_bytes: 1000, requests, seed: 1, ..defaults }).unwrap()
}

fn credentials() -> SharedCredentialsProvider {
    SharedCredentialsProvider::new(Credentials::new("test", "test", None, None, "bench"))
}

fn driver(url: &str) -> LambdaDriver {
    let regions = Region::BUILT_IN.map(|(short, aws)| (Region::new(short).unwrap(), aws.to_owned()));
    let services = Services {
        aws: matrix_lambdas::aws::config(Some(url), credentials()),
        account: "000000000000".into(),
        regions: regions.into(),
        mysql: None,
        redis: None,
        brokers: None,
        inside: std::collections::BTreeSet::new(),
        given: matrix_aws::ConnectionInfo::default(),
        renewal: None,
        site: Site::Emulator(url.to_owned()),
        visible_log: None,
    };
    LambdaDriver::new(services, Settings::new("bench", Packages { writer: Vec::new(), reader: Vec::new() })).unwrap()
}

fn shared_client(url: &str, requests: u64) -> f64 {
    let driver = driver(url);
    let route = Route {
        writer_region: REGION.into(),
        function: "writer".into(),
        reader_region: REGION.into(),
        queue_url: format!("{url}/000000000000/evaluations"),
        identity: String::new(),
    };
    let mut rows = Count { rows: 0, every: requests / 8, memory_kib: Vec::new() };
    let (began, spent) = (Instant::now(), measure::own_cpu_s());
    let attempt = driver.exchange(&cell(requests), route, &mut rows, &Cancel::default()).unwrap();
    let (cpu, wall) = (measure::own_cpu_s() - spent, began.elapsed().as_secs_f64());
    assert_eq!(rows.rows, requests);
    assert_eq!((attempt.notes["duplicates"], attempt.notes["unanswered"]), (0, 0), "{attempt:?}");
    println!("one shared client, {requests} requests with their evaluations, {IN_FLIGHT} in flight:");
    println!("  {:.0} invocations per second of processor time ({cpu:.2} s)", requests as f64 / cpu);
    println!("  {:.0} per second of time ({wall:.2} s; the stub ran on the same cores)", requests as f64 / wall);
    println!("  memory at each eighth of the rows, KiB: {:?}", rows.memory_kib);
    requests as f64 / cpu
}

/// The original's shape: each request makes a client with connections of its own. It does not even gather.
fn client_per_request(url: &str, requests: u64) -> f64 {
    measure::wait_for_ended_threads("matrix-lambda");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("matrix-lambda")
        .enable_all()
        .build()
        .unwrap();
    let (began, spent) = (Instant::now(), measure::own_cpu_s());
    let next = Arc::new(AtomicU64::new(0));
    runtime.block_on(async {
        let tasks: Vec<_> = (0..IN_FLIGHT)
            .map(|_| {
                let (next, url) = (Arc::clone(&next), url.to_owned());
                tokio::spawn(async move {
                    loop {
                        let i = next.fetch_add(1, Ordering::Relaxed);
                        if i >= requests {
                            return;
                        }
                        let aws = matrix_lambdas::aws::config(Some(&url), credentials());
                        let aws = aws.into_builder().region(aws_types::region::Region::new(REGION)).build();
                        let event = format!(r#"{{"i":{i},"key":"0QX4ZD0PAB","client_sent_at":1.5,"attempt":"none"}}"#);
                        let client = aws_sdk_lambda::Client::new(&aws);
                        client.invoke().function_name("writer").payload(Blob::new(event)).send().await.unwrap();
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
    let (cpu, wall) = (measure::own_cpu_s() - spent, began.elapsed().as_secs_f64());
    println!("a client per request, {requests} requests, no evaluations, {IN_FLIGHT} in flight:");
    println!("  {:.0} invocations per second of processor time ({cpu:.2} s; {wall:.2} s)", requests as f64 / cpu);
    requests as f64 / cpu
}

fn main() {
    // `cargo test --benches` runs this too: then a little is enough.
    let long = std::env::args().any(|argument| argument == "--bench");
    let stub = stub::Stub::start();
    let shared = shared_client(&stub.url(), if long { 80_000 } else { 2_000 });
    let stub = stub::Stub::start();
    let single = client_per_request(&stub.url(), if long { 8_000 } else { 1_000 });
    println!("the shared client does {:.1} times as much", shared / single);
}
