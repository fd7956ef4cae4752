//! The contents of a report, as its template takes them. Texts are plain; the template escapes them.

use serde::Serialize;

/// Points that one section lists; a matrix of more is shown without its attempts, and without the points beyond.
pub const MOST_POINTS: usize = 2000;

/// Cells without a result that one section lists.
pub const MOST_FAILED: usize = 50;

/// A report.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Page {
    /// The heading.
    pub title: String,
    /// One sentence: what the claims came to.
    pub verdict: String,
    /// How the numbers came about, in the words of the banner.
    pub labels: Vec<Label>,
    /// The program and its version.
    pub generator: String,
    /// The SHA-256 over the records that the page is made from.
    pub records: String,
    /// The results, one section for each experiment and origin.
    pub sections: Vec<Section>,
    /// What the attempts ran on, a line each.
    pub environment: Vec<String>,
    /// What the authors' attempts ran on, and these did not.
    pub environment_authors: Vec<String>,
    /// What the results are compared with, if they are.
    pub against: Option<String>,
    /// Commands to copy.
    pub commands: Commands,
    /// Seconds after which the page loads itself again, while a run goes on.
    pub refresh_s: Option<u32>,
}

/// A label of the banner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Label {
    /// A word for the style sheet: `simulated`, `configured`, `measured` or `incomplete`.
    pub kind: &'static str,
    /// What it says.
    pub text: String,
}

/// Commands to copy, each with what it does.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Commands {
    /// What comes first: installing, and what shows within minutes that all works.
    pub start: Vec<(String, String)>,
    /// The others.
    pub list: Vec<(String, String)>,
}

/// The results of one experiment by one origin.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Section {
    /// The anchor.
    pub id: String,
    /// The heading.
    pub name: String,
    /// The experiment.
    pub experiment: String,
    /// Whether it is of a program, and names a subset that shows within minutes that all works.
    pub has_kick_the_tires: bool,
    /// Who measured.
    pub origin: String,
    /// How the numbers came about.
    pub nature: String,
    /// How the cells stand. The counts add up to `planned`.
    pub states: Vec<StateCount>,
    /// Cells planned.
    pub planned: u64,
    /// Rows behind the done cells: of the built-in workload, one for each request.
    pub rows: u64,
    /// Wall-clock time of all attempts, in words.
    pub time: String,
    /// What cells require of the machine; without it they are skipped.
    pub requires: Vec<String>,
    /// Cells without a result, and why.
    pub failed: Vec<Failed>,
    /// How many more there are than `failed` lists.
    pub failed_more: u64,
    /// Claims, judged.
    pub claims: Vec<ClaimView>,
    /// Figures.
    pub figures: Vec<FigureView>,
    /// Axes of the matrix.
    pub axes: Vec<Axis>,
    /// Metrics of each point.
    pub metrics: Vec<Metric>,
    /// Points of the matrix, in order.
    pub points: Vec<Point>,
    /// How many more points there are than `points` lists.
    pub points_more: u64,
    /// Time and size by kind of cell.
    pub kinds: Vec<Kind>,
    /// What a kind is: names of the axes that tell kinds apart.
    pub kind_heads: Vec<String>,
    /// Whether the authors' times are known.
    pub expected: bool,
    /// Whether there is an estimate of what cells take.
    pub estimated: bool,
    /// Attempts over time, one SVG for each run, with its name.
    pub gantt: Vec<(String, String)>,
}

/// How many cells stand in a state.
#[derive(Clone, Debug, Serialize)]
pub struct StateCount {
    /// The state.
    pub state: &'static str,
    /// Cells.
    pub count: u64,
    /// Width and left edge of its part of a bar that is 1000 wide.
    pub width: f64,
    /// Left edge.
    pub left: f64,
}

/// A cell without a result.
#[derive(Clone, Debug, Serialize)]
pub struct Failed {
    /// The beginning of its key; empty where several cells are meant.
    pub key: String,
    /// The cell, in words.
    pub cell: String,
    /// Its state.
    pub state: &'static str,
    /// Why, as its last attempt says.
    pub why: String,
}

/// A claim, judged.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ClaimView {
    /// Its name.
    pub id: String,
    /// What it says.
    pub says: String,
    /// Where it comes from.
    pub source: String,
    /// The verdict in one word.
    pub verdict: String,
    /// How the numbers came about.
    pub nature: String,
    /// What is wanted and what was found, a line for each finding.
    pub found: Vec<String>,
    /// The authors' verdict and finding.
    pub authors: Option<String>,
    /// How these compare with the authors': `reproduced`, `same direction`, `differs` or `undecided`.
    pub comparison: Option<&'static str>,
}

/// A figure with its table.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FigureView {
    /// The anchor.
    pub id: String,
    /// The heading.
    pub title: String,
    /// The picture: SVG of this program's own renderer.
    pub svg: String,
    /// The authors' picture, where their numbers are not in the other.
    pub svg_authors: Option<String>,
    /// The authors' table, where the rows are the figure.
    pub rows_authors: Option<Vec<Vec<String>>>,
    /// The figure or table of the paper that it is compared with.
    pub paper: Option<String>,
    /// Name of the table's file.
    pub file: String,
    /// The table as a link; none where it is too large.
    pub data: Option<String>,
    /// Heads of the table.
    pub heads: Vec<String>,
    /// The first rows of the table.
    pub rows: Vec<Vec<String>>,
    /// How many more there are.
    pub rows_more: usize,
}

/// An axis of the matrix.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Axis {
    /// Its name.
    pub name: String,
    /// Its values, in order, as they are written in an experiment.
    pub values: Vec<String>,
}

/// A metric of a point.
#[derive(Clone, Debug, Serialize)]
pub struct Metric {
    /// Its name, with its unit.
    pub name: String,
}

/// A point of the matrix: its cells of all rounds together.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Point {
    /// One value of each axis, as its number in the axis.
    pub at: Vec<usize>,
    /// The same, in words.
    pub values: Vec<String>,
    /// How its cells stand.
    pub state: String,
    /// One value of each metric, as numbers for the grid; none where nothing was observed.
    pub numbers: Vec<Option<f64>>,
    /// The same, in words, with intervals where there are any.
    pub texts: Vec<String>,
    /// What it runs, as words of a shell; none where no program is run.
    pub command: Option<String>,
    /// The command that runs its cells again; none where it cannot be typed.
    pub again: Option<String>,
    /// Its attempts.
    pub attempts: Vec<AttemptView>,
}

/// An attempt.
#[derive(Clone, Debug, Serialize)]
pub struct AttemptView {
    /// Its name.
    pub id: String,
    /// Beginning of the cell's key.
    pub key: String,
    /// The round.
    pub round: u32,
    /// How it ended.
    pub status: &'static str,
    /// When it started, in UTC.
    pub started: String,
    /// How long it took, in words.
    pub took: String,
    /// What happened on the way.
    pub notes: Vec<String>,
    /// Why it has no result, with the last lines of what was printed, or why some of its requests failed; may be empty.
    pub why: String,
}

/// Time and size of the cells of one kind.
#[derive(Clone, Debug, Serialize)]
pub struct Kind {
    /// What kind: one value of each of the axes that tell kinds apart.
    pub values: Vec<String>,
    /// Attempts.
    pub attempts: usize,
    /// Mean wall-clock time of an attempt, in seconds.
    pub mean_s: String,
    /// Longest attempt, in seconds.
    pub longest_s: String,
    /// What the authors' attempts took on average, in seconds.
    pub expected_s: String,
    /// What a cell was estimated to take before it ran.
    pub estimated_s: String,
    /// Bytes of traces, uncompressed.
    pub bytes: u64,
}
