//! One combination from flags: `--cell post_storage=mysql,notification_storage=sns,regions=eu->us`.

use std::ops::Range;

use super::document::{Experiment, SCHEMA};
use crate::problem::{Problem, Problems};

/// How the TOML value of a key looks.
#[derive(Clone, Copy)]
enum Form {
    /// As it stands.
    Bare,
    /// In quotes.
    Quoted,
    /// In brackets, as the only value of an axis.
    List,
    /// In brackets and quotes.
    QuotedList,
}

/// The keys that flags may set of the experiment, and of its one matrix.
const SETTINGS: [(&str, Form); 8] = [
    ("platform", Form::Quoted),
    ("requests", Form::Bare),
    ("rounds", Form::Bare),
    ("seed", Form::Bare),
    ("payload", Form::Bare),
    ("concurrency", Form::Bare),
    ("rate", Form::Bare),
    ("invocation", Form::Quoted),
];
const AXES: [(&str, Form); 5] = [
    ("post_storage", Form::QuotedList),
    ("notification_storage", Form::QuotedList),
    ("regions", Form::QuotedList),
    ("delay_ms", Form::List),
    ("antipode", Form::List),
];

/// The default number of requests: the original's.
const REQUESTS: &str = "1000";

/// A flag as written, `key=value`.
struct Flag<'a> {
    key: &'a str,
    value: &'a str,
    at: Range<usize>,
}

/// The text of an experiment of one combination, from comma-separated `key=value` flags.
///
/// `post_storage`, `notification_storage` and `regions` are needed; without `antipode` (`on` or `off`) both are run;
/// `delay_ms` is 0, `requests` 1000, and every other setting what it is in a file that does not name it.
///
/// # Errors
/// Everything that is wrong, with places in `text`.
pub fn cell_experiment(text: &str) -> Result<String, Problems> {
    let mut problems = Vec::new();
    let flags = flags(text, &mut problems);
    let find = |key: &str| flags.iter().find(|flag| flag.key == key);
    let mut toml = format!("schema = {SCHEMA}\nname = \"cell\"\n");
    // Which part of the text stands where in the TOML, so that problems can point at the text.
    let mut places: Vec<(Range<usize>, Range<usize>)> = Vec::new();
    let mut line = |toml: &mut String, key: &str, form: Form, flag: Option<&Flag<'_>>, default: Option<&str>| {
        let start = toml.len();
        match (flag, default) {
            (Some(flag), _) => {
                *toml += &format!("{key} = {}\n", value(key, form, flag.value));
                places.push((start..toml.len(), flag.at.clone()));
            }
            (None, Some(default)) => *toml += &format!("{key} = {default}\n"),
            (None, None) => {}
        }
    };
    for (key, form) in SETTINGS {
        line(&mut toml, key, form, find(key), (key == "requests").then_some(REQUESTS));
    }
    toml += "\n[[matrix]]\nname = \"cell\"\n";
    for (key, form) in AXES {
        let default = match key {
            "delay_ms" => Some("[0]"),
            "antipode" => Some("[false, true]"),
            _ => None,
        };
        if default.is_none() && find(key).is_none() {
            let known = AXES[..3].iter().map(|(key, _)| *key).collect::<Vec<_>>().join(", ");
            problems.push(Problem::new(format!("the cell lacks `{key}`")).help(format!("needed: {known}")));
        }
        line(&mut toml, key, form, find(key), default);
    }
    if !problems.is_empty() {
        return Problems::unless_none(problems, None);
    }
    match Experiment::parse(&toml) {
        Ok(_) => Ok(toml),
        Err(Problems(mut found)) => {
            for problem in &mut found {
                problem.span = problem.span.take().and_then(|span| {
                    places.iter().find(|(place, _)| place.contains(&span.start)).map(|(_, at)| at.clone())
                });
            }
            Problems::unless_none(found, None)
        }
    }
}

fn flags<'a>(text: &'a str, problems: &mut Vec<Problem>) -> Vec<Flag<'a>> {
    let known: Vec<&str> = AXES.iter().chain(&SETTINGS).map(|(key, _)| *key).collect();
    let mut flags: Vec<Flag<'a>> = Vec::new();
    let mut start = 0;
    for part in text.split(',') {
        let at = start..start + part.len();
        start = at.end + 1;
        let Some((key, value)) = part.split_once('=') else {
            let problem = Problem::new(format!("`{part}` says nothing")).at(at).label("expected `key=value`");
            problems.push(problem.help(format!("known keys: {}", known.join(", "))));
            continue;
        };
        let (key, value) = (key.trim(), value.trim());
        if !known.contains(&key) {
            problems.push(Problem::new(format!("unknown key `{key}`")).at(at).unknown(key, "known keys", &known));
        } else if flags.iter().any(|flag| flag.key == key) {
            problems.push(Problem::new(format!("`{key}` is said twice")).at(at).label("said before"));
        } else {
            flags.push(Flag { key, value, at });
        }
    }
    flags
}

/// The TOML of a value. What the form does not fit is quoted: the parser then says what is wrong with it.
fn value(key: &str, form: Form, value: &str) -> String {
    let quoted = || toml::Value::String(value.to_owned()).to_string();
    let number = !value.is_empty() && value.parse::<f64>().is_ok_and(f64::is_finite);
    let bare = match (key, value) {
        ("antipode", "on" | "true") => "true".to_owned(),
        ("antipode", "off" | "false") => "false".to_owned(),
        _ if number => value.to_owned(),
        _ => quoted(),
    };
    match form {
        Form::Bare => bare,
        Form::Quoted => quoted(),
        Form::List => format!("[{bare}]"),
        Form::QuotedList => format!("[{}]", quoted()),
    }
}
