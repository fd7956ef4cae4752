//! The values of single axes, as matrices, selectors and claims write them.

use toml::de::DeValue;

use crate::axes::{NotificationStorage, PostStorage, RegionPair};
use crate::problem::Problem;
use crate::regions::Regions;
use matrix_core::walk::{Table, Value, boolean, integer, list, name, text, wrong_type};

/// The axes' keys.
pub(crate) const KEYS: [&str; 5] = ["post_storage", "notification_storage", "regions", "delay_ms", "antipode"];

/// Keys of a span of delays.
pub(crate) const SPAN_KEYS: &[&str] = &["from", "to", "step"];

/// Longest delay in milliseconds: the writer sleeps it, and a Lambda function lives 900 s at most.
pub(crate) const MAX_DELAY_MS: u64 = 900_000;

pub(crate) fn post_storage(value: &Value<'_>, problems: &mut Vec<Problem>) -> Option<PostStorage> {
    name(value, "a post storage", problems)
}

pub(crate) fn notification_storage(value: &Value<'_>, problems: &mut Vec<Problem>) -> Option<NotificationStorage> {
    name(value, "a notification storage", problems)
}

pub(crate) fn regions(value: &Value<'_>, known: &Regions, problems: &mut Vec<Problem>) -> Option<RegionPair> {
    let pair = known.pair(text(value, "a region pair", problems)?);
    pair.map_err(|problem| problems.push(problem.at(value.span()))).ok()
}

pub(crate) fn delay(value: &Value<'_>, problems: &mut Vec<Problem>) -> Option<u64> {
    let before = problems.len();
    let delay = integer(value, "a delay", 0..=MAX_DELAY_MS, problems);
    if let Some(problem) = problems.get_mut(before)
        && value.get_ref().is_integer()
    {
        problem.help = Some(format!(
            "delays are in milliseconds; the writer sleeps them, and a function lives {MAX_DELAY_MS} ms at most"
        ));
    }
    delay
}

pub(crate) fn antipode(value: &Value<'_>, problems: &mut Vec<Problem>) -> Option<bool> {
    boolean(value, "antipode", problems)
}

/// Delays: a list, or `{ from, to, step }` with both ends included. In rising order.
pub(crate) fn delays(value: &Value<'_>, what: &str, problems: &mut Vec<Problem>) -> Option<Vec<u64>> {
    match value.get_ref() {
        DeValue::Table(_) => span(value, problems),
        DeValue::Array(_) => list(value, what, problems, delay),
        other => {
            let problem = wrong_type(what, "a list or a span", other, value.span());
            problems.push(problem.help("write `[0, 100]`, or `{ from = 100, to = 1500, step = 100 }`"));
            None
        }
    }
}

fn span(value: &Value<'_>, problems: &mut Vec<Problem>) -> Option<Vec<u64>> {
    const EXAMPLE: &str = "{ from = 100, to = 1500, step = 100 }";
    let table = Table::open(value, "a span of delays", SPAN_KEYS, problems)?;
    let from = table.require("from", EXAMPLE, problems).and_then(|value| delay(value, problems));
    let to = table.require("to", EXAMPLE, problems);
    let to = to.and_then(|value| Some((value.span(), delay(value, problems)?)));
    let step = table.require("step", EXAMPLE, problems);
    let step = step.and_then(|value| integer(value, "the step of a span of delays", 1..=MAX_DELAY_MS, problems));
    let (from, (to_span, to), step) = (from?, to?, step?);
    if to < from {
        let problem = Problem::new(format!("a span of delays runs down from {from} to {to}")).at(to_span);
        problems.push(problem.label(format!("must be at least {from}")));
        return None;
    }
    let beyond = (to - from) % step;
    if beyond != 0 {
        let (low, high) = (to - beyond, to - beyond + step);
        let nearest = if high > MAX_DELAY_MS || beyond * 2 <= step { low } else { high };
        problems.push(
            Problem::new(format!("steps of {step} from {from} do not meet {to}"))
                .at(to_span)
                .label(format!("the nearest that they meet is {nearest}"))
                .help("`to` is included in the span"),
        );
        return None;
    }
    Some((from..=to).step_by(usize::try_from(step).ok()?).collect())
}
