//! Servers that stop, crash and come back.

use std::time::Duration;

use matrix_lambdas::stomp::Mode;
use matrix_live::testbed::CutKind;
use mysql_async::prelude::Queryable as _;

use crate::bed::{Bed, eventually};

#[tokio::test]
async fn restarted_servers_catch_up_and_a_cut_for_a_time_ends() {
    let bed = Bed::up();
    let link = "eu->us".parse().unwrap();
    bed.mysql("eu").await.query_drop("CREATE TABLE p (k INT PRIMARY KEY)").await.unwrap();

    for part in ["mariadb-us", "redis-us"] {
        let part = part.parse().unwrap();
        bed.testbed.stop(&part, part.to_string().starts_with("redis")).unwrap();
        assert!(bed.testbed.stop(&part, false).unwrap_err().to_string().contains("does not run"));
    }
    bed.mysql("eu").await.query_drop("INSERT INTO p VALUES (1)").await.unwrap();
    redis::cmd("SET").arg("k").arg(1).query_async::<()>(&mut bed.redis("eu").await).await.unwrap();
    assert!(!bed.testbed.status().unwrap().is_healthy());
    for part in ["mariadb-us", "redis-us"] {
        bed.testbed.start(&part.parse().unwrap()).unwrap();
    }
    let row = async || {
        let found: Result<Option<u32>, _> = bed.mysql("us").await.query_first("SELECT k FROM p").await;
        found.ok().flatten()
    };
    assert_eq!(eventually("the row at us", row).await, 1);
    let key = async || {
        let found = redis::cmd("GET").arg("k").query_async::<Option<u32>>(&mut bed.redis("us").await).await;
        found.ok().flatten()
    };
    assert_eq!(eventually("the key at us", key).await, 1);
    eventually("health", async || bed.testbed.status().unwrap().is_healthy().then_some(())).await;

    // A message that only the crashed broker holds survives it, and the brokers find each other again.
    bed.stomp("eu").await.send("kept", "before").await.unwrap();
    bed.restart("activemq-eu", true);
    let mut consumer = bed.stomp("us").await;
    consumer.subscribe("kept", Mode::OneByOne).await.unwrap();
    let message = tokio::time::timeout(Duration::from_secs(30), consumer.message()).await;
    let message = message.expect("the message comes").unwrap().unwrap();
    assert_eq!(message.body, b"before");
    consumer.acknowledge(&message).await.unwrap();

    // Broken connections are made anew once the link is back; nobody has to restore a cut that was given a time.
    bed.testbed.cut(&link, CutKind::Reset, Some(Duration::from_secs(4))).unwrap();
    assert!(bed.testbed.status().unwrap().links.iter().any(|it| it.link == link && it.cut == Some(CutKind::Reset)));
    bed.mysql("eu").await.query_drop("UPDATE p SET k = 2").await.unwrap();
    redis::cmd("SET").arg("k").arg(2).query_async::<()>(&mut bed.redis("eu").await).await.unwrap();
    eventually("the new row at us", async || (row().await == Some(2)).then_some(())).await;
    eventually("the new key at us", async || (key().await == Some(2)).then_some(())).await;
    bed.stomp("eu").await.send("kept", "after").await.unwrap();
    let message = tokio::time::timeout(Duration::from_secs(30), consumer.message()).await;
    assert_eq!(message.expect("the message comes").unwrap().unwrap().body, b"after");
}
