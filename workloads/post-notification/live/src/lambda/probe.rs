//! How far the clocks of the functions' regions may be apart.

use aws_sdk_lambda::Client;
use aws_sdk_lambda::types::InvocationType;
use matrix_app::Clock as _;
use matrix_lambdas::function::{Control, ControlReply, SystemClock};
use std::time::Duration;

use super::invoke::{Answer, invoke};

/// Questions to each function; the one with the shortest way counts.
const QUESTIONS: u32 = 3;

/// How long a probe is tried when it is throttled.
const PATIENCE: Duration = Duration::from_secs(5);

/// A region's clock against the client's, in microseconds.
#[derive(Clone, Copy, Debug)]
struct Offset {
    /// The best guess: the function's time less the middle of the question's way.
    guess: i64,
    /// Half of the way there and back: the guess is off by no more.
    bound: i64,
}

/// Bound of the difference between the writer's and the reader's clock, in microseconds; `None` when one did not tell.
pub(crate) async fn clock_bound(writer: (&Client, &str), reader: (&Client, &str)) -> Option<i64> {
    let (writer, reader) = tokio::join!(offset(writer), offset(reader));
    let (writer, reader) = (writer?, reader?);
    Some((writer.guess - reader.guess).abs() + writer.bound + reader.bound)
}

async fn offset((client, function): (&Client, &str)) -> Option<Offset> {
    let clock = SystemClock::start();
    let mut best: Option<Offset> = None;
    for _ in 0..QUESTIONS {
        let asked = clock.now();
        let question = Control::Clock.to_json().as_bytes().to_vec();
        let invoked = invoke(client, function, question, &InvocationType::RequestResponse, PATIENCE).await;
        let answered = clock.now();
        let Answer::Reply(reply) = invoked.answer else { continue };
        let Ok(reply) = serde_json::from_slice::<ControlReply>(reply.as_ref()) else { continue };
        let Some(now) = reply.body.now else { continue };
        // Rounded up: a bound never says too little.
        let bound = (answered - asked + 1) / 2;
        let offset = Offset { guess: now - (asked + bound), bound };
        if best.is_none_or(|best| offset.bound < best.bound) {
            best = Some(offset);
        }
    }
    best
}
