//! The numbers that figures show.

use std::collections::{BTreeMap, BTreeSet};

use matrix_core::figure::Numbers;
use matrix_core::relation::{Context, Group};
use matrix_core::series::{Measured, Series, by_point};
use matrix_core::{Axis, Kind, Point, Value};
use matrix_frame::Distribution;

use super::Loaded;

impl Numbers for Loaded<'_> {
    fn context(&self, metric: Option<usize>) -> Context<'_> {
        Loaded::context(self, metric)
    }

    fn series(&self, metric: usize) -> Vec<Series> {
        self.tried(metric)
    }

    fn series_by(&self, metric: usize, source: usize, column: usize) -> (Axis, Vec<Series>) {
        let cells = self.by.get(&(metric, source, column)).map(Vec::as_slice).unwrap_or_default();
        let values: BTreeSet<&Value> = cells.iter().flat_map(BTreeMap::keys).collect();
        let name = self.column(source, column).map(|(name, _)| name.to_owned()).unwrap_or_default();
        let kind = values.first().map_or(Kind::Text, |value| value.kind());
        let axis = Axis::plain(&name, kind, values.into_iter().cloned().collect());
        // The values that any round of a point has: a round without one of them lacks a number there.
        let mut of_points: BTreeMap<&Point, BTreeSet<&Value>> = BTreeMap::new();
        for (cell, numbers) in self.cells.iter().zip(cells) {
            of_points.entry(&cell.cell.point).or_default().extend(numbers.keys());
        }
        let mut measured = Vec::new();
        for (cell, numbers) in self.cells.iter().zip(cells) {
            for value in of_points.get(&cell.cell.point).into_iter().flatten() {
                let mut point = cell.cell.point.clone();
                point.push((*value).clone());
                measured.push(Measured { point, round: cell.cell.round, value: numbers.get(*value).copied() });
            }
        }
        let ranks = |measured: &Measured| {
            let (point, value) = measured.point.split_at(self.experiment.axes.axes.len());
            (self.experiment.axes.ranks(point), value.first().and_then(|value| axis.rank(value)), measured.round)
        };
        measured.sort_by_cached_key(ranks);
        let series = by_point(&measured);
        (axis, series)
    }

    fn distributions(
        &self,
        source: usize,
        column: usize,
        most: usize,
        group: &dyn Fn(&Point) -> Option<Group>,
    ) -> BTreeMap<Group, (Vec<(f64, f64)>, usize)> {
        let cells = self.distributions.get(&(source, column)).map(Vec::as_slice).unwrap_or_default();
        let mut groups: BTreeMap<Group, (Distribution, BTreeSet<u32>)> = BTreeMap::new();
        for (cell, distribution) in self.cells.iter().zip(cells) {
            let (Some(distribution), Some(group)) = (distribution, group(&cell.cell.point)) else { continue };
            match groups.get_mut(&group) {
                Some((all, rounds)) => {
                    all.merge(distribution);
                    rounds.insert(cell.cell.round);
                }
                None => drop(groups.insert(group, (distribution.clone(), BTreeSet::from([cell.cell.round])))),
            }
        }
        groups.into_iter().map(|(group, (all, rounds))| (group, (all.curve(most), rounds.len()))).collect()
    }

    fn disturbed(&self) -> Vec<&Point> {
        Loaded::disturbed(self).map(|cell| &cell.cell.point).collect()
    }
}
