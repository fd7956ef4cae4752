//! What metrics need of rows: counts, sums, extremes and percentiles, all of them exact.

use std::collections::BTreeMap;

use matrix_core::metric::Function;
use matrix_core::stats::nearest_rank;
use matrix_core::{Field, Filter, Value};
use polars::prelude::{BooleanChunked, ChunkAgg, ChunkFilter, Int64Chunked, NewChunkedArray, PlSmallStr};

use crate::FrameError;
use crate::column::{Data, exact_sum};
use crate::mask::mask;
use crate::read::{Block, Column, Source};
use crate::select::{Keys, MOST_KEYS, Search, key_of_real, key_of_whole, real_of_key, whole_of_key};

/// Most values that rows are grouped by.
const MOST_GROUPS: usize = 1000;

/// What is to be computed of some rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Request<'a> {
    /// The column, by position; rows are counted without one.
    pub column: Option<usize>,
    /// Which rows count.
    pub filter: Option<&'a Filter>,
    /// The requested percentiles.
    pub percentiles: Vec<u8>,
}

/// What was computed of the values of a column, or of rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// How many values there are; of a histogram, how many stand behind its buckets.
    pub count: u64,
    /// How many of them are `true`.
    pub trues: u64,
    sum: Sum,
    extremes: Option<(u64, u64)>,
    percentiles: BTreeMap<u8, f64>,
    kind: Of,
}

/// Whole numbers are summed exactly, real ones in their order.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sum {
    whole: i128,
    real: f64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Of {
    #[default]
    Other,
    Whole,
    Real,
    Boolean,
}

impl Summary {
    /// A function of the values; none where there is nothing to compute it of.
    #[must_use]
    pub fn value(&self, function: Function) -> Option<f64> {
        let sum = match self.kind {
            Of::Whole => Some(self.sum.whole as f64),
            Of::Real => Some(self.sum.real),
            Of::Boolean | Of::Other => None,
        };
        let decoded = |key| match self.kind {
            Of::Whole => whole_of_key(key) as f64,
            _ => real_of_key(key),
        };
        match function {
            Function::Count => Some(self.count as f64),
            Function::Share if self.kind == Of::Boolean && self.count > 0 => {
                Some(self.trues as f64 / self.count as f64)
            }
            Function::Share => None,
            Function::Sum => sum,
            Function::Mean => sum.filter(|_| self.count > 0).map(|sum| sum / self.count as f64),
            Function::Min => self.extremes.map(|(low, _)| decoded(low)),
            Function::Max => self.extremes.map(|(_, high)| decoded(high)),
            Function::Percentile(percentile) => self.percentiles.get(&percentile).copied(),
        }
    }
}

/// The sums of one request so far.
struct Tally<'r, 'a> {
    request: &'r Request<'a>,
    summary: Summary,
    keys: Keys,
    most: usize,
}

impl Tally<'_, '_> {
    fn add(&mut self, block: &Block, columns: &[Column], chosen: Option<&[bool]>) -> Result<(), FrameError> {
        let Some(column) = self.request.column else {
            self.summary.count += chosen.map_or(block.rows, |rows| rows.iter().filter(|row| **row).count()) as u64;
            return Ok(());
        };
        if let Some(of) = columns.get(column).filter(|of| of.weight.is_none())
            && let Data::Whole(values) = block.data(&of.field)?
        {
            return self.add_whole(values, chosen);
        }
        let Self { summary, keys, most, request } = self;
        let ordered = !request.percentiles.is_empty();
        visit(block, columns, column, chosen, &mut |value, weight| {
            // Any weight may stand in a file: of too many, the sums stay the largest that there is.
            summary.count = summary.count.saturating_add(weight);
            let key = match value {
                Visited::Whole(value) => {
                    let product = i128::from(value) * i128::from(weight);
                    summary.sum.whole = summary.sum.whole.saturating_add(product);
                    key_of_whole(value)
                }
                Visited::Real(value) => {
                    summary.sum.real += value * weight as f64;
                    key_of_real(value)
                }
                Visited::Boolean(value) => {
                    summary.trues = summary.trues.saturating_add(if value { weight } else { 0 });
                    return;
                }
                Visited::Text => return,
            };
            let (low, high) = summary.extremes.unwrap_or((key, key));
            summary.extremes = Some((low.min(key), high.max(key)));
            if ordered {
                keys.push(key, weight, *most);
            }
        })
    }

    /// Adds whole numbers, each of which was there once.
    fn add_whole(&mut self, values: &Int64Chunked, chosen: Option<&[bool]>) -> Result<(), FrameError> {
        let filtered = match chosen {
            Some(rows) => Some(values.filter(&BooleanChunked::from_slice(PlSmallStr::EMPTY, rows))?),
            None => None,
        };
        let values = filtered.as_ref().unwrap_or(values);
        let Self { summary, keys, most, request } = self;
        summary.count += (values.len() - values.null_count()) as u64;
        summary.sum.whole += exact_sum(values);
        if let Some((least, greatest)) = values.min().zip(values.max()) {
            let (least, greatest) = (key_of_whole(least), key_of_whole(greatest));
            let (low, high) = summary.extremes.unwrap_or((least, greatest));
            summary.extremes = Some((low.min(least), high.max(greatest)));
        }
        if !request.percentiles.is_empty() {
            values.iter().flatten().for_each(|value| keys.push(key_of_whole(value), 1, *most));
        }
        Ok(())
    }
}

enum Visited {
    Whole(i64),
    Real(f64),
    Boolean(bool),
    Text,
}

/// Visits the values of a column in the chosen rows, each with how often it was there. What was there 0 times was not.
fn visit(
    block: &Block,
    columns: &[Column],
    column: usize,
    chosen: Option<&[bool]>,
    take: &mut dyn FnMut(Visited, u64),
) -> Result<(), FrameError> {
    let of = columns.get(column).ok_or_else(|| FrameError::Bad("a metric names no column".to_owned()))?;
    let weights = match of.weight.and_then(|weight| columns.get(weight)) {
        Some(weight) => Some(weights(block, &weight.field)?),
        None => None,
    };
    let weight = |row: usize| match (chosen, &weights) {
        (Some(chosen), _) if !chosen[row] => 0,
        (_, Some(weights)) => weights[row],
        _ => 1,
    };
    macro_rules! each {
        ($column:expr, $value:expr) => {
            for (row, value) in $column.iter().enumerate() {
                if let Some(value) = value {
                    let weight = weight(row);
                    if weight > 0 {
                        take(($value)(value), weight);
                    }
                }
            }
        };
    }
    match block.data(&of.field)? {
        Data::Whole(column) => each!(column, Visited::Whole),
        Data::Real(column) => each!(column, Visited::Real),
        Data::Boolean(column) => each!(column, Visited::Boolean),
        Data::Text(column) => each!(column, |_| Visited::Text),
    }
    Ok(())
}

fn weights(block: &Block, field: &Field) -> Result<Vec<u64>, FrameError> {
    let Data::Whole(column) = block.data(field)? else {
        return Err(FrameError::Bad(format!("the weights `{}` are no whole numbers", field.name)));
    };
    let weight = |value: Option<i64>| {
        let value = value.unwrap_or_default();
        u64::try_from(value).map_err(|_| FrameError::Bad(format!("the weight `{}` is {value}", field.name)))
    };
    column.iter().map(weight).collect()
}

/// The columns that requests need.
fn needed(requests: &[Request<'_>], columns: &[Column]) -> Vec<usize> {
    let mut needed = Vec::new();
    for request in requests {
        needed.extend(request.column);
        needed.extend(request.column.and_then(|column| columns.get(column)?.weight));
        needed.extend(request.filter.map(Filter::fields).unwrap_or_default());
    }
    needed.sort_unstable();
    needed.dedup();
    needed
}

/// The rows that each request is about: those of `within` that its filter matches. Nothing where it is about all.
fn chosen(
    requests: &[Request<'_>],
    block: &Block,
    columns: &[Column],
    within: Option<&[bool]>,
) -> Result<Vec<Option<Vec<bool>>>, FrameError> {
    let mut chosen: Vec<Option<Vec<bool>>> = Vec::with_capacity(requests.len());
    for (number, request) in requests.iter().enumerate() {
        if let Some(same) = requests[..number].iter().position(|other| other.filter == request.filter) {
            let same = chosen[same].clone();
            chosen.push(same);
            continue;
        }
        let mut rows = request.filter.map(|filter| mask(filter, block, columns)).transpose()?;
        if let Some(within) = within {
            match &mut rows {
                Some(rows) => rows.iter_mut().zip(within).for_each(|(row, within)| *row &= within),
                None => rows = Some(within.to_vec()),
            }
        }
        chosen.push(rows);
    }
    Ok(chosen)
}

impl Source<'_> {
    /// Computes what is requested, each of all rows.
    ///
    /// # Errors
    /// When rows cannot be read, or are not of these columns.
    pub fn aggregate(&self, requests: &[Request<'_>]) -> Result<Vec<Summary>, FrameError> {
        self.aggregate_within(requests, MOST_KEYS)
    }

    pub(crate) fn aggregate_within(&self, requests: &[Request<'_>], most: usize) -> Result<Vec<Summary>, FrameError> {
        let columns = self.columns();
        let mut tallies = tallies(requests, columns, most);
        self.each(&needed(requests, columns), &mut |block| {
            let chosen = chosen(requests, block, columns, None)?;
            tallies.iter_mut().zip(&chosen).try_for_each(|(tally, rows)| tally.add(block, columns, rows.as_deref()))
        })?;
        let searches = tallies.iter_mut().map(finish).collect::<Vec<_>>();
        self.search(&mut tallies, searches, most)?;
        Ok(tallies.into_iter().map(|tally| tally.summary).collect())
    }

    /// The same, of the rows with each value of a column, by value. Rows without a value there are left out.
    ///
    /// # Errors
    /// As [`Source::aggregate`]; also when the column has more than 1,000 values.
    pub fn aggregate_by(
        &self,
        column: usize,
        requests: &[Request<'_>],
    ) -> Result<BTreeMap<Value, Vec<Summary>>, FrameError> {
        let columns = self.columns();
        let field = &columns.get(column).ok_or_else(|| FrameError::Bad("there is no such column".to_owned()))?.field;
        let mut groups: BTreeMap<Value, Vec<Tally<'_, '_>>> = BTreeMap::new();
        let mut wanted = needed(requests, columns);
        wanted.push(column);
        self.each(&wanted, &mut |block| {
            let values = block.values(field)?;
            let mut here: Vec<&Value> = values.iter().flatten().collect();
            here.sort_unstable();
            here.dedup();
            for value in here {
                let within: Vec<bool> = values.iter().map(|found| found.as_ref() == Some(value)).collect();
                let chosen = chosen(requests, block, columns, Some(&within))?;
                if !groups.contains_key(value) {
                    groups.insert(value.clone(), tallies(requests, columns, usize::MAX));
                }
                if groups.len() > MOST_GROUPS {
                    let name = &field.name;
                    return Err(FrameError::Bad(format!(
                        "column `{name}` has more than {MOST_GROUPS} values: too many for one figure"
                    )));
                }
                for (tally, rows) in groups.get_mut(value).into_iter().flatten().zip(&chosen) {
                    tally.add(block, columns, rows.as_deref())?;
                }
            }
            Ok(())
        })?;
        let done = groups.into_iter().map(|(value, mut tallies)| {
            tallies.iter_mut().for_each(|tally| drop(finish(tally)));
            (value, tallies.into_iter().map(|tally| tally.summary).collect())
        });
        Ok(done.collect())
    }

    /// Ends the searches for percentiles of more values than are held.
    fn search(
        &self,
        tallies: &mut [Tally<'_, '_>],
        mut searches: Vec<Vec<(u8, Search)>>,
        most: usize,
    ) -> Result<(), FrameError> {
        let columns = self.columns();
        let requests: Vec<Request<'_>> = tallies.iter().map(|tally| tally.request.clone()).collect();
        let open =
            |searches: &[Vec<(u8, Search)>]| searches.iter().flatten().any(|(_, search)| search.found().is_none());
        while open(&searches) {
            self.each(&needed(&requests, columns), &mut |block| {
                let chosen = chosen(&requests, block, columns, None)?;
                for ((request, searches), rows) in requests.iter().zip(&mut searches).zip(&chosen) {
                    let Some(column) = request.column.filter(|_| !searches.is_empty()) else { continue };
                    visit(block, columns, column, rows.as_deref(), &mut |value, weight| {
                        let key = match value {
                            Visited::Whole(value) => key_of_whole(value),
                            Visited::Real(value) => key_of_real(value),
                            Visited::Boolean(_) | Visited::Text => return,
                        };
                        searches.iter_mut().for_each(|(_, search)| search.add(key, weight));
                    })?;
                }
                Ok(())
            })?;
            searches.iter_mut().flatten().for_each(|(_, search)| search.narrow(most));
        }
        for (tally, searches) in tallies.iter_mut().zip(searches) {
            for (percentile, search) in searches {
                tally.found(percentile, search.found());
            }
        }
        Ok(())
    }
}

fn tallies<'r, 'a>(requests: &'r [Request<'a>], columns: &[Column], most: usize) -> Vec<Tally<'r, 'a>> {
    let kind = |request: &Request<'_>| match request.column.and_then(|column| columns.get(column)) {
        Some(column) => match column.field.kind {
            matrix_core::Kind::Whole => Of::Whole,
            matrix_core::Kind::Real => Of::Real,
            matrix_core::Kind::Boolean => Of::Boolean,
            matrix_core::Kind::Text => Of::Other,
        },
        None => Of::Other,
    };
    let tally = |request: &'r Request<'a>| {
        let summary = Summary { kind: kind(request), ..Summary::default() };
        Tally { request, summary, keys: Keys::default(), most }
    };
    requests.iter().map(tally).collect()
}

impl Tally<'_, '_> {
    fn found(&mut self, percentile: u8, key: Option<u64>) {
        let value = key.map(|key| match self.summary.kind {
            Of::Whole => whole_of_key(key) as f64,
            _ => real_of_key(key),
        });
        self.summary.percentiles.extend(value.map(|value| (percentile, value)));
    }
}

/// Finds the percentiles among the values that were held; the searches for those of which too many were there.
fn finish(tally: &mut Tally<'_, '_>) -> Vec<(u8, Search)> {
    let mut searches = Vec::new();
    let Some((low, high)) = tally.summary.extremes else { return searches };
    for percentile in &tally.request.percentiles {
        let rank = nearest_rank(f64::from(*percentile) / 100.0, tally.summary.count);
        if tally.keys.overflowed {
            searches.push((*percentile, Search::new(rank, low, high)));
        } else {
            let key = tally.keys.at(rank);
            tally.found(*percentile, key);
        }
    }
    tally.keys = Keys::default();
    searches
}

/// Visits the numbers of a column in the rows that a filter matches, as keys.
pub(crate) fn keys(
    source: &Source<'_>,
    column: usize,
    filter: Option<&Filter>,
    take: &mut dyn FnMut(u64, u64),
) -> Result<(), FrameError> {
    let columns = source.columns();
    let requests = [Request { column: Some(column), filter, percentiles: Vec::new() }];
    source.each(&needed(&requests, columns), &mut |block| {
        let chosen = chosen(&requests, block, columns, None)?;
        let rows = chosen.first().and_then(|rows| rows.as_deref());
        visit(block, columns, column, rows, &mut |value, weight| match value {
            Visited::Whole(value) => take(key_of_whole(value), weight),
            Visited::Real(value) => take(key_of_real(value), weight),
            Visited::Boolean(_) | Visited::Text => {}
        })
    })?;
    Ok(())
}
