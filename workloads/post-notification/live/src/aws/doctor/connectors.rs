//! The brokers' connectors: a message that is given to one broker is to arrive at another.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use matrix_aws::ConnectionInfo;
use matrix_lambdas::config::{BrokerEndpoint, Endpoint};
use matrix_lambdas::stomp::{Client, Credentials, Mode, StompError};

use super::Finding;
use crate::lambda::Brokers;

/// How long a message may take from one broker to another.
const ARRIVES_WITHIN: Duration = Duration::from_secs(10);

const FIX: &str = "look at the writer's network connectors and at the peering (docs/aws.md#activemq)";

/// Sends a message from the writer's broker to each reader's. The readers' are not connected with each other: a reader's
/// region is one that has a queue of evaluations.
pub(super) async fn connectors(info: &ConnectionInfo, brokers: &Result<Option<Brokers>, String>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Some(mq) = &info.mq else { return findings };
    let end = |host: &str| {
        let at = Endpoint { host: host.to_owned(), port: mq.stomp_port };
        BrokerEndpoint::parse(host, Some(mq.stomp_port)).unwrap_or(BrokerEndpoint { at, tls: true })
    };
    let reads = |region: &String| info.evaluations.as_ref().is_some_and(|queue| queue.urls.contains_key(region));
    let ends: Vec<(&String, BrokerEndpoint)> = mq.hosts.iter().map(|(region, host)| (region, end(host))).collect();
    for (number, (near, writer)) in ends.iter().enumerate() {
        for (far, reader) in ends.iter().skip(number + 1).filter(|(far, _)| !(reads(near) && reads(far))) {
            let (near, writer, far, reader) =
                if reads(near) { (far, reader, near, writer) } else { (near, writer, far, reader) };
            let about = format!("brokers of {near} and {far} are connected");
            findings.push(match brokers {
                Ok(Some(brokers)) => connected(about, brokers, writer, reader, mq.vpc_required).await,
                Ok(None) => Finding::not_checked(about, "the file names no brokers", "`matrix aws setup` writes them"),
                Err(why) => Finding::not_checked(about, why.clone(), "make the brokers' password readable from here"),
            });
        }
    }
    findings
}

/// Whether one broker hands on to another.
async fn connected(
    about: String,
    brokers: &Brokers,
    writer: &BrokerEndpoint,
    reader: &BrokerEndpoint,
    inside: bool,
) -> Finding {
    let credentials = Credentials { user: brokers.user.clone(), password: brokers.password.clone() };
    let ca_file = brokers.ca_file.as_deref();
    let ends = async {
        let reader = Client::connect(reader, &credentials, ca_file).await?;
        let writer = Client::connect(writer, &credentials, ca_file).await?;
        Ok::<_, StompError>((writer, reader))
    };
    match ends.await {
        Ok((writer, reader)) => carried(about, writer, reader).await,
        Err(error) if inside => Finding::not_checked(
            about,
            format!("they are inside the network and not reached from here: {error}"),
            "a run with `amq` shows it; or ask from a machine inside the network",
        ),
        Err(error) => Finding::problem(about, error.to_string(), FIX),
    }
}

/// Has a message of its own carried from one broker to another.
async fn carried(about: String, mut writer: Client, mut reader: Client) -> Finding {
    let nonce = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    // A queue of its own: nobody else waits for what is sent.
    let queue = format!("matrix-doctor-{nonce}");
    let exchange = async {
        reader.subscribe(&queue, Mode::Take).await?;
        writer.send(&queue, &queue).await?;
        reader.message().await
    };
    let finding = match tokio::time::timeout(ARRIVES_WITHIN, exchange).await {
        Ok(Ok(Some(message))) if message.body == queue.as_bytes() => {
            Finding::ok(about, "a message was carried from one to the other")
        }
        Ok(Ok(_)) => Finding::problem(about, "another message came than was sent", FIX),
        Ok(Err(error)) => Finding::problem(about, error.to_string(), FIX),
        Err(_) => {
            let seen = format!("a message did not arrive within {} s", ARRIVES_WITHIN.as_secs());
            Finding::problem(about, seen, FIX)
        }
    };
    let (_, _) = (writer.disconnect().await, reader.disconnect().await);
    finding
}
