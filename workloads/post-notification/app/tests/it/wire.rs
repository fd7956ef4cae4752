//! The messages, against the original artifact's.

use matrix_app::row::{HEADER, RowError};
use matrix_app::wire::{
    Delivered, WireError, deliver_amq, deliver_dynamo, deliver_sns, receive, reply_event, reply_to,
};
use matrix_app::{ClientSide, Evaluation, Event, Micros, Outcome, PostKey, Row};
use proptest::prelude::*;

/// An event as the original's client sends it, with Python's spaces.
const CLIENTS: &str = r#"{"i": 17, "key": "17QX4ZD0PA", "client_sent_at": 1633046400.123456}"#;

/// An event as the original's writer publishes it.
const WRITERS: &str = r#"{"i": 17, "key": "17QX4ZD0PA", "client_sent_at": 1633046400.123456, "writer_start_at": 1633046400.2, "post_written_at": 1633046400.5, "context": "{\"id\": \"42\", \"operations\": {\"post-storage\": [[\"17QX4ZD0PA\"]]}}", "notification_written_at": 1633046401.0}"#;

fn full() -> Event<'static> {
    let mut event = Event::from_json(WRITERS.as_bytes()).unwrap();
    event.attempt = Some("0011223344556677".into());
    event.antipode = Some(true);
    event.delay_ms = Some(100);
    event.payload_bytes = Some(1_000_000);
    event
}

#[test]
fn events_of_the_original_are_understood() {
    let event = Event::from_json(CLIENTS.as_bytes()).unwrap();
    assert_eq!(event, Event::new(17, "17QX4ZD0PA", Micros(1_633_046_400_123_456)));
    let event = Event::from_json(WRITERS.as_bytes()).unwrap();
    assert_eq!(event.notification_written_at, Some(Micros(1_633_046_401_000_000)));
    assert_eq!((event.attempt, event.antipode, event.delay_ms), (None, None, None));
}

#[test]
fn an_events_json_is_this() {
    let json = full().to_json().unwrap();
    let expected = concat!(
        r#"{"i":17,"key":"17QX4ZD0PA","client_sent_at":1633046400.123456,"writer_start_at":1633046400.2,"#,
        r#""post_written_at":1633046400.5,"context":"{\"id\": \"42\", \"operations\": {\"post-storage\": [[\"17QX4ZD0PA\"]]}}","#,
        r#""notification_written_at":1633046401.0,"attempt":"0011223344556677","antipode":true,"delay_ms":100,"#,
        r#""payload_bytes":1000000}"#
    );
    assert_eq!(json, expected);
}

#[test]
fn deliveries_are_these() {
    let text = |wire: Result<Vec<u8>, WireError>| String::from_utf8(wire.unwrap()).unwrap();
    assert_eq!(text(deliver_sns(r#"{"i":1}"#)), r#"{"Records":[{"Sns":{"Message":"{\"i\":1}"}}]}"#);
    assert_eq!(text(deliver_amq(r#"{"i":1}"#)), r#"{"messages":[{"data":"eyJpIjoxfQ=="}]}"#);
    let event = Event::new(1, "1AAAAAAAAA", Micros(1_500_000));
    let expected = concat!(
        r#"{"Records":[{"eventName":"INSERT","dynamodb":{"NewImage":{"k":{"S":"1"},"v":{"S":"1AAAAAAAAA"},"#,
        r#""client_sent_at":{"S":"1.5"}}}}]}"#
    );
    assert_eq!(text(deliver_dynamo(event.to_dynamo_item())), expected);
}

/// What the services send has much around the part that matters.
#[test]
fn real_envelopes_are_understood() {
    let message = full().to_json().unwrap();
    let quoted = serde_json::to_string(&message).unwrap();
    let sns = format!(
        r#"{{"Records": [{{"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": {{"Type": "Notification", "Subject": null, "Message": {quoted}, "MessageAttributes": {{}}}}}}]}}"#
    );
    let amq = String::from_utf8(deliver_amq(&message).unwrap()).unwrap();
    let amq = amq.replace(
        r#"{"messages":[{"#,
        r#"{"eventSource": "aws:mq", "eventSourceArn": "arn", "messages": [{"messageID": "ID:1", "redelivered": false, "#,
    );
    for wire in [sns, amq] {
        let received = receive(wire.as_bytes()).unwrap();
        let expected =
            Delivered::Event { json: message.clone().into_bytes(), notification_bytes: message.len() as u64 };
        assert_eq!(received, expected);
    }
    let item = r#"{"Records": [{"eventID": "1", "eventName": "INSERT", "eventSource": "aws:dynamodb", "dynamodb": {"Keys": {"k": {"S": "17"}}, "NewImage": {"k": {"S": "17"}, "v": {"S": "17QX4ZD0PA"}, "client_sent_at": {"S": "1633046400.123456"}, "context": {"S": "{\"id\": \"42\", \"operations\": {}}"}}, "SequenceNumber": "1", "StreamViewType": "NEW_IMAGE"}}]}"#;
    let Delivered::Event { json, notification_bytes } = receive(item.as_bytes()).unwrap() else { panic!() };
    let event = Event::from_json(&json).unwrap();
    assert_eq!((event.i, &*event.key, event.client_sent_at), (17, "17QX4ZD0PA", Micros(1_633_046_400_123_456)));
    // Names and values: k 17, v and the key, client_sent_at and 17 digits and a point, context and its text.
    assert_eq!(notification_bytes, (1 + 2) + (1 + 10) + (14 + 17) + (7 + 30));
}

#[test]
fn messages_that_are_none_are_refused() {
    for (wire, expected) in [
        (r#"{"Records":[{"Sns":{"Message":"a"}},{"Sns":{"Message":"b"}}]}"#, "the envelope holds 2 messages"),
        (r#"{"Records":[],"messages":[]}"#, "neither an event nor an envelope"),
        (r#"{"Records":[{"eventName":"INSERT"}]}"#, "neither an event nor an envelope"),
        (r#"{"Records":[{"Sns":{"Message":"unfinished}}]}"#, "does not have the documented form"),
        (r#"{"Records":[{"Sns":{"Message":"\x"}}]}"#, "does not have the documented form"),
        ("{\"Records\":[{\"Sns\":{\"Message\":\"\n\"}}]}", "does not have the documented form"),
    ] {
        let error = receive(wire.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(expected), "{wire}: {error}");
    }
}

#[test]
fn answers_and_their_failures() {
    let event = full();
    let reply = reply_to(&event).unwrap();
    assert!(reply.starts_with(br#"{"statusCode":200,"body":"{\"i\":17,"#));
    assert_eq!(reply_event(&reply).unwrap(), event.to_json().unwrap());
    let failed = reply_event(br#"{"statusCode": 500, "body": "no"}"#).unwrap_err();
    assert_eq!(failed.to_string(), "the function answered with status 500: no");
    assert!(reply_event(br#"{"errorMessage": "x"}"#).is_err());
}

#[test]
fn evaluations_of_the_original_are_understood_wrapped_or_not() {
    let plain = r#"{"i": "17", "client_sent_at": "1633046400.5", "writer_start_at": 1633046401, "post_written_at": 1633046402.0, "reader_received_at": 1633046403.0, "notification_to_reader_spent_ms": 1000, "post_read_at": 1633046404.25, "consistent_read": 1, "antipode_spent_ms": 12.5, "notification_size_bytes": 232}"#;
    let wrapped = format!(
        r#"{{"version": "1.0", "responsePayload": {{"statusCode": 200, "body": {}}}}}"#,
        serde_json::to_string(plain).unwrap()
    );
    for message in [plain, &wrapped] {
        let json = Evaluation::unwrap_message(message).unwrap();
        let evaluation = Evaluation::from_json(json.as_bytes()).unwrap();
        assert_eq!((evaluation.i, evaluation.consistent_read), (17, Some(true)));
        assert_eq!(evaluation.client_sent_at, Micros(1_633_046_400_500_000));
        assert_eq!((evaluation.notification_size_bytes, evaluation.notification_bytes), (Some(232), None));
        assert_eq!(evaluation.outcome, None);
    }
    assert!(Evaluation::unwrap_message("no JSON").is_err());
    assert!(Evaluation::from_json(br#"{"i":1"#).is_err());
}

fn times() -> impl Strategy<Value = Micros> {
    (0i64..4_000_000_000_000_000).prop_map(Micros)
}

prop_compose! {
    fn events()(
        i: u64, key in "[0-9]{1,4}[A-Z][A-Z0-9]{5}", texts in prop::collection::vec(prop::option::of(".*"), 2),
        sent in times(), stamps in prop::collection::vec(prop::option::of(times()), 3),
        numbers in prop::collection::vec(prop::option::of(any::<u64>()), 7),
        antipode: Option<bool>, writer_cold: Option<bool>,
    ) -> Event<'static> {
        let mut event = Event::new(i, key, sent);
        event.writer_start_at = stamps[0];
        event.post_written_at = stamps[1];
        event.notification_written_at = stamps[2];
        event.context = texts[0].clone().map(Into::into);
        event.attempt = texts[1].clone().map(Into::into);
        event.antipode = antipode;
        event.delay_ms = numbers[0];
        event.payload_bytes = numbers[1];
        event.barrier_min_ms = numbers[2];
        event.barrier_max_ms = numbers[3];
        event.barrier_deadline_ms = numbers[4];
        event.post_bytes = numbers[5];
        event.writer_instance = numbers[6];
        event.writer_cold = writer_cold;
        event
    }
}

prop_compose! {
    fn evaluations()(
        i: u64, sent in times(), received in times(), stamps in prop::collection::vec(prop::option::of(times()), 6),
        spent in prop::collection::vec(prop::option::of((-1_000_000i64..1_000_000_000).prop_map(|us| us as f64 / 1e3)), 2),
        numbers in prop::collection::vec(prop::option::of(any::<u64>()), 5),
        texts in prop::collection::vec(prop::option::of(".*"), 3),
        consistent_read: Option<bool>, reader_cold: Option<bool>,
        outcome in prop::option::of(prop::sample::select(Outcome::ALL.to_vec())),
    ) -> Evaluation<'static> {
        let text = |n: usize| texts[n].clone().map(Into::into);
        Evaluation {
            i,
            client_sent_at: sent,
            writer_start_at: stamps[0],
            post_written_at: stamps[1],
            reader_received_at: received,
            notification_to_reader_spent_ms: spent[0],
            post_read_at: stamps[2],
            consistent_read,
            antipode_spent_ms: spent[1],
            notification_size_bytes: numbers[0],
            notification_bytes: numbers[1],
            key: text(0),
            attempt: text(1),
            notification_written_at: stamps[3],
            barrier_polls: numbers[2],
            barrier_last_miss_at: stamps[4],
            read_start_at: stamps[5],
            lineage_bytes: numbers[3],
            reader_instance: numbers[4],
            reader_cold,
            outcome,
            error: text(2),
        }
    }
}

proptest! {
    #[test]
    fn every_source_delivers_the_event_that_was_published(mut event in events()) {
        // What only the writer's answer has is not published.
        (event.post_bytes, event.writer_instance, event.writer_cold) = (None, None, None);
        let message = event.to_json().unwrap();
        let item = deliver_dynamo(event.to_dynamo_item()).unwrap();
        for wire in [deliver_sns(&message).unwrap(), deliver_amq(&message).unwrap(), item, message.clone().into_bytes()] {
            let Delivered::Event { json, .. } = receive(&wire).unwrap() else { panic!("no event") };
            prop_assert_eq!(&Event::from_json(&json).unwrap(), &event);
        }
    }

    #[test]
    fn an_answer_brings_the_whole_event_back(event in events()) {
        let reply = reply_to(&event).unwrap();
        let json = reply_event(&reply).unwrap();
        prop_assert_eq!(Event::from_json(json.as_bytes()).unwrap(), event);
    }

    /// Whatever way `to_json` takes, its text is the one that serde gives.
    #[test]
    fn an_events_json_is_serdes(event in events()) {
        prop_assert_eq!(event.to_json().unwrap(), serde_json::to_string(&event).unwrap());
    }

    #[test]
    fn an_evaluations_json_is_serdes(evaluation in evaluations()) {
        let json = evaluation.to_json().unwrap();
        prop_assert_eq!(std::str::from_utf8(&json).unwrap(), serde_json::to_string(&evaluation).unwrap());
        prop_assert_eq!(Evaluation::from_json(&json).unwrap(), evaluation);
    }

    /// There is a quick way to read what this crate writes. After a change of one character it must still understand what
    /// serde understands, no more and no less, and understand it alike.
    #[test]
    fn messages_are_read_as_serde_reads_them(
        event in events(), evaluation in evaluations(), place: prop::sample::Index,
        change in prop::sample::select(vec!["", "0", "1", "9", "-", ".", "e1", " ", "\"", "\\", "\\n", "\\u0041", ",", "}", "x", "\u{e9}", "\n"]),
        replaces: bool,
    ) {
        let changed = |json: String| {
            let characters: Vec<(usize, char)> = json.char_indices().collect();
            let (at, character) = characters[place.index(characters.len())];
            let rest = if replaces { at + character.len_utf8() } else { at };
            format!("{}{change}{}", &json[..at], &json[rest..])
        };
        for json in [event.to_json().unwrap(), changed(event.to_json().unwrap())] {
            let serdes: Option<Event<'_>> = serde_json::from_str(&json).ok();
            prop_assert_eq!(Event::from_json(json.as_bytes()).ok(), serdes, "{}", json);
        }
        let json = String::from_utf8(evaluation.to_json().unwrap()).unwrap();
        for json in [json.clone(), changed(json)] {
            let serdes: Option<Evaluation<'_>> = serde_json::from_str(&json).ok();
            prop_assert_eq!(Evaluation::from_json(json.as_bytes()).ok(), serdes, "{}", json);
        }
    }

    /// An answer in another's spacing or escapes means the same.
    #[test]
    fn answers_are_read_as_serde_reads_them(body in "(\\PC|[\"\\\\\n\t\u{1}])*") {
        let quoted = serde_json::to_string(&body).unwrap();
        for reply in [
            format!(r#"{{"statusCode":200,"body":{quoted}}}"#),
            format!(r#"{{ "body" : {quoted} , "statusCode" : 200 }}"#),
            format!(r#"{{"statusCode":200,"body":{}}}"#, quoted.replace('a', "\\u0061").replace('/', "\\/")),
        ] {
            prop_assert_eq!(&*reply_event(reply.as_bytes()).unwrap(), &body);
        }
    }

    /// A text is quoted and taken apart as serde does it.
    #[test]
    fn envelopes_quote_as_serde_does(message in "(\\PC|[\"\\\\\n\t\u{1}\u{7f}a])*") {
        let wire = deliver_sns(&message).unwrap();
        let quoted = serde_json::to_string(&message).unwrap();
        let expected = format!(r#"{{"Records":[{{"Sns":{{"Message":{quoted}}}}}]}}"#);
        prop_assert_eq!(&wire, expected.as_bytes());
        let Delivered::Event { json, .. } = receive(&wire).unwrap() else { panic!("no event") };
        prop_assert_eq!(json, message.into_bytes());
    }
}

#[test]
fn rows_join_what_client_and_reader_know() {
    let client = ClientSide {
        i: 17,
        key: PostKey::parse("17QX4ZD0PA").unwrap(),
        sent_at: Micros(1_000),
        reply_at: Some(Micros(9_000)),
        writer_failed: false,
    };
    let lost = Row::join(&client, None, None, Some(Micros(5_000)), Micros(1_000));
    assert_eq!((lost.outcome, lost.reply_us, lost.post_visible_us), (Outcome::Lost, Some(8_000), Some(4_000)));
    let failed = Row::join(&ClientSide { writer_failed: true, ..client }, None, None, None, Micros(0));
    assert_eq!(failed.outcome, Outcome::WriterError);
}

#[test]
fn rows_survive_their_line() {
    let line = "17,17QX4ZD0PA,barrier_timeout,-5,1,2,3,,4,120000000,2400,77,,,,80,230,98,1000042,1,2,1,0";
    let row = Row::parse_csv(line).unwrap();
    let mut written = Vec::new();
    row.write_csv(&mut written);
    assert_eq!(String::from_utf8(written).unwrap(), format!("{line}\n"));
    assert_eq!(HEADER.split(',').count(), line.split(',').count());
    assert_eq!(Row::parse_csv("1,2"), Err(RowError::Columns(2)));
    let bad = line.replace("barrier_timeout", "fine");
    assert_eq!(Row::parse_csv(&bad).unwrap_err().to_string(), "column `outcome` cannot hold `fine`");
}
