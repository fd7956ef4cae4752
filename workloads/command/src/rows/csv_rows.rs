//! CSV by RFC 4180 with a header.

use std::cell::Cell;
use std::io::Read;

use csv::{ReaderBuilder, StringRecord};

use super::quotes::Quotes;
use super::{FrameError, PassedOver, TakeRow, did_you_mean};
use crate::file::Column;

/// Most bytes of a row: a quote that nobody closes is to fill no memory.
const MAX_ROW: u64 = 64 << 20;

/// What some tools begin a text with.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What is wrong with a text, not with reading it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Malformed(String);

/// Reads on as long as rows end and their quotes are those of RFC 4180.
struct Bounded<'a, R> {
    input: R,
    since_row: &'a Cell<u64>,
    quotes: Quotes,
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.since_row.get() > MAX_ROW {
            let what = format!("a row has more than {} MiB; is there a quote that is not closed?", MAX_ROW >> 20);
            return Err(std::io::Error::other(Malformed(what)));
        }
        let count = self.input.read(buffer)?;
        let checked = if count == 0 { self.quotes.end() } else { self.quotes.check(&buffer[..count]) };
        checked.map_err(|what| std::io::Error::other(Malformed(what)))?;
        self.since_row.set(self.since_row.get() + count as u64);
        Ok(count)
    }
}

pub(super) fn parse(
    columns: &[Column],
    mut input: impl Read,
    rows: &mut dyn TakeRow,
) -> Result<Vec<String>, FrameError> {
    let mut start = Vec::new();
    (&mut input).take(BYTE_ORDER_MARK.len() as u64).read_to_end(&mut start).map_err(FrameError::Read)?;
    let input = start.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&start).chain(input);
    let since_row = &Cell::new(0);
    let input = Bounded { input, since_row, quotes: Quotes::default() };
    let mut reader =
        ReaderBuilder::new().has_headers(true).flexible(false).buffer_capacity(256 << 10).from_reader(input);
    let header = reader.headers().map_err(fault)?.clone();
    let names: Vec<&str> = header.iter().map(str::trim).collect();
    if names.iter().all(|name| name.is_empty()) {
        return Err(FrameError::Bad("it is empty: a header was expected".to_owned()));
    }
    let mut places = Vec::with_capacity(columns.len());
    for column in columns {
        let mut found = names.iter().enumerate().filter(|(_, name)| **name == column.name).map(|(place, _)| place);
        match (found.next(), found.next()) {
            (Some(place), None) => places.push(Some(place)),
            (Some(_), Some(_)) => return Err(FrameError::Bad(format!("its header names `{}` twice", column.name))),
            (None, _) if column.optional => places.push(None),
            (None, _) => {
                let near = did_you_mean(&column.name, &names);
                return Err(FrameError::Bad(format!("its header has no column `{}`{near}", column.name)));
            }
        }
    }
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).map_err(fault)? {
        let fields: Vec<Option<&str>> = places.iter().map(|place| place.and_then(|place| record.get(place))).collect();
        rows.row(&fields)?;
        since_row.set(0);
    }
    let mut unknown = PassedOver::default();
    names.iter().filter(|name| !columns.iter().any(|column| column.name == **name)).for_each(|name| unknown.add(name));
    Ok(unknown.list())
}

fn fault(error: csv::Error) -> FrameError {
    let text = error.to_string();
    match error.into_kind() {
        csv::ErrorKind::Io(error) => match error.downcast::<Malformed>() {
            Ok(Malformed(what)) => FrameError::Bad(what),
            Err(error) => FrameError::Read(error),
        },
        _ => FrameError::Bad(text),
    }
}
