//! Rows in memory, column by column.

use std::io::Read;

use csv::{ReaderBuilder, StringRecord};
use matrix_core::metric::{Numbers, Term};
use matrix_core::{Filter, Kind, Metric, Value};

use super::RowsError;
use crate::file::Column;

/// The values of a column; those of rows without one are left out, and their rows counted.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// Whole numbers.
    Whole(Vec<Option<i64>>),
    /// Numbers.
    Real(Vec<Option<f64>>),
    /// Booleans.
    Boolean(Vec<Option<bool>>),
    /// Texts.
    Text(Vec<Option<String>>),
}

/// The rows of one cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    /// How many there are.
    pub count: usize,
    /// Their columns, in the order of the source.
    pub columns: Vec<Data>,
}

impl Rows {
    /// Reads rows in their one form.
    ///
    /// # Errors
    /// When they are not rows of these columns.
    pub fn read(columns: &[Column], input: impl Read) -> Result<Self, RowsError> {
        let mut reader = ReaderBuilder::new().buffer_capacity(256 << 10).from_reader(input);
        let bad = |error: csv::Error| RowsError::bad(error.to_string());
        let header = reader.headers().map_err(bad)?;
        if !header.iter().eq(columns.iter().map(|column| column.name.as_str())) {
            return Err(RowsError::bad("its columns are not those of the experiment"));
        }
        let mut data: Vec<Data> = columns
            .iter()
            .map(|column| match column.kind() {
                Kind::Whole => Data::Whole(Vec::new()),
                Kind::Real => Data::Real(Vec::new()),
                Kind::Boolean => Data::Boolean(Vec::new()),
                Kind::Text => Data::Text(Vec::new()),
            })
            .collect();
        let mut record = StringRecord::new();
        let mut count = 0;
        while reader.read_record(&mut record).map_err(bad)? {
            count += 1;
            for (data, field) in data.iter_mut().zip(record.iter()) {
                data.push(field)
                    .map_err(|()| RowsError::bad(format!("row {count}: `{field}` is not of its column's type")))?;
            }
        }
        Ok(Self { count, columns: data })
    }

    /// The value of a term that is about rows; none where it is about something else, or there is nothing to compute it
    /// of.
    #[must_use]
    pub fn term(&self, term: &Term, filter: Option<&Filter>) -> Option<f64> {
        let Term::Aggregate(function, column) = term else { return None };
        let chosen = filter.map(|filter| self.chosen(filter));
        let kept = |row: usize| chosen.as_ref().is_none_or(|chosen| chosen[row]);
        let Some(data) = column.map(|column| self.columns.get(column)) else {
            return function.of(Numbers::Other((0..self.count).filter(|row| kept(*row)).count()));
        };
        match data? {
            Data::Whole(values) => function.of(Numbers::Whole(&picked(values, &kept))),
            Data::Real(values) => function.of(Numbers::Real(&picked(values, &kept))),
            Data::Boolean(values) => function.of(Numbers::Boolean(&picked(values, &kept))),
            Data::Text(values) => {
                let count = values.iter().enumerate().filter(|(row, value)| value.is_some() && kept(*row)).count();
                function.of(Numbers::Other(count))
            }
        }
    }

    /// The value of a metric of a cell with these rows, where `run` says what the run cost.
    #[must_use]
    pub fn metric(&self, metric: &Metric, run: &dyn Fn(&str) -> Option<f64>) -> Option<f64> {
        metric.value(&|term| match term {
            Term::Aggregate(..) => self.term(term, metric.filter.as_ref()),
            Term::Run(name) => run(name),
            Term::Number(number) => Some(*number),
        })
    }

    /// Which rows match a filter over the columns.
    fn chosen(&self, filter: &Filter) -> Vec<bool> {
        (0..self.count)
            .map(|row| {
                let values: Vec<Option<Value>> = self.columns.iter().map(|data| data.value(row)).collect();
                filter.matches(&|column| values.get(column)?.as_ref())
            })
            .collect()
    }

    /// How many rows have a value in a boolean column, and in how many it is false.
    #[must_use]
    pub fn failures(&self, column: usize) -> Option<(u64, u64)> {
        let Some(Data::Boolean(values)) = self.columns.get(column) else { return None };
        let known = values.iter().flatten().count() as u64;
        Some((known, values.iter().flatten().filter(|value| !**value).count() as u64))
    }
}

fn picked<T: Copy>(values: &[Option<T>], kept: &dyn Fn(usize) -> bool) -> Vec<T> {
    values.iter().enumerate().filter(|(row, _)| kept(*row)).filter_map(|(_, value)| *value).collect()
}

impl Data {
    fn push(&mut self, field: &str) -> Result<(), ()> {
        let empty = field.is_empty();
        match self {
            Self::Whole(values) => values.push(if empty { None } else { Some(field.parse().map_err(drop)?) }),
            Self::Real(values) => values.push(if empty { None } else { Some(field.parse().map_err(drop)?) }),
            Self::Boolean(values) => values.push(if empty { None } else { Some(field.parse().map_err(drop)?) }),
            Self::Text(values) => values.push((!empty).then(|| field.to_owned())),
        }
        Ok(())
    }

    fn value(&self, row: usize) -> Option<Value> {
        match self {
            Self::Whole(values) => values.get(row)?.map(Value::Whole),
            Self::Real(values) => values.get(row)?.and_then(Value::real),
            Self::Boolean(values) => values.get(row)?.map(Value::Boolean),
            Self::Text(values) => values.get(row)?.clone().map(Value::Text),
        }
    }
}
