//! CSV by RFC 4180 with a header.

use std::io::Read;

use csv::{ReaderBuilder, StringRecord};

use super::{RowsError, TakeRow, did_you_mean};
use crate::file::Column;

pub(super) fn parse(columns: &[Column], input: impl Read, rows: &mut dyn TakeRow) -> Result<Vec<String>, RowsError> {
    let mut reader =
        ReaderBuilder::new().has_headers(true).flexible(false).buffer_capacity(256 << 10).from_reader(input);
    let header = reader.headers().map_err(fault)?.clone();
    let names: Vec<&str> = header.iter().map(str::trim).collect();
    if names.iter().all(|name| name.is_empty()) {
        return Err(RowsError::bad("it is empty: a header was expected"));
    }
    let mut places = Vec::with_capacity(columns.len());
    for column in columns {
        let mut found = names.iter().enumerate().filter(|(_, name)| **name == column.name).map(|(place, _)| place);
        match (found.next(), found.next()) {
            (Some(place), None) => places.push(Some(place)),
            (Some(_), Some(_)) => return Err(RowsError::bad(format!("its header names `{}` twice", column.name))),
            (None, _) if column.optional => places.push(None),
            (None, _) => {
                let near = did_you_mean(&column.name, &names);
                return Err(RowsError::bad(format!("its header has no column `{}`{near}", column.name)));
            }
        }
    }
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).map_err(fault)? {
        let fields: Vec<Option<&str>> = places.iter().map(|place| place.and_then(|place| record.get(place))).collect();
        rows.row(&fields)?;
    }
    let unknown = names.iter().filter(|name| !columns.iter().any(|column| column.name == **name));
    Ok(unknown.map(|name| (*name).to_owned()).collect())
}

fn fault(error: csv::Error) -> RowsError {
    let text = error.to_string();
    match error.into_kind() {
        csv::ErrorKind::Io(error) => RowsError::Read(error),
        _ => RowsError::bad(text),
    }
}
