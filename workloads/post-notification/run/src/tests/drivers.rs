//! Services that misbehave, and an observer that remembers.

use std::sync::atomic::{AtomicUsize, Ordering};

use matrix_app::Row;
use matrix_driver::{AttemptDetails, Cancel, Driver, DriverError, RowSink, SinkError};
use matrix_plan::Cell;

use crate::Input;

/// The simulator, on services that do not last: the first so many attempts are spoilt after some rows.
pub(super) struct UnstableServices {
    pub(super) left: AtomicUsize,
    pub(super) driver: Box<dyn Driver<Cell, Row>>,
}

impl Driver<Cell, Row> for UnstableServices {
    fn attempt(
        &self,
        cell: &Cell,
        rows: &mut dyn RowSink<Row>,
        cancel: &Cancel,
    ) -> Result<AttemptDetails, DriverError> {
        let told = self.driver.attempt(cell, rows, cancel)?;
        let is_spoilt =
            self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
        if is_spoilt { Err(DriverError::EnvironmentChanged("the server ended".into())) } else { Ok(told) }
    }

    fn resources(&self, cell: &Cell) -> Vec<String> {
        self.driver.resources(cell)
    }
}

/// Services that fail the first so many requests of every cell, and then work.
pub(super) struct Failing {
    pub(super) requests: u64,
    pub(super) driver: Box<dyn Driver<Cell, Row>>,
}

impl Driver<Cell, Row> for Failing {
    fn attempt(
        &self,
        cell: &Cell,
        rows: &mut dyn RowSink<Row>,
        cancel: &Cancel,
    ) -> Result<AttemptDetails, DriverError> {
        let mut failing = FailingRows { first: self.requests, rows };
        let mut told = self.driver.attempt(cell, &mut failing, cancel)?;
        for i in 0..self.requests.min(cell.inputs.requests) {
            told.reasons.add(&format!("AccessDenied for 123456789012: password=p{i}"));
        }
        Ok(told)
    }

    fn resources(&self, cell: &Cell) -> Vec<String> {
        self.driver.resources(cell)
    }
}

pub(super) struct FailingRows<'a> {
    pub(super) first: u64,
    pub(super) rows: &'a mut dyn RowSink<Row>,
}

impl RowSink<Row> for FailingRows<'_> {
    fn push(&mut self, row: matrix_app::Row) -> Result<(), SinkError> {
        use matrix_app::Outcome;
        let failed = row.i < self.first;
        let outcome = if row.i.is_multiple_of(3) { Outcome::Lost } else { Outcome::WriterError };
        self.rows.push(if failed { matrix_app::Row { outcome, consistent_read: None, ..row } } else { row })
    }
}

/// The simulator in the place of services on this host, on which others work while one cell runs.
pub(super) struct OnHost {
    pub(super) simulated: Input,
    pub(super) driver: Box<dyn Driver<Cell, Row>>,
    pub(super) others_work: bool,
}

impl Driver<Cell, Row> for OnHost {
    fn attempt(
        &self,
        cell: &Cell,
        rows: &mut dyn RowSink<Row>,
        cancel: &Cancel,
    ) -> Result<AttemptDetails, DriverError> {
        let same = self.simulated.cells.iter().find(|(_, simulated)| simulated.axes() == cell.axes()).unwrap();
        let told = self.driver.attempt(&same.1, rows, cancel)?;
        let is_disturbed = self.others_work && cell.axes().to_string() == "redis+sns eu->us delay 0 ms antipode on";
        let host = if is_disturbed { "disturbed: 40 % of the processors' time went to others" } else { "quiet" };
        Ok(AttemptDetails { host: Some(host.to_owned()), ..told })
    }

    fn resources(&self, _: &Cell) -> Vec<String> {
        Vec::new()
    }

    fn needs_exclusive_host(&self) -> bool {
        true
    }
}

/// Keeps what is said.
#[derive(Default)]
pub(super) struct Notes(pub(super) std::sync::Mutex<Vec<String>>);

impl crate::Observer for Notes {
    fn note(&self, text: std::fmt::Arguments<'_>) {
        self.0.lock().unwrap().push(text.to_string());
    }
}
