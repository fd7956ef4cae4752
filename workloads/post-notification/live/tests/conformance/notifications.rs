//! Notification storages: what is published arrives in the reader's region, as it was, and cleaning leaves nothing.

use std::path::Path;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_types::SdkConfig;
use aws_types::region::Region;
use matrix_app::host::ErrorKind;
use matrix_app::wire::{Delivered, Event, deliver_amq, deliver_sns, receive};
use matrix_app::{Micros, NotificationStorage as _};
use matrix_lambdas::config::{FunctionConfig, NotificationConfig, Secret, Side};
use matrix_lambdas::conformance::HungServer;
use matrix_lambdas::stomp::{Client, Credentials, Mode};
use matrix_lambdas::{Admin as _, AnyNotification};
use serde_json::{Value, json};

use crate::bed::eventually;
use crate::endpoints::{Endpoints, on_runtime};
use crate::provision;

/// Makes what the deployment brings; gives the URL of the queue that sees a topic's messages.
pub(crate) async fn prepare(config: &FunctionConfig, aws: &SdkConfig) -> Option<String> {
    match &config.notification {
        NotificationConfig::Sns(sns) => {
            let url = provision::topic_and_queue(aws, &config.writer_region, &sns.topic_arn).await;
            Some(url)
        }
        NotificationConfig::Dynamo(dynamo) => {
            provision::table(config, aws, &dynamo.table).await;
            None
        }
        NotificationConfig::Amq(_) => None,
    }
}

/// Takes one notification in the reader's region, in the envelope that its event source makes.
pub(crate) async fn deliver(config: &FunctionConfig, aws: &SdkConfig, seen: Option<&str>, i: u64) -> Vec<u8> {
    match &config.notification {
        NotificationConfig::Sns(_) => {
            let body = provision::messages(aws, &config.writer_region, seen.unwrap(), 1).await.remove(0);
            let body: Value = serde_json::from_str(&body).unwrap();
            deliver_sns(body["Message"].as_str().unwrap()).unwrap()
        }
        NotificationConfig::Amq(amq) => {
            let credentials = Credentials { user: amq.user.clone(), password: amq.password.clone() };
            let ca = amq.ca_file.as_deref().map(Path::new);
            let mut client = Client::connect(&amq.reader, &credentials, ca).await.unwrap();
            client.subscribe(&amq.queue, Mode::OneByOne).await.unwrap();
            let message = tokio::time::timeout(Duration::from_secs(20), client.message()).await.unwrap();
            let message = message.unwrap().unwrap();
            client.acknowledge(&message).await.unwrap();
            client.disconnect().await.unwrap();
            deliver_amq(&String::from_utf8(message.body).unwrap()).unwrap()
        }
        NotificationConfig::Dynamo(dynamo) => {
            let region = Region::new(config.reader_region.clone());
            let client = aws_sdk_dynamodb::Client::new(&aws.to_builder().region(region).build());
            for _ in 0..400 {
                let key = AttributeValue::S(i.to_string());
                let found = client.get_item().table_name(&dynamo.table).key("k", key).send().await.unwrap();
                if let Some(item) = found.item {
                    let image = item.iter().map(|(name, value)| (name.clone(), json!({"S": value.as_s().unwrap()})));
                    let image: Value = image.collect();
                    let record = json!({"eventName": "INSERT", "dynamodb": {"NewImage": image}});
                    return serde_json::to_vec(&json!({"Records": [record]})).unwrap();
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            panic!("the notification did not come")
        }
    }
}

fn conforms(notification: &str) {
    let endpoints = Endpoints::take();
    let (config, aws) = (endpoints.config("redis", notification), endpoints.aws());
    on_runtime(async {
        let seen = prepare(&config, &aws).await;
        let [writer, reader] = [Side::Writer, Side::Reader].map(|side| AnyNotification::new(&config, &aws, side));
        clean(&[&writer, &reader]).await;

        let mut event = Event::new(7, "7QX4ZD0PAB", Micros(1_634_119_203_120_811));
        event.context = Some("{\"id\":\"1\",\"operations\":{}} with: colons, \\ and\nlines".into());
        event.attempt = Some("nonce".into());
        event.antipode = Some(true);
        writer.publish(&event).await.unwrap();
        let wire = deliver(&config, &aws, seen.as_deref(), 7).await;
        let Delivered::Event { json, notification_bytes } = receive(&wire).unwrap() else { panic!("no event") };
        assert_eq!(Event::from_json(&json).unwrap(), event);
        let expected = match notification {
            "dynamo" => event.to_dynamo_item().logical_bytes(),
            _ => event.to_json().unwrap().len() as u64,
        };
        assert_eq!(notification_bytes, expected);

        // Over the same connection, another one; and nothing of both stays.
        event.i = 8;
        writer.publish(&event).await.unwrap();
        // A replica that is cleaned too early gets the item afterwards. A broker holds a message until the next one has it.
        if notification == "dynamo" {
            deliver(&config, &aws, None, event.i).await;
        }
        clean(&[&writer, &reader]).await;
        if let Some(url) = seen {
            provision::messages(&aws, &config.writer_region, &url, 1).await;
        }
    });
}

/// Cleans both ends, the writer's first, until they are seen empty.
async fn clean(ends: &[&AnyNotification]) {
    eventually("both ends are empty", async || {
        let mut empty = true;
        for end in ends {
            end.clean().await.unwrap();
            empty &= end.is_empty().await.unwrap() && end.contents().await.unwrap().items == 0;
        }
        empty.then_some(())
    })
    .await;
}

#[test]
fn sns() {
    conforms("sns");
}

#[test]
fn amq() {
    conforms("amq");
}

#[test]
fn dynamo() {
    conforms("dynamo");
}

#[test]
fn a_broker_that_refuses_hangs_or_is_not_trusted_is_told_apart() {
    let endpoints = Endpoints::take();
    let (config, aws) = (endpoints.config("redis", "amq"), endpoints.aws());
    let NotificationConfig::Amq(amq) = config.notification.clone() else { panic!("no settings of amq") };
    let event = Event::new(7, "7QX4ZD0PAB", Micros(1_634_119_203_120_811));
    let failure = async |amq| {
        let config = FunctionConfig { notification: NotificationConfig::Amq(amq), ..config.clone() };
        AnyNotification::new(&config, &aws, Side::Writer).publish(&event).await.unwrap_err().kind
    };
    on_runtime(async {
        let mut wrong = amq.clone();
        wrong.password = Secret::new("wrong");
        assert_eq!(failure(wrong).await, ErrorKind::Refused);

        let mut untrusted = amq.clone();
        untrusted.ca_file = None;
        assert_eq!(failure(untrusted).await, ErrorKind::Refused);

        let server = HungServer::start().await.unwrap();
        let mut hung = amq.clone();
        hung.writer.at = server.endpoint();
        assert_eq!(failure(hung.clone()).await, ErrorKind::Timeout);

        drop(server);
        tokio::task::yield_now().await;
        assert_eq!(failure(hung).await, ErrorKind::Unreachable);
    });
}
