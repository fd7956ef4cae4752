//! Writer and reader from one JSON text to the other.

use matrix_app::host::ErrorKind;
use matrix_app::reader::ReaderDefaults;
use matrix_app::wire::{deliver_amq, deliver_dynamo, deliver_sns, reply_event};
use matrix_app::writer::{Instance, WriterDefaults};
use matrix_app::{
    BarrierPolicy, Evaluation, Event, Handled, LineageId, Micros, Outcome, Reader, ReaderError, Writer, WriterError,
};

use crate::host::{Answer, Host};

const KEY: &str = "17QX4ZD0PA";
const POLICY: BarrierPolicy = BarrierPolicy { min_ms: 1, max_ms: 50, deadline_ms: 2000 };

fn request(antipode: bool, delay_ms: u64) -> Vec<u8> {
    let mut event = Event::new(17, KEY, Micros(5)).with_barrier(POLICY);
    event.attempt = Some("nonce".into());
    event.antipode = Some(antipode);
    event.delay_ms = Some(delay_ms);
    event.payload_bytes = Some(1000);
    event.to_json().unwrap().into_bytes()
}

fn write(host: &Host, request: &[u8]) -> Result<Vec<u8>, WriterError> {
    let defaults = WriterDefaults { antipode: true, delay_ms: 20, payload_bytes: 77 };
    let instance = Instance { id: 3, cold: true };
    let writer = Writer { posts: host, notifications: host, clock: host, entropy: host, defaults, instance };
    host.block_on(writer.handle(request))
}

fn read(host: &Host, wire: &[u8]) -> Result<Handled, ReaderError> {
    let defaults = ReaderDefaults { antipode: true, barrier: POLICY };
    let instance = Instance { id: 4, cold: false };
    let reader = Reader { posts: host, evaluations: host, clock: host, defaults, instance };
    host.block_on(reader.handle(wire))
}

/// What the writer publishes for a request.
fn notification(request: &[u8]) -> String {
    let host = Host::default();
    write(&host, request).unwrap();
    host.published.take().remove(0)
}

/// Fails for a writer that drops the lineage.
#[test]
fn the_writer_stores_then_notifies_with_the_lineage_of_what_it_stored() {
    let host = Host::default();
    let reply = write(&host, &request(true, 30)).unwrap();
    assert_eq!(*host.stored.borrow(), [(KEY.to_owned(), 1000, Some(LineageId(42)))]);
    let published = host.published.take().remove(0);
    let event = Event::from_json(published.as_bytes()).unwrap();
    let context = event.context.as_deref().unwrap();
    assert_eq!(context, r#"{"id":"42","operations":{"post-storage":[["17QX4ZD0PA","v7"]]}}"#);
    assert_eq!((event.writer_start_at, event.post_written_at), (Some(Micros(0)), Some(Micros(1000))));
    assert_eq!(event.notification_written_at, Some(Micros(31_000)), "after the delay");
    assert_eq!(event.post_bytes, None, "only the answer says what the storage keeps");

    let answer = reply_event(&reply).unwrap();
    let answer = Event::from_json(answer.as_bytes()).unwrap();
    assert_eq!((answer.post_bytes, answer.writer_instance, answer.writer_cold), (Some(1005), Some(3), Some(true)));
    assert_eq!(answer.context, event.context);
}

#[test]
fn without_antipode_neither_post_nor_lineage_carries_anything() {
    let host = Host::default();
    write(&host, &request(false, 0)).unwrap();
    assert_eq!(*host.stored.borrow(), [(KEY.to_owned(), 1000, None)]);
    let published = host.published.take().remove(0);
    let event = Event::from_json(published.as_bytes()).unwrap();
    assert_eq!(event.context.as_deref(), Some(r#"{"id":"42","operations":{}}"#));
    assert_eq!(event.notification_written_at, Some(Micros(1000)));
}

#[test]
fn what_the_event_leaves_out_is_the_environments() {
    let host = Host::default();
    write(&host, br#"{"i": 17, "key": "17QX4ZD0PA", "client_sent_at": 1633046400.25}"#).unwrap();
    assert_eq!(*host.stored.borrow(), [(KEY.to_owned(), 77, Some(LineageId(42)))]);
    let published = host.published.take().remove(0);
    assert_eq!(Event::from_json(published.as_bytes()).unwrap().notification_written_at, Some(Micros(21_000)));
}

#[test]
fn a_post_that_was_not_stored_is_not_notified_of() {
    let host = Host { write_fails: Some(ErrorKind::Refused), ..Host::default() };
    assert!(matches!(write(&host, &request(true, 0)), Err(WriterError::Post(_))));
    assert!(host.published.borrow().is_empty());
    let host = Host { publish_fails: Some(ErrorKind::Throttled), ..Host::default() };
    assert!(matches!(write(&host, &request(true, 0)), Err(WriterError::Notification(_))));
    assert!(matches!(write(&host, b"{}"), Err(WriterError::Request(_))));
}

fn evaluated(host: &Host, wire: &[u8]) -> String {
    assert!(matches!(read(host, wire), Ok(Handled::Evaluated(_))));
    host.evaluations.take().remove(0)
}

/// Fails for a reader that skips the barrier.
#[test]
fn the_reader_waits_for_the_lineage_before_it_reads() {
    let message = notification(&request(true, 0));
    let event = Event::from_json(message.as_bytes()).unwrap();
    let item = event.to_dynamo_item();
    let wires = [
        deliver_sns(&message).unwrap(),
        deliver_amq(&message).unwrap(),
        deliver_dynamo(item).unwrap(),
        message.clone().into(),
    ];
    let mut sizes = Vec::new();
    for wire in wires {
        let host = Host { post_is_there: true, ..Host::answering([Answer::Missing, Answer::Missing]) };
        let json = evaluated(&host, &wire);
        let found = Evaluation::from_json(json.as_bytes()).unwrap();
        let context = event.context.as_deref().unwrap();
        assert_eq!(host.polls.borrow()[0].1, "17QX4ZD0PA/v7/42");
        assert_eq!((found.barrier_polls, found.antipode_spent_ms), (Some(3), Some(6.0)));
        assert_eq!(found.barrier_last_miss_at, Some(Micros(2000)));
        assert_eq!((found.read_start_at, found.post_read_at), (Some(Micros(6000)), Some(Micros(7000))));
        assert_eq!((found.consistent_read, found.outcome), (Some(true), Some(Outcome::Ok)));
        assert_eq!((found.i, found.key.as_deref(), found.attempt.as_deref()), (17, Some(KEY), Some("nonce")));
        assert_eq!(found.lineage_bytes, Some(context.len() as u64));
        assert_eq!(found.notification_to_reader_spent_ms, Some(-1.0), "clocks of regions may differ");
        assert_eq!((found.reader_instance, found.reader_cold), (Some(4), Some(false)));
        sizes.push(found.notification_bytes.unwrap());
    }
    let text = message.len() as u64;
    assert_eq!(sizes, [text, text, event.to_dynamo_item().logical_bytes(), text]);
}

#[test]
fn without_antipode_the_reader_reads_at_once_and_tells_what_it_found() {
    let wire = deliver_sns(&notification(&request(false, 0))).unwrap();
    let host = Host::answering([Answer::Hangs]);
    let json = evaluated(&host, &wire);
    let found = Evaluation::from_json(json.as_bytes()).unwrap();
    assert_eq!((found.consistent_read, found.outcome), (Some(false), Some(Outcome::Ok)));
    assert_eq!((found.read_start_at, found.antipode_spent_ms, found.barrier_polls), (Some(Micros(0)), None, None));
    assert!(json.contains(r#""consistent_read":0"#), "as the original writes it: {json}");
}

#[test]
fn failures_of_the_readers_storage_are_outcomes() {
    let wire = deliver_sns(&notification(&request(true, 0))).unwrap();
    let refused = ErrorKind::Refused;
    let cases = [
        (Host::answering([Answer::Fails(refused)]), Outcome::ReaderError, Some("posts: refused: as told")),
        (Host { read_fails: Some(refused), ..Host::default() }, Outcome::ReaderError, Some("posts: refused: as told")),
        (Host::answering([Answer::Hangs]), Outcome::BarrierTimeout, None),
    ];
    for (host, outcome, error) in cases {
        let json = evaluated(&host, &wire);
        let found = Evaluation::from_json(json.as_bytes()).unwrap();
        assert_eq!((found.outcome, found.error.as_deref()), (Some(outcome), error));
        assert_eq!((found.post_read_at, found.consistent_read), (None, None));
    }
}

#[test]
fn what_is_no_notification_is_refused_or_ignored() {
    let host = Host::default();
    let modify = br#"{"Records":[{"eventName":"MODIFY","dynamodb":{"NewImage":{"k":{"S":"1"},"v":{"S":"x"},"client_sent_at":{"S":"1"}}}}]}"#;
    assert_eq!(read(&host, modify).unwrap(), Handled::Ignored);
    for bad in ["", "{}", r#"{"Records":[]}"#, r#"{"messages":[{"data":"no base64!"}]}"#] {
        assert!(matches!(read(&host, bad.as_bytes()), Err(ReaderError::Notification(_))), "{bad}");
    }
    let bad_context = r#"{"i":1,"key":"1A","client_sent_at":1.5,"context":"?"}"#;
    assert!(matches!(read(&host, bad_context.as_bytes()), Err(ReaderError::Lineage(_))));
    assert!(host.evaluations.borrow().is_empty());
}
