//! What the simulator makes of injected faults.

use matrix_app::host::ErrorKind;
use matrix_app::{Outcome, Row};
use matrix_driver::{Cancel, Driver, DriverError, RowSink, SinkError};
use matrix_plan::{NotificationStorage, PostStorage};
use matrix_sim::SimDriver;
use matrix_sim::faults::{Call, Faults};

use crate::cells;
use crate::rows::{Rows, builtin, run};

/// Breaks what concerns one request.
#[derive(Clone, Copy)]
enum Break {
    /// Cuts the delivered message short.
    Delivery(u64),
    /// Changes the number in the delivered message, so that the evaluation is another request's.
    Identity(u64),
    /// Lets a call hang.
    Hang(u64, Call),
    /// Lets a call fail.
    Fail(u64, Call, ErrorKind),
}

impl Faults for Break {
    fn deliver(&self, i: u64, wire: &mut Vec<u8>) {
        match *self {
            Self::Delivery(broken) if broken == i => wire.truncate(wire.len() / 2),
            Self::Identity(broken) if broken == i => {
                let text = String::from_utf8(wire.clone()).unwrap();
                *wire = text.replacen(&format!("\\\"i\\\":{i},"), "\\\"i\\\":99,", 1).into_bytes();
            }
            _ => {}
        }
    }

    fn hangs(&self, i: u64, call: Call) -> bool {
        matches!(*self, Self::Hang(broken, hanging) if broken == i && hanging == call)
    }

    fn fails(&self, i: u64, call: Call) -> Option<ErrorKind> {
        match *self {
            Self::Fail(broken, failing, kind) if broken == i && failing == call => Some(kind),
            _ => None,
        }
    }
}

fn outcomes(faults: Break, notification: NotificationStorage) -> Vec<Row> {
    let driver = SimDriver::with_faults(builtin(), faults);
    run(&driver, cells::inputs(driver.model(), PostStorage::Redis, notification, true, 40))
}

/// Everything but the broken request is well.
fn only(rows: &[Row], broken: u64, expected: Outcome) -> &Row {
    for row in rows {
        assert_eq!(row.outcome, if row.i == broken { expected } else { Outcome::Ok }, "{row:?}");
    }
    &rows[broken as usize]
}

/// Fails for a simulator that reads the post itself and does not hand the delivered bytes to the application's reader.
#[test]
fn a_corrupt_delivery_is_lost_which_it_is_not_when_the_reader_is_bypassed() {
    for notification in NotificationStorage::ALL {
        for faults in [Break::Delivery(7), Break::Identity(7)] {
            if matches!(faults, Break::Identity(_)) && *notification != NotificationStorage::Sns {
                continue;
            }
            let rows = outcomes(faults, *notification);
            let row = only(&rows, 7, Outcome::Lost);
            assert_eq!((row.post_read_us, row.consistent_read, row.notification_bytes), (None, None, None));
            assert!(row.reply_us.is_some() && row.post_visible_us.is_some());
        }
    }
}

#[test]
fn a_hung_poll_is_cut_at_the_deadline() {
    let rows = outcomes(Break::Hang(7, Call::Poll), NotificationStorage::Sns);
    let row = only(&rows, 7, Outcome::BarrierTimeout);
    assert_eq!((row.barrier_us, row.barrier_polls, row.read_start_us), (Some(120_000_000), Some(1), None));
}

#[test]
fn a_waiting_barrier_blocks_what_follows_in_its_lane() {
    let rows = outcomes(Break::Hang(7, Call::Poll), NotificationStorage::Amq);
    let stuck = only(&rows, 7, Outcome::BarrierTimeout);
    let until = stuck.reader_received_us.unwrap() + 120_000_000;
    let behind = rows.iter().filter(|row| row.notification_written_us > stuck.notification_written_us);
    assert_eq!(behind.clone().count(), rows.len() - 8 + count_earlier(&rows, stuck));
    assert!(behind.clone().all(|row| row.reader_received_us.unwrap() >= until));
    let others = outcomes(Break::Hang(7, Call::Poll), NotificationStorage::Sns);
    assert!(others.iter().filter(|row| row.i != 7).all(|row| row.reader_received_us.unwrap() < 100_000_000));
}

/// How many of requests 0 to 7 were published after the stuck one, less how many of the later ones before it.
fn count_earlier(rows: &[Row], stuck: &Row) -> usize {
    let later = |row: &&Row| row.notification_written_us > stuck.notification_written_us;
    let before_it = rows[8..].iter().filter(|row| !later(row)).count();
    rows[..8].iter().filter(later).count() - before_it
}

#[test]
fn a_transient_failure_of_a_poll_is_asked_again() {
    let rows = outcomes(Break::Fail(7, Call::Poll, ErrorKind::Throttled), NotificationStorage::Sns);
    // It fails every time, so the barrier gives up in the end, after many questions.
    let row = only(&rows, 7, Outcome::BarrierTimeout);
    assert!(row.barrier_polls > Some(1000), "{row:?}");
}

#[test]
fn storages_that_fail_for_good_are_outcomes() {
    let refused = ErrorKind::Refused;
    for (call, expected) in [
        (Call::Write, Outcome::WriterError),
        (Call::Publish, Outcome::WriterError),
        (Call::Poll, Outcome::ReaderError),
        (Call::Read, Outcome::ReaderError),
        (Call::Evaluate, Outcome::Lost),
    ] {
        let rows = outcomes(Break::Fail(7, call, refused), NotificationStorage::Sns);
        let row = only(&rows, 7, expected);
        assert_eq!(row.consistent_read, None);
        assert!(row.reply_us.is_some(), "the client hears of failures too: {row:?}");
    }
}

#[test]
fn a_cell_in_which_nothing_can_happen_any_more_fails() {
    let driver = SimDriver::with_faults(builtin(), Break::Hang(7, Call::Write));
    let cell = cells::cell(cells::inputs(driver.model(), PostStorage::Redis, NotificationStorage::Sns, false, 40));
    let error = driver.attempt(&cell, &mut Rows::default(), &Cancel::default()).unwrap_err();
    assert_eq!(error.to_string(), "after 39 of 40 requests nothing can happen any more");
}

#[test]
fn a_cell_stops_when_asked_to() {
    struct Stop(Cancel, Rows);
    impl RowSink<Row> for Stop {
        fn push(&mut self, row: Row) -> Result<(), SinkError> {
            self.0.cancel();
            self.1.push(row)
        }
    }
    let driver = SimDriver::new(builtin());
    let cell = cells::cell(cells::inputs(driver.model(), PostStorage::Redis, NotificationStorage::Sns, false, 5000));
    let cancel = Cancel::default();
    let mut sink = Stop(cancel.clone(), Rows::default());
    assert!(matches!(driver.attempt(&cell, &mut sink, &cancel), Err(DriverError::Cancelled)));
    assert!(sink.1.0.len() < 1000, "soon: {} rows", sink.1.0.len());
}

#[test]
fn a_row_that_cannot_be_kept_ends_the_attempt() {
    struct Full;
    impl RowSink<Row> for Full {
        fn push(&mut self, _: Row) -> Result<(), SinkError> {
            Err(SinkError(std::io::ErrorKind::StorageFull.into()))
        }
    }
    let driver = SimDriver::new(builtin());
    let cell = cells::cell(cells::inputs(driver.model(), PostStorage::Redis, NotificationStorage::Sns, false, 10));
    assert!(matches!(driver.attempt(&cell, &mut Full, &Cancel::default()), Err(DriverError::Sink(_))));
}
