//! `concurrency`, `rate` and `invocation`: when requests are sent, and how.

use crate::cell::{Arrival, Invocation};
use crate::problem::Problem;
use matrix_core::walk::{Table, Value, integer, number, text};

/// The default number of clients of a closed loop: the original's upper bound.
pub(super) const DEFAULT_CONCURRENCY: u32 = 8;

/// Names of invocation types, as AWS Lambda spells them.
pub(crate) const INVOCATIONS: [&str; 2] = ["RequestResponse", "Event"];

/// Reads the arrival and the invocation type.
pub(crate) fn load(root: &Table<'_>, problems: &mut Vec<Problem>) -> (Arrival, Invocation) {
    let arrival = arrival(root, problems);
    let invocation = root.get("invocation").and_then(|value| Some((value, invocation(value, problems)?)));
    if let (Arrival::Concurrency(_), Some((value, Invocation::Event))) = (arrival, invocation) {
        problems.push(
            Problem::new("a closed loop cannot invoke with `Event`")
                .at(value.span())
                .label("brings no answer that a client could wait for")
                .help("use `RequestResponse`, or an open loop: `rate = 100` instead of `concurrency`"),
        );
    }
    (arrival, invocation.map_or(Invocation::RequestResponse, |(_, invocation)| invocation))
}

fn arrival(root: &Table<'_>, problems: &mut Vec<Problem>) -> Arrival {
    let concurrency = root.get("concurrency").and_then(|value| integer(value, "`concurrency`", 1..=1000, problems));
    let rate = root.get("rate").and_then(|value| rate(value, problems));
    if let (Some(_), Some(at)) = (root.get("concurrency"), root.key_span("rate")) {
        problems.push(
            Problem::new("`concurrency` and `rate` exclude each other")
                .at(at)
                .label("`concurrency` is set as well")
                .help("`concurrency` is a closed loop, `rate` an open loop: keep one"),
        );
    }
    match rate {
        Some(rate) => Arrival::RatePerSecond(rate),
        None => Arrival::Concurrency(
            concurrency.and_then(|clients| u32::try_from(clients).ok()).unwrap_or(DEFAULT_CONCURRENCY),
        ),
    }
}

fn rate(value: &Value<'_>, problems: &mut Vec<Problem>) -> Option<f64> {
    let label = "must be between 0.001 and 1000000 requests a second";
    number(value, "`rate`", |rate| (0.001..=1e6).contains(&rate), label, problems)
}

fn invocation(value: &Value<'_>, problems: &mut Vec<Problem>) -> Option<Invocation> {
    match text(value, "`invocation`", problems)? {
        "RequestResponse" => Some(Invocation::RequestResponse),
        "Event" => Some(Invocation::Event),
        other => {
            let problem = Problem::new(format!("unknown invocation `{other}`")).at(value.span());
            problems.push(problem.unknown(other, "known", &INVOCATIONS));
            None
        }
    }
}
