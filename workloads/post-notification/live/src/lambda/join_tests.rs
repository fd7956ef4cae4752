//! Tests of `join.rs`.

use matrix_app::{Outcome, PostKey};
use matrix_driver::SinkError;
use proptest::prelude::*;

use super::*;

#[derive(Default)]
struct Rows(Vec<Row>);

impl RowSink<Row> for Rows {
    fn push(&mut self, row: Row) -> Result<(), SinkError> {
        self.0.push(row);
        Ok(())
    }
}

fn told(i: u64, trouble: Option<Trouble>) -> ClientResult {
    let client = ClientSide {
        i,
        key: PostKey::new(i, i).unwrap(),
        sent_at: Micros(1_000_000),
        reply_at: trouble.is_none().then_some(Micros(1_000_100)),
        writer_failed: trouble == Some(Trouble::Failed),
    };
    let why = trouble.map(|trouble| format!("{trouble:?}"));
    ClientResult { client, reply: None, throttled: 0, trouble, why }
}

#[derive(Clone, Debug)]
enum Step {
    ClientResult(u64, Option<Trouble>),
    Message(String),
}

fn evaluation(i: u64, nonce: &str) -> Step {
    let (sent, received) = ("\"client_sent_at\":1", "\"reader_received_at\":2");
    Step::Message(format!(r#"{{"i":{i},{sent},{received},"consistent_read":1,"attempt":"{nonce}"}}"#))
}

/// What becomes of each request, and messages of others, in any order.
fn steps() -> impl Strategy<Value = (Vec<(u8, u8)>, Vec<Step>)> {
    proptest::collection::vec((0..3_u8, 0..3_u8), 1..20).prop_flat_map(|fates| {
        let mut steps = vec![evaluation(0, "other"), evaluation(99, "mine"), Step::Message("none".into())];
        for (i, (client, evaluations)) in (0..).zip(&fates) {
            let trouble = [None, Some(Trouble::Failed), Some(Trouble::Unanswered)][usize::from(*client)];
            steps.push(Step::ClientResult(i, trouble));
            steps.extend((0..*evaluations).map(|_| evaluation(i, "mine")));
        }
        (Just(fates), Just(steps).prop_shuffle())
    })
}

proptest! {
    #[test]
    fn every_request_has_one_row_in_whatever_order_its_sides_come((fates, steps) in steps()) {
        let mut rows = Rows::default();
        let mut join = Join::new(Micros(1_000_000), "mine", fates.len() as u64, None);
        for step in steps {
            match step {
                Step::ClientResult(i, trouble) => join.told(told(i, trouble), &mut rows).unwrap(),
                Step::Message(message) => drop(join.message(&message, &mut rows).unwrap()),
            }
        }
        let waited_for = fates.iter().filter(|(client, evaluations)| *client != 1 && *evaluations == 0).count();
        prop_assert_eq!(join.is_complete(), waited_for == 0);
        join.finish(&mut rows).unwrap();
        let (notes, reasons) = join.into_notes();
        let failed = fates.iter().filter(|(client, _)| *client > 0).count() as u64;
        prop_assert_eq!(reasons.as_slice().iter().map(|reason| reason.count).sum::<u64>(), failed);

        rows.0.sort_by_key(|row| row.i);
        prop_assert!(rows.0.iter().map(|row| row.i).eq(0..fates.len() as u64));
        for (row, (client, evaluations)) in rows.0.iter().zip(&fates) {
            let expected = match (client, evaluations) {
                (1, _) => Outcome::WriterError,
                (_, 0) => Outcome::Lost,
                _ => Outcome::Ok,
            };
            prop_assert_eq!(row.outcome, expected);
        }
        let repeated = fates.iter().filter(|(_, evaluations)| *evaluations == 2).count() as u64;
        prop_assert_eq!((notes["strays"], notes["duplicates"]), (3, repeated));
    }
}

#[test]
fn an_attempt_ends_when_its_first_requests_all_fail_alike() {
    let ends_after = |fates: &[(Option<Trouble>, u64)]| {
        let (mut rows, mut join) = (Rows::default(), Join::new(Micros(1_000_000), "mine", 1000, None));
        let fates = fates.iter().flat_map(|(trouble, times)| (0..*times).map(move |_| *trouble));
        for (i, trouble) in (0..).zip(fates) {
            join.told(told(i, trouble), &mut rows).unwrap();
            if let Err(LambdaError::Hopeless { failed, requests, reasons, .. }) = join.hopeful() {
                assert_eq!((requests, reasons.as_slice()[0].count), (1000, failed));
                return Some(failed);
            }
        }
        None
    };
    let failed = Some(Trouble::Failed);
    assert_eq!(ends_after(&[(failed, 500)]), Some(HOPELESS_AFTER));
    assert_eq!(ends_after(&[(failed, HOPELESS_AFTER - 1)]), None);
    // Something worked, or went wrong in several ways: that is for the rows to tell.
    assert_eq!(ends_after(&[(None, 1), (failed, 500)]), None);
    assert_eq!(ends_after(&[(failed, 10), (Some(Trouble::Unanswered), 1), (failed, 500)]), None);
}
