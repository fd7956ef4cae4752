//! Rows block by block.

use std::io::{Cursor, Read};
use std::sync::Arc;

use matrix_core::{Field, Value};
use polars::prelude::*;
use polars_io::csv::read::{CsvParseOptions, CsvReadOptions};

use crate::FrameError;
use crate::blocks::{Blocks, Reading};
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
    wanted: Schema,
}

impl<R: Read> Reader<R> {
    /// A reader of rows of these columns, of which only the wanted ones are converted.
    ///
    /// # Errors
    /// When the header cannot be read, or is not that of these columns.
    pub fn new(columns: &[Field], wanted: impl Fn(usize) -> bool, input: R) -> Result<Self, FrameError> {
        let typed = |field: &Field| polars::prelude::Field::new(field.name.as_str().into(), data_type(field.kind));
        let schema: Schema = columns.iter().map(typed).collect();
        Self::with(&schema, |name| schema.index_of(name).is_some_and(&wanted), Reading::default(), input)
    }

    /// The same with columns of any type that Polars knows, wanted by their names, in text that is read in another way.
    ///
    /// # Errors
    /// As [`Reader::new`].
    pub fn with(
        columns: &Schema,
        wanted: impl Fn(&str) -> bool,
        reading: Reading,
        input: R,
    ) -> Result<Self, FrameError> {
        let names: Vec<&str> = columns.iter_names().map(PlSmallStr::as_str).collect();
        let mut blocks = Blocks::new(input, columns.len(), reading);
        blocks.skip_header(&names.join(","))?;
        let (mut all, mut chosen) = (columns.clone(), Schema::default());
        for (name, dtype) in all.iter_mut() {
            if wanted(name) {
                chosen.with_column(name.clone(), dtype.clone());
            } else {
                // What nobody wants is not converted.
                *dtype = DataType::String;
            }
        }
        let format = CsvParseOptions::default();
        let format = if reading.plain { format.with_quote_char(None) } else { format };
        let options = CsvReadOptions::default()
            .with_has_header(false)
            .with_schema(Some(Arc::new(all)))
            .with_columns(Some(chosen.iter_names_cloned().collect()))
            .with_parse_options(format)
            .with_n_threads(Some(1));
        Ok(Self { blocks, options, wanted: chosen })
    }

    /// The lines of the rows that were read or refused last; empty where not even lines were found.
    #[must_use]
    pub fn lines(&self) -> &[u8] {
        self.blocks.held()
    }

    /// The next rows; none at the end.
    ///
    /// # Errors
    /// When they cannot be read, or are not rows of these columns.
    pub fn next_block(&mut self) -> Result<Option<Block>, FrameError> {
        let Some(records) = self.blocks.next()? else { return Ok(None) };
        let (rows, blank) = (records.count, records.blank);
        if self.wanted.is_empty() {
            return Ok(Some(Block { rows, frame: DataFrame::empty() }));
        }
        let mut frame = if blank == rows {
            DataFrame::empty_with_schema(&self.wanted)
        } else {
            self.options.clone().into_reader_with_file_handle(Cursor::new(records.bytes)).finish()?
        };
        // Polars passes over some lines without a value, and reads others as rows. Where they stand among the others does not matter.
        let missing = rows.saturating_sub(frame.height());
        if (1..=blank).contains(&missing) {
            frame.vstack_mut(&DataFrame::full_null(&self.wanted, missing))?;
        }
        frame.rechunk_mut();
        if frame.height() != rows {
            return Err(FrameError::Bad(format!("{rows} rows were read as {}", frame.height())));
        }
        Ok(Some(Block { rows, frame }))
    }
}
