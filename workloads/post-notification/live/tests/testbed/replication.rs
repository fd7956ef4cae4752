//! Native replication through the links.

use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use matrix_lambdas::stomp::Mode;
use matrix_live::testbed::CutKind;
use mysql_async::prelude::Queryable as _;

use crate::bed::{Bed, eventually};

const LINK: Duration = Duration::from_millis(45);

async fn mysql_write(bed: &Bed, key: u32) {
    bed.mysql("eu").await.query_drop(format!("INSERT INTO p VALUES ({key})")).await.unwrap();
}

async fn mysql_sees(bed: &Bed, region: &str, key: u32) -> bool {
    let mut conn = bed.mysql(region).await;
    // The table itself arrives by replication too.
    let found: Result<Option<u32>, _> = conn.query_first(format!("SELECT k FROM p WHERE k = {key}")).await;
    found.unwrap_or_default().is_some()
}

async fn redis_write(bed: &Bed, key: u32) {
    redis::cmd("SET").arg(key).arg(1).query_async::<()>(&mut bed.redis("eu").await).await.unwrap();
}

async fn redis_sees(bed: &Bed, region: &str, key: u32) -> bool {
    redis::cmd("EXISTS").arg(key).query_async::<bool>(&mut bed.redis(region).await).await.unwrap()
}

#[tokio::test]
async fn lag_is_at_least_the_links_delay_and_a_cut_link_carries_nothing() {
    let bed = Bed::shared();
    bed.mysql("eu").await.query_drop("CREATE TABLE p (k INT PRIMARY KEY)").await.unwrap();
    let (mut producer, mut consumer) = (bed.stomp("eu").await, bed.stomp("us").await);
    consumer.subscribe("lag", Mode::OneByOne).await.unwrap();
    let mut elsewhere = bed.stomp("sg").await;
    elsewhere.subscribe("elsewhere", Mode::OneByOne).await.unwrap();

    let written = Instant::now();
    mysql_write(&bed, 1).await;
    eventually("a row at us", async || mysql_sees(&bed, "us", 1).await.then_some(())).await;
    assert!(written.elapsed() >= LINK, "MariaDB: {:?}", written.elapsed());

    let written = Instant::now();
    redis_write(&bed, 1).await;
    eventually("a key at us", async || redis_sees(&bed, "us", 1).await.then_some(())).await;
    assert!(written.elapsed() >= LINK, "Redis: {:?}", written.elapsed());

    let written = Instant::now();
    producer.send("lag", "one").await.unwrap();
    let message = consumer.message().await.unwrap().unwrap();
    assert_eq!(message.body, b"one");
    assert!(written.elapsed() >= LINK, "ActiveMQ: {:?}", written.elapsed());
    consumer.acknowledge(&message).await.unwrap();

    bed.testbed.cut(&"us->eu".parse().unwrap(), CutKind::Hold, None).unwrap();
    mysql_write(&bed, 2).await;
    redis_write(&bed, 2).await;
    producer.send("lag", "two").await.unwrap();
    producer.send("elsewhere", "two").await.unwrap();
    // The other link still works, and what it shows bounds how long the cut one had.
    eventually("a row at sg", async || mysql_sees(&bed, "sg", 2).await.then_some(())).await;
    eventually("a key at sg", async || redis_sees(&bed, "sg", 2).await.then_some(())).await;
    assert_eq!(elsewhere.message().await.unwrap().unwrap().body, b"two");
    assert!(!mysql_sees(&bed, "us", 2).await, "a row crossed a cut link");
    assert!(!redis_sees(&bed, "us", 2).await, "a key crossed a cut link");
    assert!(consumer.message().now_or_never().is_none(), "a message crossed a cut link");

    bed.testbed.restore(&"eu->us".parse().unwrap()).unwrap();
    eventually("the row at us", async || mysql_sees(&bed, "us", 2).await.then_some(())).await;
    eventually("the key at us", async || redis_sees(&bed, "us", 2).await.then_some(())).await;
    assert_eq!(consumer.message().await.unwrap().unwrap().body, b"two");
}

#[tokio::test]
async fn replicas_refuse_writes_and_strangers() {
    let bed = Bed::shared();
    let refused = bed.mysql("us").await.query_drop("CREATE TABLE q (k INT)").await.unwrap_err().to_string();
    assert!(refused.contains("read-only"), "{refused}");
    let refused = redis::cmd("SET").arg(1).arg(1).query_async::<()>(&mut bed.redis("us").await).await.unwrap_err();
    assert_eq!(refused.code(), Some("READONLY"));

    let at = bed.region("eu");
    for user in ["root", "", "matrix"] {
        let options = mysql_async::OptsBuilder::default().ip_or_hostname(at.host.clone()).tcp_port(at.mysql_port);
        let entered = mysql_async::Conn::new(options.user(Some(user)).prefer_socket(false)).await;
        assert!(entered.is_err(), "MariaDB let `{user}` in without a password");
    }
    let ca_file = Some(bed.testbed.endpoints().mq.ca_file.as_path());
    let mut stranger = bed.credentials();
    stranger.password = matrix_lambdas::config::Secret::new("wrong");
    let entered = matrix_lambdas::stomp::Client::connect(&bed.broker("eu"), &stranger, ca_file).await;
    assert!(entered.is_err(), "the broker let a stranger in");
    let untrusted = matrix_lambdas::stomp::Client::connect(&bed.broker("eu"), &bed.credentials(), None).await;
    assert!(untrusted.is_err(), "the broker's certificate is trusted by the system");
}
