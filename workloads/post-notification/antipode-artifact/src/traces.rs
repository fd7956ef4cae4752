//! `traces.csv`: one line per result.

use serde::{Deserialize, Serialize};

use crate::error::{ParseError, Problem};
use crate::number::{milliseconds, seconds, write_seconds};

/// The columns after the row index, in their order. `antipode_spent_ms` is there only with antipode.
pub const COLUMNS: [&str; 8] = [
    "reader_received_at",
    "consistent_read",
    "notification_to_reader_spent_ms",
    "antipode_spent_ms",
    "client_latency_ms",
    "client_visibility_latency_ms",
    "writer_latency_ms",
    "writer_visibility_latency_ms",
];

const ANTIPODE: usize = 3;

/// One result. Milliseconds are cut towards zero, as Python's `int` does; an empty field is `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceRow {
    /// When the reader began, in microseconds since 1970.
    pub reader_received_us: i64,
    /// Whether the read found the post.
    pub consistent_read: bool,
    /// From just before the notification was published to the reader's beginning.
    pub notification_to_reader_ms: Option<i64>,
    /// Time in the barrier.
    pub antipode_ms: Option<i64>,
    /// From the client's request to the writer's answer.
    pub client_latency_ms: Option<i64>,
    /// From the client's request to the end of the read.
    pub client_visibility_ms: Option<i64>,
    /// From the writer's beginning to its answer's arrival at the client.
    pub writer_latency_ms: Option<i64>,
    /// From the writer's beginning to the end of the read: the consistency window.
    pub writer_visibility_ms: Option<i64>,
}

/// All results of a folder, in order of arrival.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traces {
    /// Whether there is a column of the time in the barrier.
    pub antipode: bool,
    /// The results.
    pub rows: Vec<TraceRow>,
}

/// The text of a file: UTF-8, with or without a mark of its byte order.
pub(crate) fn text_of(bytes: &[u8]) -> Result<&str, ParseError> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count();
        let column = before.iter().rev().take_while(|byte| **byte != b'\n').count();
        ParseError::new(line as u64 + 1, column as u64 + 1, Problem::NotUtf8)
    })
}

/// Reads `traces.csv`. Columns may stand in any order; of those with times only `reader_received_at` must be there,
/// and fields of the others may be empty.
///
/// # Errors
/// When the header or a field cannot be understood; the error names the place.
pub fn parse_traces(bytes: &[u8]) -> Result<Traces, ParseError> {
    let text = text_of(bytes)?;
    let mut lines = (1u64..).zip(text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)));
    let header = lines.next().map(|(_, line)| line).filter(|line| !line.is_empty());
    let columns = columns(header.ok_or(ParseError::new(1, 1, Problem::Empty))?)?;
    let antipode = columns.contains(&ANTIPODE);
    let mut rows: Vec<TraceRow> = Vec::new();
    let mut blank = None;
    for (number, line) in lines {
        if line.is_empty() {
            blank.get_or_insert(number);
            continue;
        }
        // Blank lines are for the end.
        if let Some(blank) = blank {
            return Err(ParseError::new(blank, 1, Problem::Fields { found: 1, expected: columns.len() + 1 }));
        }
        rows.push(Line { number, text: line }.row(&columns, rows.len() as u64)?);
    }
    Ok(Traces { antipode, rows })
}

/// Which column stands where, after the index.
fn columns(header: &str) -> Result<Vec<usize>, ParseError> {
    let (mut places, mut at) = (Vec::new(), 1u64);
    for (n, field) in header.split(';').enumerate() {
        let name = unquoted(field);
        let fail = |problem| Err(ParseError::new(1, at, problem));
        if n == 0 {
            if !name.is_empty() {
                return fail(Problem::NoIndex { found: shown(name) });
            }
        } else {
            let Some(place) = COLUMNS.iter().position(|column| *column == name) else {
                return fail(Problem::UnknownColumn { name: shown(name) });
            };
            if places.contains(&place) {
                return fail(Problem::DuplicateColumn { name: COLUMNS[place] });
            }
            places.push(place);
        }
        at += field.len() as u64 + 1;
    }
    for (required, name) in COLUMNS.iter().enumerate().take(2) {
        if !places.contains(&required) {
            return Err(ParseError::new(1, at, Problem::MissingColumn { name }));
        }
    }
    Ok(places)
}

fn unquoted(field: &str) -> &str {
    let field = field.trim_matches(' ');
    field.strip_prefix('"').and_then(|field| field.strip_suffix('"')).unwrap_or(field)
}

fn shown(text: &str) -> String {
    text.chars().take(60).collect()
}

struct Line<'a> {
    number: u64,
    text: &'a str,
}

impl Line<'_> {
    fn row(&self, columns: &[usize], place: u64) -> Result<TraceRow, ParseError> {
        let found = self.text.split(';').count();
        if found != columns.len() + 1 {
            return Err(self.fail(1, Problem::Fields { found, expected: columns.len() + 1 }));
        }
        let mut fields = self.text.split(';');
        let index = fields.next().unwrap_or_default();
        if milliseconds(unquoted(index)) != i64::try_from(place).ok() {
            return Err(self.fail(1, Problem::Index { found: shown(index), expected: place }));
        }
        let mut at = index.len() as u64 + 2;
        let mut times: [Option<i64>; COLUMNS.len()] = [None; COLUMNS.len()];
        for (column, field) in columns.iter().zip(fields) {
            let value = unquoted(field);
            let (time, expected) = match column {
                0 => (seconds(value), "seconds since 1970"),
                1 => (truth(value), "0 or 1"),
                _ => (milliseconds(value), "a whole number of milliseconds"),
            };
            if time.is_none() && (*column < 2 || !value.is_empty()) {
                let problem = Problem::Value { name: COLUMNS[*column], value: shown(value), expected };
                return Err(self.fail(at, problem));
            }
            times[*column] = time;
            at += field.len() as u64 + 1;
        }
        let [received, consistent, notification, antipode, client, client_visibility, writer, writer_visibility] =
            times;
        Ok(TraceRow {
            // Both are required, and were there.
            reader_received_us: received.unwrap_or_default(),
            consistent_read: consistent == Some(1),
            notification_to_reader_ms: notification,
            antipode_ms: antipode,
            client_latency_ms: client,
            client_visibility_ms: client_visibility,
            writer_latency_ms: writer,
            writer_visibility_ms: writer_visibility,
        })
    }

    fn fail(&self, column: u64, problem: Problem) -> ParseError {
        ParseError::new(self.number, column, problem)
    }
}

/// Python's ways to write 0 and 1 in a column of numbers or of truth values.
fn truth(text: &str) -> Option<i64> {
    match text {
        "0" | "0.0" | "False" | "false" => Some(0),
        "1" | "1.0" | "True" | "true" => Some(1),
        _ => None,
    }
}

impl Traces {
    /// The text of `traces.csv`, as pandas writes it.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let kept: Vec<usize> = (0..COLUMNS.len()).filter(|column| self.antipode || *column != ANTIPODE).collect();
        let mut text = String::with_capacity(80 * (self.rows.len() + 2));
        for column in &kept {
            text.push(';');
            text.push_str(COLUMNS[*column]);
        }
        text.push('\n');
        for (n, row) in self.rows.iter().enumerate() {
            text.push_str(&n.to_string());
            for column in &kept {
                text.push(';');
                match column {
                    0 => text.push_str(&write_seconds(row.reader_received_us)),
                    _ => text.push_str(&row.whole(*column).map(|number| number.to_string()).unwrap_or_default()),
                }
            }
            text.push('\n');
        }
        text
    }

    /// The columns that there are: names, and values without the empty ones.
    pub(crate) fn columns(&self) -> Vec<(&'static str, Vec<f64>)> {
        let kept = (0..COLUMNS.len()).filter(|column| self.antipode || *column != ANTIPODE);
        kept.map(|column| {
            let value = |row: &TraceRow| match column {
                0 => Some(row.reader_received_us as f64 / 1e6),
                _ => row.whole(column).map(|number| number as f64),
            };
            (COLUMNS[column], self.rows.iter().filter_map(value).collect())
        })
        .collect()
    }
}

/// The latencies that a result may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Latency {
    /// `client_latency_ms`.
    Client,
    /// `client_visibility_latency_ms`.
    ClientVisibility,
    /// `writer_latency_ms`.
    Writer,
    /// `writer_visibility_latency_ms`.
    WriterVisibility,
}

impl Latency {
    /// All of them, in the order of their columns.
    pub const ALL: [Self; 4] = [Self::Client, Self::ClientVisibility, Self::Writer, Self::WriterVisibility];
}

impl TraceRow {
    /// A latency in milliseconds, if there is one.
    #[must_use]
    pub fn latency(&self, latency: Latency) -> Option<i64> {
        match latency {
            Latency::Client => self.client_latency_ms,
            Latency::ClientVisibility => self.client_visibility_ms,
            Latency::Writer => self.writer_latency_ms,
            Latency::WriterVisibility => self.writer_visibility_ms,
        }
    }

    /// Tells a latency no more.
    pub fn forget(&mut self, latency: Latency) {
        match latency {
            Latency::Client => self.client_latency_ms = None,
            Latency::ClientVisibility => self.client_visibility_ms = None,
            Latency::Writer => self.writer_latency_ms = None,
            Latency::WriterVisibility => self.writer_visibility_ms = None,
        }
    }

    /// The value of a column other than the first.
    fn whole(&self, column: usize) -> Option<i64> {
        match column {
            1 => Some(i64::from(self.consistent_read)),
            2 => self.notification_to_reader_ms,
            3 => self.antipode_ms,
            4 => self.client_latency_ms,
            5 => self.client_visibility_ms,
            6 => self.writer_latency_ms,
            _ => self.writer_visibility_ms,
        }
    }
}

#[cfg(test)]
#[path = "traces_tests.rs"]
mod tests;
