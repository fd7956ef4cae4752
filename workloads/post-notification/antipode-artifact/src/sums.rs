//! Reading a cell's trace for an export.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};

use matrix_app::row::HEADER;
use matrix_app::{Outcome, Row};

use crate::error::ExportError;
use crate::number::write_float;
use crate::row::from_row;
use crate::source::Source;
use crate::tags::{self, Scalar};
use crate::traces::TraceRow;

/// Longest line of a trace: its 23 fields are shorter than this together.
const MAX_LINE: u64 = 4096;

/// The results of a cell, and what they add up to.
#[derive(Default)]
pub(crate) struct Sums {
    pub(crate) rows: Vec<TraceRow>,
    /// The last known instant, in microseconds since 1970.
    pub(crate) last_us: i64,
    misses: u64,
    /// Rows that read, but lack what every result has.
    pub(crate) incomplete: u64,
    first_sent_us: Option<i64>,
    last_reply_us: Option<i64>,
    notification_bytes: Option<u64>,
    post_bytes: Option<u64>,
}

/// Reads the trace of cell number `n`, whose times count from `epoch`.
pub(crate) fn read(source: &impl Source, n: usize, key: &str, epoch: i64) -> Result<Sums, ExportError> {
    let fail = |source| ExportError::Read { cell: key.to_owned(), source };
    let mut reader = BufReader::new(source.open(n).map_err(fail)?);
    let mut sums = Sums { notification_bytes: Some(0), post_bytes: Some(0), ..Sums::default() };
    let mut line = String::new();
    for number in 1u64.. {
        line.clear();
        reader.by_ref().take(MAX_LINE).read_line(&mut line).map_err(fail)?;
        let wrong = |what: String| ExportError::Trace { cell: key.to_owned(), line: number, what };
        if number == 1 {
            if line.strip_suffix('\n') != Some(HEADER) {
                return Err(wrong("it has another header".to_owned()));
            }
            continue;
        }
        if line.is_empty() {
            break;
        }
        let text = line.strip_suffix('\n').ok_or_else(|| wrong("it has no end".to_owned()))?;
        sums.add(&Row::parse_csv(text).map_err(|error| wrong(error.to_string()))?, epoch);
    }
    Ok(sums)
}

impl Sums {
    fn add(&mut self, row: &Row, epoch: i64) {
        let Some(result) = from_row(row, epoch) else {
            self.incomplete += u64::from(row.outcome == Outcome::Ok);
            return;
        };
        let read = row.post_read_us.and_then(|us| us.checked_add(epoch)).unwrap_or(result.reader_received_us);
        self.last_us = self.last_us.max(read);
        self.misses += u64::from(!result.consistent_read);
        let first = self.first_sent_us.into_iter().chain(row.client_sent_us).min();
        self.first_sent_us = first;
        self.last_reply_us = self.last_reply_us.max(row.reply_us);
        let sum = |sum: Option<u64>, bytes: Option<u64>| sum?.checked_add(bytes?);
        self.notification_bytes = sum(self.notification_bytes, row.notification_bytes);
        self.post_bytes = sum(self.post_bytes, row.post_bytes);
        self.rows.push(result);
    }

    /// The note on requests without a result: the share in the tags is of the results alone, as in the original.
    pub(crate) fn bounds(&self, requests: u64) -> Option<String> {
        let results = self.rows.len() as u64;
        let without = requests.checked_sub(results).filter(|without| *without > 0)?;
        let share = |misses: u64| misses as f64 / requests as f64;
        let (low, high) = (share(self.misses), share(self.misses + without));
        Some(format!(
            "{without} of {requests} requests have no result: {} is the share of the {results} results; of all requests it is \
             {low:.4} to {high:.4}.",
            tags::INCONSISTENCIES
        ))
    }

    /// The tags that follow from the results.
    pub(crate) fn tags(&self) -> BTreeMap<String, Scalar> {
        let count = self.rows.len() as f64;
        let mut tags = BTreeMap::new();
        let mut put = |name: &str, number: String| drop(tags.insert(name.to_owned(), Scalar::Number(number)));
        if self.rows.is_empty() {
            // No number, and yet one that the original's plot script can read.
            put(tags::INCONSISTENCIES, tags::NOT_A_NUMBER.to_owned());
            return tags;
        }
        put(tags::INCONSISTENCIES, write_float(self.misses as f64 / count));
        let span = self.last_reply_us.zip(self.first_sent_us).and_then(|(last, first)| last.checked_sub(first));
        if let Some(span) = span.filter(|span| *span > 0) {
            put(tags::THROUGHPUT, write_float(count / (span as f64 / 1e6)));
        }
        for ([total, average], sum) in
            [(tags::NOTIFICATION_BYTES, self.notification_bytes), (tags::POST_BYTES, self.post_bytes)]
        {
            if let Some(sum) = sum {
                put(total, sum.to_string());
                put(average, write_float(sum as f64 / count));
            }
        }
        tags
    }
}
