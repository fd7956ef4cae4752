//! Rows: what a program wrote, read by its source's format into one form, whatever the format was.
//!
//! That form is CSV: a header with the declared columns in their order, then a line for each row, every value in its
//! canonical text; a value that is missing is empty.

mod convert;
mod csv_rows;
mod json_rows;
mod lines;
pub mod quantity;
mod quotes;
mod strict_json;
mod writer;

use std::collections::BTreeSet;
use std::io::{Read, Write};

use matrix_frame::FrameError;

use crate::file::{Column, Format, Source};
pub(crate) use writer::costs_into;
pub use writer::{Written, read_into};

/// Most bytes of a text that has to be in memory at once: JSON documents, and what regular expressions search.
const MAX_TEXT: u64 = 512 << 20;

/// Takes rows: a text for each column, where there is one.
trait TakeRow {
    fn row(&mut self, fields: &[Option<&str>]) -> Result<(), FrameError>;
}

/// Reads rows of a source's format. Returns the names that were there and that nobody declared.
fn parse(source: &Source, input: impl Read, rows: &mut dyn TakeRow) -> Result<Vec<String>, FrameError> {
    match source.format {
        Format::Csv => csv_rows::parse(&source.columns, input, rows),
        Format::Jsonl => json_rows::lines(&source.columns, input, rows),
        Format::Json => json_rows::document(&source.columns, &text(input)?, rows),
        Format::Regex => lines::regex(&source.columns, &text(input)?, rows),
        Format::Kv => lines::names_and_values(&source.columns, &text(input)?, rows),
        Format::Run => Err(FrameError::Bad("what a run cost is not read from anywhere".to_owned())),
    }
}

fn text(input: impl Read) -> Result<String, FrameError> {
    let mut bytes = Vec::new();
    input.take(MAX_TEXT + 1).read_to_end(&mut bytes).map_err(FrameError::Read)?;
    if bytes.len() as u64 > MAX_TEXT {
        return Err(FrameError::Bad(format!(
            "it has more than {} MiB, the most that this format is read of",
            MAX_TEXT >> 20
        )));
    }
    String::from_utf8(bytes).map_err(|error| FrameError::Bad(format!("it is not UTF-8: {error}")))
}

/// The header of rows of these columns.
fn header(columns: &[Column], out: &mut impl Write) -> std::io::Result<()> {
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    writeln!(out, "{}", names.join(","))
}

/// Most names that nobody declared and that are told of.
const MOST_PASSED_OVER: usize = 20;

/// Names of columns that are there and that nobody declared: the first ones, and how many more there are.
#[derive(Default)]
struct PassedOver {
    names: BTreeSet<String>,
    more: bool,
}

impl PassedOver {
    fn add(&mut self, name: &str) {
        if self.names.len() < MOST_PASSED_OVER {
            let clean = |c: char| if c.is_control() { '?' } else { c };
            self.names.insert(name.chars().take(80).map(clean).collect());
        } else if !self.more {
            self.more = !self.names.contains(name);
        }
    }

    fn list(self) -> Vec<String> {
        self.names.into_iter().chain(self.more.then(|| "and others".to_owned())).collect()
    }
}

/// The nearest of some names, for a message.
fn did_you_mean(name: &str, known: &[&str]) -> String {
    match matrix_core::nearest(name, known) {
        Some(near) => format!("; did you mean `{near}`?"),
        None => {
            let more = if known.len() > MOST_PASSED_OVER { ", ..." } else { "" };
            let shown: Vec<String> =
                known.iter().take(MOST_PASSED_OVER).map(|name| name.chars().take(80).collect()).collect();
            format!("; there are: {}{more}", shown.join(", "))
        }
    }
}

#[cfg(test)]
mod tests;
