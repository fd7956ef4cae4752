//! A figure as an experiment declares it.

use crate::claims::Selection;
use crate::relation::Relation;

/// How a figure is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FigureKind {
    /// A line for each series, with the band of its intervals.
    Line,
    /// Bars for each value of `x`: one for each series beside the other, or on top of each other.
    Bars {
        /// Whether they are on top of each other.
        stack: bool,
    },
    /// The cumulative distribution of a column, a step line for each series.
    Ecdf,
    /// A field for each value of `x` and of `series`, coloured by the number.
    Heat,
    /// A table in LaTeX: a row for each value of `x`, a column for each series.
    Table,
}

/// Names of kinds.
pub const KINDS: [&str; 5] = ["line", "bars", "ecdf", "heat", "table"];

/// What is across.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Across {
    /// An axis, by position.
    Axis(usize),
    /// A column: metrics are computed of the rows with each of its values.
    Column {
        /// Its source, by position.
        source: usize,
        /// The column, by position.
        column: usize,
    },
    /// A metric; its numbers are connected along an axis.
    Metric {
        /// The metric, by position.
        metric: usize,
        /// The axis, by position.
        along: usize,
    },
}

/// A figure as an experiment declares it.
#[derive(Clone, Debug, PartialEq)]
pub struct FigureSpec {
    /// Its name, and that of its files.
    pub name: String,
    /// The figure of the paper that it is to be compared with.
    pub paper: Option<String>,
    /// How it is drawn.
    pub kind: FigureKind,
    /// What is across.
    pub x: Across,
    /// The metric; none of a distribution.
    pub y: Option<usize>,
    /// The axis whose values are lines, bars of a group, or rows of a heat map.
    pub series: Option<usize>,
    /// The axis whose values are panels.
    pub panel: Option<usize>,
    /// The points that it shows.
    pub selection: Selection,
    /// Whether the axis across is logarithmic, and whether the other one is.
    pub log: (bool, bool),
    /// What is done with numbers first.
    pub relation: Relation,
}

/// Keys of a `[[figure]]`.
pub const KEYS: &[&str] = &[
    "name", "paper", "kind", "x", "y", "series", "panel", "where", "log", "ratio_to", "over", "stack", "along", "from",
];

impl FigureSpec {
    /// Whether it is a file of its own form rather than a picture.
    #[must_use]
    pub fn is_table(&self) -> bool {
        self.kind == FigureKind::Table
    }
}
