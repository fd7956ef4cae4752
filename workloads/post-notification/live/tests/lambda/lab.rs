//! A testbed, the functions' packages, and cells to run on them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use matrix_app::{Outcome, Row, WORKLOAD_VERSION};
use matrix_driver::{AttemptDetails, Cancel, Driver as _, RowSink, SinkError};
use matrix_live::lambda::{LambdaDriver, Services, Settings};
use matrix_package::{Packages, package};
use matrix_plan::{
    Arrival, Axes, Barrier, Cell, CellInputs, Combination, Fingerprint, NotificationStorage, Platform, PostStorage,
};

use crate::bed::Bed;

/// The functions' packages, built once.
pub(crate) fn packages() -> &'static Packages {
    static PACKAGES: OnceLock<Packages> = OnceLock::new();
    PACKAGES.get_or_init(|| {
        // Asked for now: what was built for one clone may serve another that shares its target directory.
        let here = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo says where the package is"));
        let workspace = here.ancestors().nth(3).expect("a workspace");
        let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
        package(workspace, target.as_deref()).expect("the functions can be built")
    })
}

pub(crate) fn settings(run: &str) -> Settings {
    let mut settings = Settings::new(run, packages().clone());
    settings.gather_deadline = Duration::from_secs(20);
    settings.longest_barrier = Duration::from_secs(60);
    settings
}

pub(crate) fn driver(bed: &Bed, settings: Settings) -> LambdaDriver {
    LambdaDriver::new(Services::local(bed.testbed.endpoints()).unwrap(), settings).unwrap()
}

/// A cell of 8 requests at a concurrency of 4 between `eu` and `us`.
pub(crate) fn inputs(post: PostStorage, notification: NotificationStorage, antipode: bool) -> CellInputs {
    let combination =
        Combination { post_storage: post, notification_storage: notification, regions: "eu->us".parse().unwrap() };
    let axes = Axes { combination, delay_ms: 0, antipode };
    let fingerprint = Fingerprint::new(&serde_json::json!({})).unwrap();
    let defaults = CellInputs::with_defaults(axes, Platform::Local, fingerprint, WORKLOAD_VERSION);
    let (arrival, barrier) = (Arrival::Concurrency(4), Barrier { deadline_ms: 60_000, ..defaults.barrier });
    CellInputs { arrival, barrier, payload_bytes: 20_000, requests: 8, seed: 1, ..defaults }
}

pub(crate) fn cell(inputs: CellInputs) -> Cell {
    Cell::new(inputs).unwrap()
}

/// Rows by number; a second row of a request is refused.
#[derive(Default)]
pub(crate) struct Rows(pub(crate) BTreeMap<u64, Row>, Option<Box<dyn FnOnce()>>);

impl RowSink<Row> for Rows {
    fn push(&mut self, row: Row) -> Result<(), SinkError> {
        if let Some(happening) = self.1.take() {
            happening();
        }
        let i = row.i;
        match self.0.insert(i, row) {
            None => Ok(()),
            Some(_) => Err(SinkError(std::io::Error::other(format!("request {i} has two rows")))),
        }
    }
}

impl Rows {
    /// With something that happens when the first row comes: in the middle of the run.
    pub(crate) fn with(happening: impl FnOnce() + 'static) -> Self {
        Self(BTreeMap::new(), Some(Box::new(happening)))
    }

    pub(crate) fn count(&self, outcome: Outcome) -> usize {
        self.0.values().filter(|row| row.outcome == outcome).count()
    }

    pub(crate) fn misses(&self) -> usize {
        self.0.values().filter(|row| row.consistent_read == Some(false)).count()
    }

    /// Every planned request has its one row, whatever became of it.
    pub(crate) fn balance(&self, cell: &Cell) {
        assert!(self.0.keys().copied().eq(0..cell.inputs.requests), "{:?}", self.0.keys());
    }
}

/// Runs a cell and checks what holds of every attempt.
pub(crate) fn attempt(driver: &LambdaDriver, cell: &Cell) -> (Rows, AttemptDetails) {
    attempt_into(driver, cell, Rows::default())
}

/// Runs a cell into rows of one's own.
pub(crate) fn attempt_into(driver: &LambdaDriver, cell: &Cell, mut rows: Rows) -> (Rows, AttemptDetails) {
    let result = driver.attempt(cell, &mut rows, &Cancel::default());
    let attempt = result.unwrap_or_else(|error| panic!("{}: {error}", cell.axes()));
    rows.balance(cell);
    (rows, attempt)
}
