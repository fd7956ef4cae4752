//! `rows`: where a cell's rows come from.

use matrix_core::Kind;
use matrix_core::Problem;
use matrix_core::filter::Field;
use matrix_core::placeholder::Template;
use matrix_core::read::{self, Table, Value};
use toml::de::DeValue;

use super::columns::{self, Column, ColumnType};
use super::command::Command;
use super::strings::Strings;

/// Name of the source where there is one without a name.
pub const UNNAMED: &str = "rows";

/// The form of what a program writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// CSV by RFC 4180 with a header.
    Csv,
    /// A JSON object a line.
    Jsonl,
    /// One JSON document, read by pointers (RFC 6901).
    Json,
    /// Text, read by regular expressions.
    Regex,
    /// Lines of `name = value` or `name: value`.
    Kv,
    /// Nothing: one row of what the run itself cost.
    Run,
}

impl Format {
    const ALL: [(&'static str, Self); 5] =
        [("csv", Self::Csv), ("jsonl", Self::Jsonl), ("json", Self::Json), ("regex", Self::Regex), ("kv", Self::Kv)];

    /// Its name in a file.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, format)| *format == self).map_or("run", |(name, _)| name)
    }
}

/// Where the text is.
#[derive(Clone, Debug, PartialEq)]
pub enum TextLocation {
    /// A file.
    Path(Template),
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// What a service printed.
    Service(String),
}

/// Where rows come from, and their columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// Its name; `rows` if it is the only one and has none.
    pub name: String,
    /// The form of what is read.
    pub format: Format,
    /// Where it is.
    pub place: TextLocation,
    /// What is read of it.
    pub columns: Vec<Column>,
}

impl Source {
    /// Its columns as fields.
    #[must_use]
    pub fn fields(&self) -> Vec<Field> {
        self.columns.iter().map(|column| Field { name: column.name.clone(), kind: column.kind() }).collect()
    }
}

/// Reads `rows` of `[command]` and `[columns]`.
pub(super) fn sources(
    root: &Table<'_>,
    strings: &Strings<'_>,
    command: Option<&Command>,
    problems: &mut Vec<Problem>,
) -> Vec<Source> {
    let Some(DeValue::Table(table)) = root.get("command").map(Value::get_ref) else { return Vec::new() };
    let services: Vec<String> = command
        .map(|command| command.services.iter().map(|service| service.name.clone()).collect())
        .unwrap_or_default();
    let Some(value) = table.get("rows") else {
        if let Some(place) = root.key_span("columns") {
            let problem = Problem::new("[columns] without `rows`").at(place).label("columns of what?");
            problems.push(problem.help("say where rows come from: rows = \"csv:{out}/rows.csv\" in [command]"));
        }
        return vec![of_the_run()];
    };
    let named = match value.get_ref() {
        DeValue::Table(table) => read::entries(table),
        _ => vec![(UNNAMED, value.span(), value)],
    };
    let several = matches!(value.get_ref(), DeValue::Table(_));
    let mut sources = Vec::new();
    for (name, place, value) in named {
        if !read::is_identifier(name) || name == "run" {
            problems.push(Problem::new(format!("`{name}` is no name of a source")).at(place).label("not a name"));
            continue;
        }
        let Some((format, place)) = source(value, strings, &services, problems) else { continue };
        let columns = columns::columns(root, several.then_some(name), format, strings, problems);
        sources.push(Source { name: name.to_owned(), format, place, columns });
    }
    if several {
        columns::unknown_sources(root, &sources, problems);
    }
    sources
}

/// The one row of what the run itself cost.
fn of_the_run() -> Source {
    let column = |name: &str, unit: &str, kind: ColumnType| Column::plain(name, unit, kind);
    let columns = vec![
        column("wall_us", "us", ColumnType::Integer),
        column("user_us", "us", ColumnType::Integer),
        column("system_us", "us", ColumnType::Integer),
        column("max_rss_bytes", "B", ColumnType::Integer),
    ];
    Source { name: UNNAMED.to_owned(), format: Format::Run, place: TextLocation::Stdout, columns }
}

fn source(
    value: &Value<'_>,
    strings: &Strings<'_>,
    services: &[String],
    problems: &mut Vec<Problem>,
) -> Option<(Format, TextLocation)> {
    let text = read::text(value, "`rows`", problems)?;
    let help = "write FORMAT:PLACE, for example csv:{out}/rows.csv, json:stdout or regex:@db";
    let Some((format, place)) = text.split_once(':') else {
        let problem = Problem::new(format!("`rows` cannot be `{text}`")).at(value.span());
        problems.push(problem.label("no format").help(help));
        return None;
    };
    let Some((_, format)) = Format::ALL.iter().find(|(name, _)| *name == format) else {
        let names = Format::ALL.map(|(name, _)| name);
        problems.push(read::unknown("format", format, value.span(), &names).help(help));
        return None;
    };
    let place = match place {
        "stdout" => TextLocation::Stdout,
        "stderr" => TextLocation::Stderr,
        _ => match place.strip_prefix('@') {
            Some(service) if services.iter().any(|known| known == service) => TextLocation::Service(service.to_owned()),
            Some(service) => {
                let known: Vec<&str> = services.iter().map(String::as_str).collect();
                problems.push(read::unknown("service", service, value.span(), &known));
                return None;
            }
            None => {
                let template = strings.parse(place, &value.span(), problems)?;
                let in_out = matches!(template.segments().first(), Some(matrix_core::placeholder::Segment::Out));
                let strange = template.segments().iter().skip(1).any(|segment| {
                    !matches!(
                        segment,
                        matrix_core::placeholder::Segment::Literal(_) | matrix_core::placeholder::Segment::Axis(_)
                    )
                });
                if strange {
                    let problem =
                        Problem::new("the path of rows has placeholders besides {out} and axes").at(value.span());
                    problems.push(problem.label("the same file is read in every round"));
                    return None;
                }
                if !in_out {
                    let problem =
                        Problem::new("rows are read from {out}, stdout, stderr or a @service").at(value.span());
                    problems.push(problem.label("only what is kept can be read").help("write csv:{out}/rows.csv"));
                    return None;
                }
                TextLocation::Path(template)
            }
        },
    };
    Some((*format, place))
}

/// The type of a column as filters see it.
#[must_use]
pub(super) fn kind(of: ColumnType) -> Kind {
    match of {
        ColumnType::Integer => Kind::Whole,
        ColumnType::Real | ColumnType::Quantity => Kind::Real,
        ColumnType::Boolean => Kind::Boolean,
        ColumnType::Text => Kind::Text,
    }
}
