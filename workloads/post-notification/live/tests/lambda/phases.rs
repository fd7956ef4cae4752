//! The phases by hand, messages that do not belong, interruption, leases, and removal.

use std::time::{Duration, Instant};

use aws_types::region::Region;
use matrix_app::Outcome;
use matrix_driver::{Cancel, Driver as _, DriverError};
use matrix_live::lambda::{Built, DeploymentSpec, LambdaDriver, LambdaError};
use matrix_live::testbed::CutKind;
use matrix_plan::{Arrival, CellInputs, NotificationStorage, PostStorage};

use crate::bed::{Bed, eventually, runtime};
use crate::lab::{Rows, attempt, cell, driver, inputs, settings};

const QUEUE: &str = "matrix-phases-s3-dynamo-eu-us-evaluations";

const BUCKET: &str = "matrix-phases-s3-dynamo-eu-us-posts-eu";

#[test]
fn phases_by_hand_leave_nothing_behind_and_take_nothing_that_is_not_theirs() {
    let bed = Bed::up();
    let first = driver(&bed, settings("phases"));
    let directory = tempfile::tempdir().unwrap();
    let quarantine = directory.path().join("strays");
    let cell = cell(inputs(PostStorage::S3, NotificationStorage::Dynamo, true));
    let spec = DeploymentSpec::of(&cell);
    let never = Cancel::default();

    let built = |changed| vec![Built { spec: spec.clone(), changed }];
    assert_eq!(first.build(std::slice::from_ref(&spec), &never).unwrap(), built(true));
    assert_eq!(first.build(std::slice::from_ref(&spec), &never).unwrap(), built(false));
    leased(&bed, &spec);

    // What the client saw outlives the process that saw it.
    let file = directory.path().join("cell.jsonl");
    assert!(first.run(&cell, &file, &never).unwrap());
    let kept = std::fs::read(&file).unwrap();
    assert!(!first.run(&cell, &file, &never).unwrap());
    assert_eq!(std::fs::read(&file).unwrap(), kept, "a run that is done is not done again");
    drop(first);

    let mut changed = settings("phases");
    changed.quarantine = Some(quarantine.clone());
    let second = driver(&bed, changed);
    runtime().block_on(disturb(&bed));
    for again in [false, true] {
        let mut rows = Rows::default();
        let told = second.gather(&cell, &file, &mut rows, &never).unwrap();
        rows.balance(&cell);
        assert_eq!((rows.count(Outcome::Ok), rows.misses()), (8, 0), "{:?}", rows.0);
        assert!(rows.0.values().all(|row| row.post_visible_us.is_some()));
        // The second time the messages come from the file beside the first.
        assert_eq!((told.notes["duplicates"], told.notes["strays"]), (7, 2), "again: {again}, {told:?}");
    }
    assert_eq!(std::fs::read_to_string(&quarantine).unwrap().lines().count(), 2);

    drop(second);
    let mut elsewhere = settings("phases");
    elsewhere.instance = Some("another".into());
    let second = driver(&bed, elsewhere);
    let refused = second.gather(&cell, &file, &mut Rows::default(), &never);
    assert!(matches!(refused, Err(LambdaError::Content { .. })), "{refused:?}");
    assert!(second.run(&cell, &file, &never).unwrap(), "what was sent to other services is sent anew");
    let mut rows = Rows::default();
    second.gather(&cell, &file, &mut rows, &never).unwrap();
    assert_eq!(rows.count(Outcome::Ok), 8, "{:?}", rows.0);

    interrupted(&bed, &second);
    removed(&bed, &second, &spec);
}

/// A broker's backlog is delivered as it would be on AWS: while nobody gathers, and by nothing that comes later.
#[test]
fn what_a_broker_holds_when_the_last_request_is_sent_is_delivered_by_the_run() {
    let bed = Bed::shared();
    let driver = driver(&bed, settings("backlog"));
    let directory = tempfile::tempdir().unwrap();
    let inputs = inputs(PostStorage::Redis, NotificationStorage::Amq, true);
    let cell = cell(CellInputs { requests: 60, arrival: Arrival::RatePerSecond(60.0), ..inputs });
    // No post is at the reader before the link is back, which is when all is sent.
    let link = "eu->us".parse().unwrap();
    driver.build(&[DeploymentSpec::of(&cell)], &Cancel::default()).unwrap();
    let file = directory.path().join("cell.jsonl");
    std::thread::scope(|threads| {
        threads.spawn(|| {
            // The file is begun when the stores are clean, and before the first request.
            let begun = async || file.with_extension("part").exists().then_some(());
            runtime().block_on(eventually("the first request", begun));
            bed.testbed.cut(&link, CutKind::Hold, None).unwrap();
            let sent = async || (posts(&bed).await >= 60).then_some(());
            runtime().block_on(eventually("the last request", sent));
            bed.testbed.restore(&link).unwrap();
        });
        driver.run(&cell, &file, &Cancel::default()).unwrap();
    });
    let evaluations = runtime().block_on(async {
        let aws = bed.aws().into_builder().region(Region::new("us-east-1")).build();
        let queues = aws_sdk_sqs::Client::new(&aws);
        let queue = "matrix-backlog-redis-amq-eu-us-evaluations";
        let url = queues.get_queue_url().queue_name(queue).send().await.unwrap().queue_url.unwrap();
        let name = aws_sdk_sqs::types::QueueAttributeName::ApproximateNumberOfMessages;
        let told = queues.get_queue_attributes().queue_url(url).attribute_names(name.clone()).send().await.unwrap();
        told.attributes.unwrap()[&name].clone()
    });
    assert_eq!(evaluations, "60");
}

/// Keys in the writer's Redis.
async fn posts(bed: &Bed) -> usize {
    redis::cmd("DBSIZE").query_async(&mut bed.redis("eu").await).await.unwrap()
}

/// A deployment that one run holds no other takes.
fn leased(bed: &Bed, spec: &DeploymentSpec) {
    let other = driver(bed, settings("phases"));
    match other.build(std::slice::from_ref(spec), &Cancel::default()) {
        Err(LambdaError::Leased { resource, owner, .. }) => {
            assert_eq!((resource.as_str(), owner.as_str()), ("matrix-phases-s3-dynamo-eu-us", "phases"));
        }
        other => panic!("{other:?}"),
    }
}

/// Has every evaluation but the last come twice, the last one late, and two messages that are of nobody here.
async fn disturb(bed: &Bed) {
    let aws = bed.aws().into_builder().region(Region::new("us-east-1")).build();
    let queues = aws_sdk_sqs::Client::new(&aws);
    let url = queues.get_queue_url().queue_name(QUEUE).send().await.unwrap().queue_url.unwrap();
    let mut bodies = Vec::new();
    let deadline = Instant::now() + Duration::from_secs(60);
    while bodies.len() < 8 {
        assert!(Instant::now() < deadline, "{} evaluations came", bodies.len());
        let batch = queues.receive_message().queue_url(&url).max_number_of_messages(10).wait_time_seconds(1);
        for message in batch.send().await.unwrap().messages.unwrap_or_default() {
            bodies.push(message.body.unwrap());
            queues.delete_message().queue_url(&url).set_receipt_handle(message.receipt_handle).send().await.unwrap();
        }
    }
    let last = bodies.pop().unwrap();
    let stray = r#"{"i":3,"client_sent_at":1.5,"reader_received_at":2.5,"attempt":"0000000000000000"}"#;
    let twice = bodies.iter().chain(&bodies).map(String::as_str);
    for body in twice.chain([stray, "no evaluation"]) {
        queues.send_message().queue_url(&url).message_body(body).send().await.unwrap();
    }
    // What is tested is a message that comes when the others have been gathered: the queue keeps it for so long.
    queues.send_message().queue_url(&url).message_body(last).delay_seconds(3).send().await.unwrap();
}

/// An attempt that is interrupted sends no more, and the next one is none the worse.
fn interrupted(bed: &Bed, driver: &LambdaDriver) {
    let inputs = inputs(PostStorage::S3, NotificationStorage::Dynamo, true);
    let long = cell(CellInputs { requests: 600, arrival: Arrival::RatePerSecond(10.0), ..inputs.clone() });
    let cancel = Cancel::default();
    let asked = cancel.clone();
    let mut rows = Rows::with(move || asked.cancel());
    let result = driver.attempt(&long, &mut rows, &cancel);
    assert!(matches!(result, Err(DriverError::Cancelled)), "{result:?}");
    // Each request that was sent has written a post; sending all would have taken a minute.
    let posts = runtime().block_on(async {
        let aws = bed.aws().into_builder().region(Region::new("eu-central-1")).build();
        let settings = aws_sdk_s3::config::Builder::from(&aws).force_path_style(true).build();
        let listing = aws_sdk_s3::Client::from_conf(settings).list_objects_v2().bucket(BUCKET);
        listing.send().await.unwrap().contents().len() as u64
    });
    assert!(posts < long.inputs.requests, "{posts} posts");
    let (rows, _) = attempt(driver, &cell(inputs));
    assert_eq!((rows.count(Outcome::Ok), rows.misses()), (8, 0), "{:?}", rows.0);
}

/// After a strong clean nothing is left but the table of leases.
fn removed(bed: &Bed, driver: &LambdaDriver, spec: &DeploymentSpec) {
    let never = Cancel::default();
    driver.clean(std::slice::from_ref(spec), false, &never).unwrap();
    for _ in 0..2 {
        driver.clean(std::slice::from_ref(spec), true, &never).unwrap();
    }
    runtime().block_on(async {
        for (region, tables) in [("eu-central-1", vec!["matrix-leases".to_owned()]), ("us-east-1", Vec::new())] {
            let aws = bed.aws().into_builder().region(Region::new(region)).build();
            let left = aws_sdk_dynamodb::Client::new(&aws).list_tables().send().await.unwrap();
            assert_eq!(left.table_names.unwrap_or_default(), tables, "{region}");
            let left = aws_sdk_lambda::Client::new(&aws).list_functions().send().await.unwrap();
            assert!(left.functions().is_empty(), "{region}: {left:?}");
            let left = aws_sdk_sqs::Client::new(&aws).list_queues().send().await.unwrap();
            assert!(left.queue_urls().is_empty(), "{region}: {left:?}");
            let left = aws_sdk_s3::Client::new(&aws).list_buckets().send().await.unwrap();
            assert!(left.buckets().is_empty(), "{left:?}");
        }
    });
}
