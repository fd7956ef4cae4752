//! Runs cells and keeps their rows.

use matrix_app::Row;
use matrix_app::row::HEADER;
use matrix_driver::{Cancel, Driver, RowSink, SinkError};
use matrix_plan::{CellInputs, NotificationStorage, PostStorage};
use matrix_sim::{Model, SimDriver};
use sha2::{Digest, Sha256};

use crate::cells;

/// Rows in the order in which they came.
#[derive(Default)]
pub(crate) struct Rows(pub(crate) Vec<Row>);

impl RowSink<Row> for Rows {
    fn push(&mut self, row: Row) -> Result<(), SinkError> {
        self.0.push(row);
        Ok(())
    }
}

impl Rows {
    /// The rows in order of `i`; there is one for each request.
    pub(crate) fn sorted(mut self, requests: u64) -> Vec<Row> {
        self.0.sort_by_key(|row| row.i);
        let numbers: Vec<u64> = self.0.iter().map(|row| row.i).collect();
        assert_eq!(numbers, (0..requests).collect::<Vec<_>>(), "every planned request has one row");
        self.0
    }
}

/// The built-in model.
pub(crate) fn builtin() -> Model {
    Model::builtin(Model::BUILTIN_NAME).unwrap()
}

/// The rows of a cell, in order of `i`.
pub(crate) fn run(driver: &SimDriver, inputs: CellInputs) -> Vec<Row> {
    let (mut rows, requests) = (Rows::default(), inputs.requests);
    driver.attempt(&cells::cell(inputs), &mut rows, &Cancel::default()).unwrap();
    rows.sorted(requests)
}

/// The rows of a cell of 8 clients from `eu` to `us` under the built-in model.
pub(crate) fn simulate(
    post: PostStorage,
    notification: NotificationStorage,
    antipode: bool,
    requests: u64,
) -> Vec<Row> {
    let model = builtin();
    let inputs = cells::inputs(&model, post, notification, antipode, requests);
    run(&SimDriver::new(model), inputs)
}

/// The trace's bytes.
pub(crate) fn trace(rows: &[Row]) -> Vec<u8> {
    let mut bytes = format!("{HEADER}\n").into_bytes();
    rows.iter().for_each(|row| row.write_csv(&mut bytes));
    bytes
}

/// SHA-256 of the trace's bytes: the object's name in a store.
pub(crate) fn digest(rows: &[Row]) -> String {
    Sha256::digest(trace(rows)).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Every post storage with every notification storage.
pub(crate) fn combinations() -> impl Iterator<Item = (PostStorage, NotificationStorage)> {
    let notifications = NotificationStorage::ALL;
    PostStorage::ALL.iter().flat_map(move |post| notifications.iter().map(move |notification| (*post, *notification)))
}
