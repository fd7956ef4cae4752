//! Rows block by block.

use std::io::{Cursor, Read};
use std::sync::Arc;

use matrix_core::{Field, Value};
use polars::prelude::*;
use polars_io::csv::read::CsvReadOptions;

use crate::FrameError;
use crate::blocks::Blocks;
use crate::column::{Data, data_type};

/// A column of rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name and the type of its values.
    pub field: Field,
    /// The column, by position, that says how often each value was there: rows are then buckets of a histogram.
    pub weight: Option<usize>,
}

impl Column {
    /// A column in which every value counts once.
    #[must_use]
    pub fn plain(field: Field) -> Self {
        Self { field, weight: None }
    }
}

/// Opens the bytes of rows, each time from the start.
pub type Open<'a> = dyn Fn() -> std::io::Result<Box<dyn Read + 'a>> + 'a;

/// Rows as they are stored: what opens their bytes, each time from the start, and their columns.
pub struct Source<'a> {
    columns: &'a [Column],
    open: &'a Open<'a>,
}

impl<'a> Source<'a> {
    /// The rows that `open` opens.
    pub fn new(columns: &'a [Column], open: &'a Open<'a>) -> Self {
        Self { columns, open }
    }

    /// The columns.
    #[must_use]
    pub fn columns(&self) -> &'a [Column] {
        self.columns
    }

    /// Gives every block to `take`, with the columns at these positions. How many rows there were.
    pub(crate) fn each(
        &self,
        wanted: &[usize],
        take: &mut dyn FnMut(&Block) -> Result<(), FrameError>,
    ) -> Result<u64, FrameError> {
        let fields: Vec<Field> = self.columns.iter().map(|column| column.field.clone()).collect();
        let input = (self.open)().map_err(FrameError::Read)?;
        let mut reader = Reader::new(&fields, |column| wanted.contains(&column), input)?;
        let mut rows = 0;
        while let Some(block) = reader.next_block()? {
            rows += block.rows as u64;
            take(&block)?;
        }
        Ok(rows)
    }
}

/// Some rows.
pub struct Block {
    /// How many there are.
    pub rows: usize,
    /// The wanted columns of them; empty if none is wanted.
    pub frame: DataFrame,
}

impl Block {
    /// The values of a column.
    pub(crate) fn data(&self, field: &Field) -> Result<Data<'_>, FrameError> {
        Data::of(&self.frame, &field.name, field.kind)
    }

    /// The values of a column, one by one.
    pub(crate) fn values(&self, field: &Field) -> Result<Vec<Option<Value>>, FrameError> {
        Ok(self.data(field)?.values().collect())
    }
}

/// Reads rows of known columns.
pub struct Reader<R> {
    blocks: Blocks<R>,
    options: CsvReadOptions,
    /// The wanted columns.
    fields: Vec<Field>,
}

impl<R: Read> Reader<R> {
    /// A reader of rows of these columns, of which only the wanted ones are converted.
    ///
    /// # Errors
    /// When the header is not that of these columns.
    pub fn new(columns: &[Field], wanted: impl Fn(usize) -> bool, input: R) -> Result<Self, FrameError> {
        let wanted: Vec<bool> = (0..columns.len()).map(wanted).collect();
        let fields: Vec<Field> =
            columns.iter().zip(&wanted).filter(|(_, wanted)| **wanted).map(|(field, _)| field.clone()).collect();
        let names: Vec<&str> = columns.iter().map(|field| field.name.as_str()).collect();
        let mut blocks = Blocks::new(input, columns.len());
        blocks.skip_header(&names.join(","))?;
        let schema: Schema = columns
            .iter()
            .zip(&wanted)
            .map(|(field, wanted)| {
                // What nobody wants is not converted.
                let dtype = if *wanted { data_type(field.kind) } else { DataType::String };
                polars::prelude::Field::new(field.name.as_str().into(), dtype)
            })
            .collect();
        let chosen: Arc<[PlSmallStr]> = fields.iter().map(|field| PlSmallStr::from_str(&field.name)).collect();
        let options = CsvReadOptions::default()
            .with_has_header(false)
            .with_schema(Some(Arc::new(schema)))
            .with_columns(Some(chosen))
            .with_n_threads(Some(1));
        Ok(Self { blocks, options, fields })
    }

    /// The next rows; none at the end.
    ///
    /// # Errors
    /// When they cannot be read, or are not rows of these columns.
    pub fn next_block(&mut self) -> Result<Option<Block>, FrameError> {
        let Some(records) = self.blocks.next()? else { return Ok(None) };
        let (rows, blank) = (records.count, records.blank);
        if self.fields.is_empty() {
            return Ok(Some(Block { rows, frame: DataFrame::empty() }));
        }
        let mut frame = if blank == rows {
            nulls(&self.fields, 0)?
        } else {
            self.options.clone().into_reader_with_file_handle(Cursor::new(records.bytes)).finish()?
        };
        // Polars passes over some lines without a value, and reads others as rows. Where they stand among the others does not matter.
        let missing = rows.saturating_sub(frame.height());
        if (1..=blank).contains(&missing) {
            frame.vstack_mut(&nulls(&self.fields, missing)?)?;
        }
        frame.rechunk_mut();
        if frame.height() != rows {
            return Err(FrameError::Bad(format!("{rows} rows were read as {}", frame.height())));
        }
        Ok(Some(Block { rows, frame }))
    }
}

/// Rows without values.
fn nulls(fields: &[Field], rows: usize) -> Result<DataFrame, FrameError> {
    let null =
        |field: &Field| polars::prelude::Column::full_null(field.name.as_str().into(), rows, &data_type(field.kind));
    Ok(DataFrame::new(rows, fields.iter().map(null).collect())?)
}
