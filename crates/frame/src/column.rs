//! One column of a frame, by its type.

use matrix_core::{Kind, Value};
use polars::prelude::*;

use crate::FrameError;

/// The values of a column.
pub(crate) enum Data<'a> {
    Whole(&'a Int64Chunked),
    Real(&'a Float64Chunked),
    Boolean(&'a BooleanChunked),
    Text(&'a StringChunked),
}

/// The Polars type of values of a kind.
pub(crate) fn data_type(kind: Kind) -> DataType {
    match kind {
        Kind::Boolean => DataType::Boolean,
        Kind::Whole => DataType::Int64,
        Kind::Real => DataType::Float64,
        Kind::Text => DataType::String,
    }
}

impl<'a> Data<'a> {
    /// The column with this name, of this kind.
    pub(crate) fn of(frame: &'a DataFrame, name: &str, kind: Kind) -> Result<Self, FrameError> {
        let column = frame.column(name)?;
        Ok(match kind {
            Kind::Boolean => Self::Boolean(column.bool()?),
            Kind::Whole => Self::Whole(column.i64()?),
            Kind::Real => Self::Real(column.f64()?),
            Kind::Text => Self::Text(column.str()?),
        })
    }

    /// The values in order.
    pub(crate) fn values(&self) -> Box<dyn Iterator<Item = Option<Value>> + '_> {
        match self {
            Self::Whole(column) => Box::new(column.iter().map(|value| value.map(Value::Whole))),
            Self::Real(column) => Box::new(column.iter().map(|value| value.and_then(Value::real))),
            Self::Boolean(column) => Box::new(column.iter().map(|value| value.map(Value::Boolean))),
            Self::Text(column) => Box::new(column.iter().map(|value| value.map(|text| Value::Text(text.to_owned())))),
        }
    }
}

/// The sum of whole numbers: exact, so that their order does not matter.
#[must_use]
pub fn exact_sum<T>(column: &ChunkedArray<T>) -> i128
where
    T: PolarsNumericType,
    T::Native: Into<i128>,
{
    match column.cont_slice() {
        Ok(values) => values.iter().map(|value| (*value).into()).sum(),
        Err(_) if column.null_count() == column.len() => 0,
        Err(_) => column.iter().flatten().map(Into::into).sum(),
    }
}
