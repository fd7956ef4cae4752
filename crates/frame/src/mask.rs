//! Filters of rows.

use std::cmp::Ordering;

use matrix_core::filter::Masks;
use matrix_core::{Field, Filter, Value};

use crate::FrameError;
use crate::column::Data;
use crate::read::{Block, Column};

/// Which rows of a block match.
pub(crate) fn mask(filter: &Filter, block: &Block, columns: &[Column]) -> Result<Vec<bool>, FrameError> {
    filter.fold(&Rows { block, columns })
}

struct Rows<'a> {
    block: &'a Block,
    columns: &'a [Column],
}

impl Rows<'_> {
    fn field(&self, column: usize) -> Result<&Field, FrameError> {
        let column = self.columns.get(column);
        column.map(|column| &column.field).ok_or_else(|| FrameError::Bad("a filter names no column".to_owned()))
    }
}

impl Masks for Rows<'_> {
    type Mask = Vec<bool>;
    type Error = FrameError;

    fn compare(&self, field: usize, holds: &dyn Fn(Ordering) -> bool, value: &Value) -> Result<Vec<bool>, FrameError> {
        let data = self.block.data(self.field(field)?)?;
        Ok(match (&data, value) {
            (Data::Whole(column), Value::Whole(value)) => {
                column.iter().map(|found| found.is_some_and(|found| holds(found.cmp(value)))).collect()
            }
            (Data::Text(column), Value::Text(value)) => {
                column.iter().map(|found| found.is_some_and(|found| holds(found.cmp(value.as_str())))).collect()
            }
            _ => data.values().map(|found| found.is_some_and(|found| holds(found.cmp(value)))).collect(),
        })
    }

    fn not(&self, mut mask: Vec<bool>) -> Vec<bool> {
        mask.iter_mut().for_each(|flag| *flag = !*flag);
        mask
    }

    fn join(&self, mut one: Vec<bool>, other: Vec<bool>, all: bool) -> Vec<bool> {
        for (flag, other) in one.iter_mut().zip(other) {
            *flag = if all { *flag && other } else { *flag || other };
        }
        one
    }
}
