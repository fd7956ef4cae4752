//! Ways of sending that the other tests do not go, and leases that change hands.

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use aws_types::region::Region;
use matrix_app::Outcome;
use matrix_driver::{Cancel, Driver as _, DriverError};
use matrix_live::lambda::{DeploymentSpec, LambdaDriver, LambdaError};
use matrix_plan::{Arrival, CellInputs, Invocation, NotificationStorage, PostStorage};

use crate::bed::{Bed, eventually, runtime};
use crate::lab::{Rows, attempt, cell, driver, inputs, settings};

/// The deployment of every cell here.
const DEPLOYMENT: &str = "matrix-arrival-dynamo-sns-eu-us";

/// Most requests under way.
const IN_FLIGHT: u32 = 2;

fn base() -> CellInputs {
    inputs(PostStorage::Dynamo, NotificationStorage::Sns, true)
}

#[test]
fn requests_go_every_way_and_a_lease_has_one_holder() {
    let bed = Bed::shared();
    let mut settings = settings("arrival");
    // It is renewed after a quarter of its time, which is what is waited for below.
    (settings.in_flight, settings.lease_ttl) = (IN_FLIGHT, Duration::from_secs(6));
    let first = driver(&bed, settings);
    nobody_waits_for_the_writer(&first);
    a_rate_beyond_what_may_be_in_flight(&first);
    a_lease_changes_hands(&bed, &first);
}

/// The service takes the request, and the client hears no more of it: the row comes from the evaluation.
fn nobody_waits_for_the_writer(driver: &LambdaDriver) {
    let (rows, told) = attempt(driver, &cell(CellInputs { invocation: Invocation::Event, ..base() }));
    assert_eq!((rows.count(Outcome::Ok), rows.misses()), (8, 0), "{:?}", rows.0);
    assert_eq!((told.notes["strays"], told.notes["retried"]), (0, 0), "{told:?}");
    for row in rows.0.values() {
        assert!(row.reply_us.is_none() && row.reader_received_us.is_some(), "{row:?}");
        assert!(row.consistent_read == Some(true) && row.post_visible_us.is_some(), "{row:?}");
    }
}

/// Requests wait for each other, and still count as sent when they should have been: the wait is part of what is measured.
fn a_rate_beyond_what_may_be_in_flight(driver: &LambdaDriver) {
    let mut inputs = CellInputs { requests: 12, arrival: Arrival::RatePerSecond(50.0), ..base() };
    inputs.axes.delay_ms = 300;
    let (rows, _) = attempt(driver, &cell(inputs));
    assert_eq!((rows.count(Outcome::Ok), rows.misses()), (12, 0), "{:?}", rows.0);
    let at = |time: Option<i64>| time.unwrap_or_else(|| panic!("{:?}", rows.0));
    let sent: Vec<i64> = rows.0.values().map(|row| at(row.client_sent_us)).collect();
    assert!(sent.windows(2).all(|pair| pair[1] - pair[0] == 20_000), "{sent:?}");
    for row in rows.0.values() {
        let start = at(row.writer_start_us);
        let under_way =
            |other: &&matrix_app::Row| (at(other.writer_start_us)..at(other.notification_written_us)).contains(&start);
        assert!(rows.0.values().filter(under_way).count() <= IN_FLIGHT as usize, "{:?}", rows.0);
    }
    // Ten of the twelve had ended, two at a time, when the last one began.
    let wait = at(rows.0[&11].writer_start_us) - sent[0];
    assert!(wait >= 5 * 300_000, "{wait}");
}

/// While its holder renews it nobody else gets it; when its time is over another does, and the first one stops.
fn a_lease_changes_hands(bed: &Bed, first: &LambdaDriver) {
    let spec = DeploymentSpec::of(&cell(base()));
    let (second, never) = (driver(bed, settings("arrival")), Cancel::default());
    // Its holder renews it before its time is over.
    let taken = runtime().block_on(expires(bed));
    let renewed = async || (expires(bed).await > taken).then_some(());
    runtime().block_on(eventually("a renewal", renewed));
    let refused = second.build(std::slice::from_ref(&spec), &never);
    assert!(matches!(&refused, Err(LambdaError::Leased { resource, .. }) if resource == DEPLOYMENT), "{refused:?}");

    // As if the holder had not been heard of. It may renew before the other one looks: then once more.
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        runtime().block_on(expire(bed));
        match second.build(std::slice::from_ref(&spec), &never) {
            Ok(_) => break,
            Err(LambdaError::Leased { .. }) if Instant::now() < deadline => {}
            Err(error) => panic!("{error}"),
        }
    }
    let asked = Cancel::default();
    asked.cancel();
    loop {
        match first.attempt(&cell(base()), &mut Rows::default(), &asked) {
            Err(DriverError::Failed(why)) => {
                let why = why.downcast_ref();
                assert!(matches!(why, Some(LambdaError::LeaseLost { resource }) if resource == DEPLOYMENT), "{why:?}");
                break;
            }
            Err(DriverError::Cancelled) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(100)),
            other => panic!("{other:?}"),
        }
    }
    let (rows, _) = attempt(&second, &cell(base()));
    assert_eq!(rows.count(Outcome::Ok), 8, "{:?}", rows.0);
}

fn leases(bed: &Bed) -> aws_sdk_dynamodb::Client {
    let aws = bed.aws().into_builder().region(Region::new("eu-central-1")).build();
    aws_sdk_dynamodb::Client::new(&aws)
}

/// When the deployment's lease ends, in milliseconds.
async fn expires(bed: &Bed) -> u64 {
    let lease = leases(bed).get_item().table_name("matrix-leases").key("k", AttributeValue::S(DEPLOYMENT.into()));
    let lease = lease.send().await.unwrap().item.unwrap();
    lease["expires_ms"].as_n().unwrap().parse().unwrap()
}

/// Ends the time of the deployment's lease.
async fn expire(bed: &Bed) {
    let update = leases(bed).update_item().table_name("matrix-leases");
    let update = update.key("k", AttributeValue::S(DEPLOYMENT.into())).update_expression("SET expires_ms = :past");
    update.expression_attribute_values(":past", AttributeValue::N("1".into())).send().await.unwrap();
}
