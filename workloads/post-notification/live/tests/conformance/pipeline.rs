//! The functions themselves, on the real storages: request to writer, notification to reader, evaluation in the queue.

use matrix_app::wire::{Evaluation, Event, reply_event};
use matrix_app::{Micros, Outcome};
use matrix_lambdas::Admin as _;
use matrix_lambdas::EvaluationQueue;
use matrix_lambdas::config::{PostConfig, Side};
use matrix_lambdas::conformance::built_at;
use matrix_lambdas::function::{Control, ControlReply, Function as _, ReaderFunction, WriterFunction};
use matrix_lambdas::{AnyNotification, AnyPost};

use crate::endpoints::{Endpoints, on_runtime};
use crate::notifications::{deliver, prepare};
use crate::provision;

fn serves(post: &str, notification: &str) {
    let endpoints = Endpoints::take();
    let (mut config, aws) = (endpoints.config(post, notification), endpoints.aws());
    on_runtime(Box::pin(async {
        let seen = prepare(&config, &aws).await;
        match &config.post {
            PostConfig::Dynamo(dynamo) => provision::table(&config, &aws, &dynamo.table).await,
            PostConfig::S3(_) => provision::buckets(&config, &aws).await,
            PostConfig::Mysql(_) | PostConfig::Redis(_) => {}
        }
        config.evaluations.url = provision::queue(&aws, &config.reader_region, "evaluations").await;
        AnyPost::new(&config, &aws, Side::Writer).build().await.unwrap();
        built_at(&AnyPost::new(&config, &aws, Side::Reader)).await.unwrap();
        let queue = EvaluationQueue::new(&config.evaluations, &aws, &config.reader_region);
        queue.clean().await.unwrap();
        for side in [Side::Writer, Side::Reader] {
            AnyNotification::new(&config, &aws, side).clean().await.unwrap();
        }

        let writer = WriterFunction::new(config.clone(), &aws).unwrap();
        let reader = ReaderFunction::new(config.clone(), &aws).unwrap();
        let clean = Control::Clean.to_json().as_bytes();
        let reply: ControlReply = serde_json::from_slice(&writer.handle(clean).await.unwrap()).unwrap();
        assert_eq!(reply, ControlReply::cleaned());

        for (i, key) in [(0, "0QX4ZD0PAB"), (1, "1QX4ZD0PAB")] {
            let mut request = Event::new(i, key, Micros(1_634_119_203_120_811));
            request.antipode = Some(true);
            request.attempt = Some("nonce".into());
            let answer = writer.handle(request.to_json().unwrap().as_bytes()).await.unwrap();
            let reply = reply_event(&answer).unwrap();
            let reply = Event::from_json(reply.as_bytes()).unwrap();
            assert!(reply.post_bytes > Some(config.payload_bytes) || post == "s3", "{reply:?}");
            // The first invocation was the cleaning.
            assert_eq!(reply.writer_cold, Some(false));

            let wire = deliver(&config, &aws, seen.as_deref(), i).await;
            let answer = reader.handle(&wire).await.unwrap();
            assert_eq!(std::str::from_utf8(&answer).unwrap(), r#"{"statusCode":200,"body":"ok"}"#);
            let body = provision::messages(&aws, &config.reader_region, &config.evaluations.url, 1).await.remove(0);
            let evaluation = Evaluation::from_json(body.as_bytes()).unwrap();
            assert_eq!((evaluation.i, evaluation.consistent_read), (i, Some(true)), "{body}");
            assert_eq!(evaluation.outcome, Some(Outcome::Ok));
            assert_eq!(evaluation.attempt.as_deref(), Some("nonce"));
            assert_eq!(evaluation.reader_cold, Some(i == 0));
        }
        let stats = writer.handle(Control::Stats.to_json().as_bytes()).await.unwrap();
        let stats: ControlReply = serde_json::from_slice(&stats).unwrap();
        assert_eq!(stats.body.stats.unwrap().posts.items, 2, "{stats:?}");

        // What is no notification holds up nobody; what is no insertion is ignored; a barrier's deadline is an outcome.
        let answer = reader.handle(br#"{"Records":[{"Sns":{"Message":"x"}}]}"#).await.unwrap();
        assert!(answer.starts_with(br#"{"statusCode":400"#));
        let answer = reader.handle(br#"{"Records":[{"eventName":"REMOVE","dynamodb":{}}]}"#).await.unwrap();
        assert!(answer.starts_with(br#"{"statusCode":422"#));
        let mut never = Event::new(2, "2QX4ZD0PAB", Micros(1_634_119_203_120_811));
        never.context = Some(r#"{"id":"5","operations":{"post-storage":[["2QX4ZD0PAB"]]}}"#.into());
        (never.antipode, never.barrier_deadline_ms) = (Some(true), Some(200));
        let answer = reader.handle(never.to_json().unwrap().as_bytes()).await.unwrap();
        assert_eq!(std::str::from_utf8(&answer).unwrap(), r#"{"statusCode":200,"body":"barrier_timeout"}"#);
        assert!(!queue.is_empty().await.unwrap());
        queue.clean().await.unwrap();
        assert!(queue.is_empty().await.unwrap());
    }));
}

#[test]
fn mysql_and_sns() {
    serves("mysql", "sns");
}

#[test]
fn dynamo_and_dynamo() {
    serves("dynamo", "dynamo");
}

#[test]
fn s3_and_amq() {
    serves("s3", "amq");
}

#[test]
fn redis_and_sns() {
    serves("redis", "sns");
}
