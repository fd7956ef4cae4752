//! Messages.

use matrix_app::wire::{self, Delivered, reply_event, reply_to};
use matrix_app::{Evaluation, Event, Lineage};

/// What the reader is handed by any notification storage, what clients are answered, evaluations and lineages. What is
/// read can be written and read again as the same, also by `serde_json`, which our own quicker reader must agree with.
pub fn event(data: &[u8]) {
    if let Ok(Delivered::Event { json, notification_bytes }) = wire::receive(data) {
        assert!(notification_bytes <= data.len() as u64 * 2 + 1024, "{notification_bytes} bytes of {}", data.len());
        read_event(&json);
    }
    if let Ok(json) = reply_event(data) {
        read_event(json.as_bytes());
    }
    read_event(data);
    if let Ok(text) = std::str::from_utf8(data) {
        if let Ok(json) = Evaluation::unwrap_message(text) {
            read_evaluation(json.as_bytes());
        }
        read_lineage(text);
    }
    read_evaluation(data);
}

fn read_event(json: &[u8]) {
    let read = Event::from_json(json);
    let slow = serde_json::from_slice::<Event<'_>>(json);
    assert_eq!(read.as_ref().ok(), slow.as_ref().ok(), "the quick reader and serde_json agree");
    let Ok(event) = read else { return };
    let text = event.to_json().expect("an event that was read can be written");
    assert_eq!(Event::from_json(text.as_bytes()).expect("and read again"), event);
    let reply = reply_to(&event).expect("and be answered");
    assert_eq!(reply_event(&reply).expect("an answer is one"), text);
    for wire in [wire::deliver_sns(&text), wire::deliver_amq(&text)] {
        let got = wire::receive(&wire.expect("an event can be delivered")).expect("and is received");
        assert_eq!(got, Delivered::Event { json: text.clone().into_bytes(), notification_bytes: text.len() as u64 });
    }
    // What only the writer's answer has is not published.
    let published = Event { post_bytes: None, writer_instance: None, writer_cold: None, ..event.clone() };
    let item = published.to_dynamo_item();
    let bytes = item.logical_bytes();
    let got = wire::receive(&wire::deliver_dynamo(item).expect("an item can be delivered")).expect("and is received");
    let Delivered::Event { json, notification_bytes } = got else { panic!("an insertion is one: {got:?}") };
    assert_eq!(notification_bytes, bytes);
    assert_eq!(Event::from_json(&json).expect("an item is an event"), published);
    if let Some(context) = &event.context {
        read_lineage(context);
    }
}

fn read_evaluation(json: &[u8]) {
    let read = Evaluation::from_json(json);
    let slow = serde_json::from_slice::<Evaluation<'_>>(json);
    assert_eq!(read.as_ref().ok(), slow.as_ref().ok(), "the quick reader and serde_json agree");
    let Ok(evaluation) = read else { return };
    let text = evaluation.to_json().expect("an evaluation that was read can be written");
    assert_eq!(Evaluation::from_json(&text).expect("and read again"), evaluation);
}

fn read_lineage(text: &str) {
    let Ok(lineage) = Lineage::from_context(text) else { return };
    let context = lineage.to_context().expect("a lineage that was read can be written");
    assert_eq!(Lineage::from_context(&context).expect("and read again"), lineage);
}
