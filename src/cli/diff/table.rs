//! What `matrix diff` found, for people.

use matrix_core::key_diff::shown;
use matrix_plan::Axes;
use matrix_report::Column;

use super::json::{ChangeJson, DiffJson, IntervalJson, PairJson, PartJson, ResultJson, SideJson};
use crate::cli::plan::on_off;
use crate::exit::Failure;
use crate::output;

/// Parts of keys that a table names; JSON has all of them.
const PARTS_SHOWN: usize = 6;
/// Marked changes that a row names.
const CHANGES_SHOWN: usize = 3;
/// Results of one side that are listed, without `--all`.
const ONLY_SHOWN: usize = 10;

pub(super) fn table(found: &DiffJson, all: bool) -> Result<(), Failure> {
    let DiffJson { a, b, identical, only_in_a, only_in_b, same_key, same_axes } = found;
    output::line(format_args!("A  {}\nB  {}", a.describe(), b.describe()))?;
    output::line(format_args!(
        "{} results of the same cells: {identical} identical, {} different; {} with the same axes, other meaning; {} only in A, \
         {} only in B",
        same_key.len(),
        same_key.len() - identical,
        same_axes.len(),
        only_in_a.len(),
        only_in_b.len()
    ))?;
    let changes = || same_key.iter().chain(same_axes).flat_map(|pair| &pair.changes);
    let clear = changes().filter(|change| change.is_marked()).count();
    let judged = changes().filter(|change| change.excludes_zero.is_some()).count();
    if judged > 0 {
        output::line(format_args!(
            "{clear} of {judged} changes are marked: their interval leaves out 0. Where nothing differs, at most about 5 % would be.\n\
             Intervals are of single cells, so they say little about how rounds differ."
        ))?;
    }
    kinds("Same cell, different results", same_key)?;
    kinds("Same axes and round, other meaning", same_axes)?;
    only("A", only_in_a, all)?;
    only("B", only_in_b, all)?;
    if all {
        pairs("Same cell", same_key)?;
        return pairs("Same axes and round, other meaning", same_axes);
    }
    let marked: Vec<&PairJson> =
        same_key.iter().chain(same_axes).filter(|pair| pair.changes.iter().any(ChangeJson::is_marked)).collect();
    if !marked.is_empty() {
        output::line(format_args!("\nPoints with marked changes, A -> B\n{}", points(&marked)))?;
    }
    if judged > 0 {
        output::line("\n`--all` lists every metric of every point, with its intervals")?;
    }
    Ok(())
}

/// How many pairs differ in which parts of their keys, and where they come from.
fn kinds(title: &str, pairs: &[PairJson]) -> Result<(), Failure> {
    let mut kinds: Vec<(String, usize)> = Vec::new();
    for pair in pairs.iter().filter(|pair| !pair.identical || !pair.differs.is_empty()) {
        let differs = if pair.differs.is_empty() { String::new() } else { format!("; {}", pair.parts()) };
        let kind = format!("{}{differs}", pair.origins());
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, count)) => *count += 1,
            None => kinds.push((kind, 1)),
        }
    }
    kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for (index, (kind, count)) in kinds.iter().take(ONLY_SHOWN).enumerate() {
        let title = if index == 0 { format!("\n{title}\n") } else { String::new() };
        output::line(format_args!("{title}  {count} of {}: {kind}", pairs.len()))?;
    }
    if let Some(more) = kinds.len().checked_sub(ONLY_SHOWN).filter(|more| *more > 0) {
        output::line(format_args!("  and {more} more kinds of difference (--all)"))?;
    }
    Ok(())
}

/// One line for each point, with its marked changes.
fn points(pairs: &[&PairJson]) -> String {
    let columns = [
        Column::left("post"),
        Column::left("notified\nby"),
        Column::left("regions").folded("regions"),
        Column::right("delay\nms").folded("delay in ms"),
        Column::left("antipode").folded("antipode"),
        Column::right("round").folded("round"),
        Column::left("marked changes"),
    ];
    let line = |pair: &&PairJson| {
        let Axes { combination, delay_ms, antipode } = &pair.a.axes;
        let marked: Vec<&ChangeJson> = pair.changes.iter().filter(|change| change.is_marked()).collect();
        let mut named: Vec<String> = marked.iter().take(CHANGES_SHOWN).map(|change| change.short()).collect();
        if marked.len() > CHANGES_SHOWN {
            named.push(format!("and {} more", marked.len() - CHANGES_SHOWN));
        }
        vec![
            combination.post_storage.to_string(),
            combination.notification_storage.to_string(),
            combination.regions.to_string(),
            delay_ms.to_string(),
            on_off(*antipode).to_owned(),
            pair.a.round.to_string(),
            named.join(", "),
        ]
    };
    matrix_report::fitted(&columns, pairs.iter().map(line).collect(), output::width())
}

fn only(side: &str, results: &[ResultJson], all: bool) -> Result<(), Failure> {
    if results.is_empty() {
        return Ok(());
    }
    let shown = if all { results.len() } else { ONLY_SHOWN };
    let mut table = output::table(&["cell", "axes", "round", "origin", "how"], &[2]);
    for result in results.iter().take(shown) {
        let [axes, round] = [result.axes.to_string(), result.round.to_string()];
        table.add_row([result.key.short(), axes, round, result.origin.clone(), result.how.to_owned()]);
    }
    output::line(format_args!("\nOnly in {side}\n{}", table.trim_fmt()))?;
    match results.len().checked_sub(shown).filter(|more| *more > 0) {
        Some(more) => output::line(format_args!(" and {more} more (--all)")),
        None => Ok(()),
    }
}

fn pairs(title: &str, pairs: &[PairJson]) -> Result<(), Failure> {
    let different: Vec<&PairJson> = pairs.iter().filter(|pair| !pair.identical || !pair.differs.is_empty()).collect();
    if !different.is_empty() {
        output::line(format_args!("\n{title}"))?;
    }
    for pair in different {
        let PairJson { a, b, identical, differs, changes } = pair;
        let keys = if a.key == b.key { a.key.short() } else { format!("{} / {}", a.key.short(), b.key.short()) };
        output::line(format_args!("\n{} round {}: {keys}: {}", a.axes, a.round, pair.origins()))?;
        if !differs.is_empty() {
            output::line(pair.parts())?;
        }
        if *identical {
            output::line("identical to the byte all the same")?;
            continue;
        }
        let mut table =
            output::table(&["metric", "unit", "A", "(95 %)", "B", "(95 %)", "change", "(95 %)", ""], &[2, 4, 6]);
        for change in changes {
            let [(a, of_a), (b, of_b)] = [&change.a, &change.b].map(|estimate| numbers(estimate.as_ref(), false));
            let (by, of_by) = numbers(change.change.as_ref(), true);
            let mark = if change.is_marked() { "*" } else { "" };
            let [metric, unit, mark] = [change.metric, change.unit, mark].map(str::to_owned);
            table.add_row([metric, unit, a, of_a, b, of_b, by, of_by, mark]);
        }
        output::line(table.trim_fmt())?;
    }
    Ok(())
}

/// An estimate and its interval as a person reads them.
fn numbers(estimate: Option<&IntervalJson>, signed: bool) -> (String, String) {
    let Some(IntervalJson { value, low, high }) = estimate else { return ("-".to_owned(), String::new()) };
    let number = |number: f64| if signed { format!("{number:+.2}") } else { format!("{number:.2}") };
    let end = |end: &Option<f64>| end.unwrap_or(f64::INFINITY);
    if low.is_none() && high.is_none() {
        // One batch, or fewer than three measured rounds.
        return (number(*value), "no interval".to_owned());
    }
    (number(*value), output::interval(end(low), end(high), number))
}

impl SideJson {
    fn describe(&self) -> String {
        let Self { path, results, simulated } = self;
        format!("{}: {results} results, {simulated} simulated, {} measured", output::path(path), results - simulated)
    }
}

impl PairJson {
    /// Who measured the two results, and how.
    fn origins(&self) -> String {
        let Self { a, b, .. } = self;
        format!("{} ({}) / {} ({})", a.origin, a.how, b.origin, b.how)
    }

    /// The parts of the keys that differ.
    fn parts(&self) -> String {
        let part = |part: &PartJson| format!("{} {} / {}", part.part, shown(part.a.as_ref()), shown(part.b.as_ref()));
        let mut named: Vec<String> = self.differs.iter().take(PARTS_SHOWN).map(part).collect();
        if self.differs.len() > PARTS_SHOWN {
            named.push(format!("and {} more parts", self.differs.len() - PARTS_SHOWN));
        }
        format!("the keys differ in: {}", named.join("; "))
    }
}

impl ChangeJson {
    /// Whether the interval of the change leaves out 0.
    fn is_marked(&self) -> bool {
        self.excludes_zero == Some(true)
    }

    /// The metric and its two values.
    fn short(&self) -> String {
        let [a, b] = [&self.a, &self.b].map(|estimate| numbers(estimate.as_ref(), false).0);
        format!("{} {a} -> {b}", self.metric)
    }
}
