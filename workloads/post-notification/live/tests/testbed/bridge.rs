//! From the broker to a function.

use aws_sdk_s3::config::Region;
use matrix_app::wire::{Delivered, receive};
use matrix_live::testbed::{Bridge, BridgeSettings};

use crate::bed::{Bed, eventually};
use crate::emulator::deploy;

#[tokio::test]
async fn the_function_gets_every_message_in_order_and_one_that_fails_does_not_block_the_queue() {
    let bed = Bed::up();
    let aws = bed.aws().into_builder().region(Region::new("us-east-1")).build();
    let lambda = aws_sdk_lambda::Client::new(&aws);
    let seen = bed.state.path().join("seen");
    let fail = bed.state.path().join("seen.fail");
    deploy(&lambda, "reader", &seen).await;

    let settings = BridgeSettings {
        broker: bed.broker("us"),
        credentials: bed.credentials(),
        ca_file: Some(bed.testbed.endpoints().mq.ca_file.clone()),
        queue: "notifications".into(),
        function: "reader".into(),
        attempts: 2,
    };
    let bridge = Bridge::start(settings, lambda).await.unwrap();
    let mut producer = bed.stomp("eu").await;
    let numbered = |numbers: std::ops::Range<u32>| numbers.map(|i| format!(r#"{{"i":{i}}}"#)).collect::<Vec<_>>();
    for event in numbered(0..20) {
        producer.send("notifications", &event).await.unwrap();
    }
    let delivered = async |count| (bridge.counts().delivered == count).then_some(());
    eventually("twenty deliveries", async || delivered(20).await).await;
    let events = || {
        let lines = std::fs::read_to_string(&seen).unwrap();
        let events = lines.lines().map(|line| match receive(line.as_bytes()).unwrap() {
            Delivered::Event { json, .. } => String::from_utf8(json).unwrap(),
            other @ Delivered::NotAnInsertion => panic!("{other:?}"),
        });
        events.collect::<Vec<_>>()
    };
    assert_eq!(events(), numbered(0..20));

    // The broker restarts: the bridge comes back by itself, and nothing is lost.
    bed.restart("activemq-us", false);
    for event in numbered(20..25) {
        producer.send("notifications", &event).await.unwrap();
    }
    eventually("five more", async || delivered(25).await).await;
    assert!(bridge.counts().reconnected >= 1);
    assert_eq!(events(), numbered(0..25));

    std::fs::write(&fail, "").unwrap();
    producer.send("notifications", r#"{"i":25}"#).await.unwrap();
    eventually("giving up", async || (bridge.counts().given_up == 1).then_some(())).await;
    std::fs::remove_file(&fail).unwrap();
    producer.send("notifications", r#"{"i":26}"#).await.unwrap();
    eventually("the next", async || delivered(26).await).await;
    let counts = bridge.stop().await;
    assert_eq!((counts.delivered, counts.retried, counts.given_up), (26, 1, 1));
    assert_eq!(events().len(), 28, "25, two attempts at the one that failed, and the last");
}
