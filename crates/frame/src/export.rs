//! All rows of an experiment as one tidy file: what is known of a cell stands beside each of its rows.

use std::io::{Read, Write};

use matrix_core::{Field, Value};
use polars::prelude::*;
use polars_io::csv::write::{BatchedWriter, CsvWriter};
use polars_io::prelude::SerWriter;

use crate::FrameError;
use crate::column::data_type;
use crate::read::{Block, Reader};

/// The form of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// CSV with a header.
    Csv,
    /// Apache Parquet.
    #[cfg(feature = "parquet")]
    Parquet,
}

enum Target<W: Write> {
    Csv(BatchedWriter<W>),
    #[cfg(feature = "parquet")]
    Parquet(Box<polars_io::parquet::write::BatchedWriter<W>>),
}

/// What the file system refused is no fault of the rows.
fn written(error: PolarsError) -> FrameError {
    match error {
        PolarsError::IO { error, .. } => FrameError::Write(std::io::Error::new(error.kind(), error.to_string())),
        other => FrameError::Polars(other),
    }
}

/// Writes rows, with what is known of their cells before them.
pub struct Export<W: Write> {
    cell: Vec<Field>,
    target: Target<W>,
}

impl<W: Write> Export<W> {
    /// An export with these columns: first those of cells, then those of rows.
    ///
    /// # Errors
    /// When it cannot be begun.
    pub fn new(form: Form, cell: Vec<Field>, rows: &[Field], out: W) -> Result<Self, FrameError> {
        let field = |field: &Field| polars::prelude::Field::new(field.name.as_str().into(), data_type(field.kind));
        let schema: Schema = cell.iter().chain(rows).map(field).collect();
        let target = match form {
            Form::Csv => {
                let mut target = CsvWriter::new(out).n_threads(1).batched(&schema)?;
                // So that the header is there also without a row.
                target.write_batch(&DataFrame::empty_with_schema(&schema)).map_err(written)?;
                Target::Csv(target)
            }
            #[cfg(feature = "parquet")]
            Form::Parquet => Target::Parquet(Box::new(
                polars_io::parquet::write::ParquetWriter::new(out).set_parallel(false).batched(&schema)?,
            )),
        };
        Ok(Self { cell, target })
    }

    /// Writes the rows of a cell, of which `values` is known: one for each column of cells, where there is one. How many
    /// rows there were.
    ///
    /// # Errors
    /// When rows cannot be read or written.
    pub fn cell(&mut self, values: &[Option<Value>], rows: &mut Reader<impl Read>) -> Result<u64, FrameError> {
        let mut count = 0;
        while let Some(block) = rows.next_block()? {
            count += block.rows as u64;
            let frame = self.joined(values, &block)?;
            match &mut self.target {
                Target::Csv(target) => target.write_batch(&frame).map_err(written)?,
                #[cfg(feature = "parquet")]
                Target::Parquet(target) => target.write_batch(&frame).map_err(written)?,
            }
        }
        Ok(count)
    }

    /// The rows of a block with the cell's values before them.
    fn joined(&self, values: &[Option<Value>], block: &Block) -> Result<DataFrame, FrameError> {
        let mut columns: Vec<Column> = Vec::with_capacity(self.cell.len() + block.frame.width());
        for (field, value) in self.cell.iter().zip(values) {
            let value = match value {
                None => AnyValue::Null,
                Some(Value::Boolean(flag)) => AnyValue::Boolean(*flag),
                Some(Value::Whole(number)) => AnyValue::Int64(*number),
                Some(Value::Real(number)) => AnyValue::Float64(*number),
                Some(Value::Text(text)) => AnyValue::String(text),
            };
            let scalar = Scalar::new(data_type(field.kind), value.into_static());
            columns.push(Column::new_scalar(field.name.as_str().into(), scalar, block.rows));
        }
        columns.extend(block.frame.columns().iter().cloned());
        let mut frame = DataFrame::new(block.rows, columns)?;
        frame.rechunk_mut();
        Ok(frame)
    }

    /// Ends the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> Result<(), FrameError> {
        match &mut self.target {
            Target::Csv(target) => target.finish().map_err(written)?,
            #[cfg(feature = "parquet")]
            Target::Parquet(target) => drop(target.finish().map_err(written)?),
        }
        Ok(())
    }
}
