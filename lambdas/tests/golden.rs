//! The original's messages are understood, in the envelopes that AWS really sends; and ours have the documented form.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail the test")]

use aws_lambda_events::event::activemq::ActiveMqEvent;
use aws_lambda_events::event::dynamodb::Event as DynamoEvent;
use aws_lambda_events::event::sns::SnsEvent;
use matrix_app::wire::{Delivered, Evaluation, Event, receive, reply_event, reply_to};
use matrix_app::{Lineage, LineageId, Micros, WriteId};
use serde_json::Value;

fn golden(name: &str) -> String {
    // Asked for now: what was built for one clone may serve another that shares its target directory.
    let path = format!("{}/tests/golden/{name}.json", std::env::var("CARGO_MANIFEST_DIR").unwrap());
    std::fs::read_to_string(&path).unwrap().trim_end().to_owned()
}

/// The event that all of the golden files carry.
fn published() -> Event<'static> {
    let at = |fraction: i64| Some(Micros(1_634_119_203_000_000 + fraction));
    let mut event = Event::new(17, "17QX4ZD0PA", at(120_811).unwrap());
    event.writer_start_at = at(401_222);
    event.post_written_at = at(512_333);
    event.notification_written_at = at(512_345);
    event.context = Some(golden("context-key").into());
    event
}

#[test]
fn the_events_of_every_source_are_read() {
    let text = golden("event-published").len() as u64;
    // By DynamoDB's rule: names and values of the attributes, counted by hand.
    let item = 255;
    for name in ["event-published", "source-sns", "source-amq", "source-dynamo"] {
        let Delivered::Event { json, notification_bytes } = receive(golden(name).as_bytes()).unwrap() else {
            panic!("{name} is no event")
        };
        assert_eq!(Event::from_json(&json).unwrap(), published(), "{name}");
        assert_eq!(notification_bytes, if name == "source-dynamo" { item } else { text }, "{name}");
    }
    for name in ["source-dynamo-modify", "source-dynamo-remove"] {
        assert_eq!(receive(golden(name).as_bytes()).unwrap(), Delivered::NotAnInsertion, "{name}");
    }
    let client = golden("event-client");
    assert_eq!(Event::from_json(client.as_bytes()).unwrap(), Event::new(17, "17QX4ZD0PA", published().client_sent_at));
}

/// So that the files above are what AWS sends, and not what we believe that it sends.
#[test]
fn the_envelopes_are_those_of_aws() {
    let sns: SnsEvent = serde_json::from_str(&golden("source-sns")).unwrap();
    assert_eq!(sns.records[0].sns.message, golden("event-published"));
    let amq: ActiveMqEvent = serde_json::from_str(&golden("source-amq")).unwrap();
    assert_eq!(amq.messages.len(), 1);
    for name in ["source-dynamo", "source-dynamo-modify", "source-dynamo-remove"] {
        let dynamo: DynamoEvent = serde_json::from_str(&golden(name)).unwrap();
        assert_eq!(dynamo.records.len(), 1, "{name}");
    }
}

#[test]
fn replies_evaluations_and_contexts_are_read() {
    let reply = golden("reply");
    let body = reply_event(reply.as_bytes()).unwrap();
    assert_eq!(Event::from_json(body.as_bytes()).unwrap(), published());

    for name in ["evaluation", "evaluation-after-dynamo", "evaluation-wrapped"] {
        let message = golden(name);
        let text = Evaluation::unwrap_message(&message).unwrap();
        let evaluation = Evaluation::from_json(text.as_bytes()).unwrap();
        assert_eq!((evaluation.i, evaluation.client_sent_at), (17, published().client_sent_at), "{name}");
        assert_eq!(evaluation.consistent_read, Some(name != "evaluation-after-dynamo"), "{name}");
        assert_eq!(evaluation.antipode_spent_ms.is_some(), name != "evaluation-after-dynamo", "{name}");
    }

    let id = LineageId(226_854_911_280_625_642_308_916_404_954_512_140_970);
    let key = || "17QX4ZD0PA".into();
    for (name, write) in [
        ("context-none", None),
        ("context-key", Some(WriteId { key: key(), version: None })),
        ("context-version", Some(WriteId { key: key(), version: Some("3sL4kqtJlcpXroDTDmJ.rmSpXd3dIbrHY".into()) })),
    ] {
        let context = golden(name);
        let mut expected = Lineage::new(id);
        expected.operations.extend(write);
        assert_eq!(Lineage::from_context(&context).unwrap(), expected, "{name}");
        // Ours is the same document.
        let ours: Value = serde_json::from_str(&expected.to_context().unwrap()).unwrap();
        assert_eq!(ours, serde_json::from_str::<Value>(&context).unwrap(), "{name}");
    }
}

/// Every field of the original's document is in ours, with a value of the same type and, where given, the same value.
fn covers(ours: &Value, original: &Value) {
    for (name, value) in original.as_object().unwrap() {
        let own = ours.get(name).unwrap_or_else(|| panic!("`{name}` is missing"));
        assert_eq!(std::mem::discriminant(own), std::mem::discriminant(value), "{name}: {own} for {value}");
        if let (Some(own), Some(value)) = (own.as_f64(), value.as_f64()) {
            assert!((own - value).abs() < 1e-6, "{name}: {own} for {value}");
        }
    }
}

#[test]
fn our_messages_have_the_documented_form() {
    let value = |json: &str| serde_json::from_str::<Value>(json).unwrap();
    covers(&value(&published().to_json().unwrap()), &value(&golden("event-published")));

    let reply = value(std::str::from_utf8(&reply_to(&published()).unwrap()).unwrap());
    assert_eq!(reply["statusCode"], 200);
    covers(&value(reply["body"].as_str().unwrap()), &value(&golden("event-published")));

    let golden_evaluation = golden("evaluation");
    let evaluation = Evaluation::from_json(golden_evaluation.as_bytes()).unwrap();
    let ours = evaluation.to_json().unwrap();
    covers(&value(std::str::from_utf8(&ours).unwrap()), &value(&golden_evaluation));

    let item = published();
    let item = item.to_dynamo_item();
    let original = value(&golden("source-dynamo"));
    let image = original["Records"][0]["dynamodb"]["NewImage"].as_object().unwrap();
    for (name, attribute) in image {
        let (_, own) = item.attributes().find(|(known, _)| known == name).unwrap_or_else(|| panic!("no `{name}`"));
        assert_eq!(Some(own), attribute["S"].as_str(), "{name}");
    }
}
