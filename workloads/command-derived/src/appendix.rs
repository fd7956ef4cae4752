//! An experiment of schema 2, and its results, as parts of an artifact appendix.

use std::collections::BTreeSet;

use matrix_command::file::{self, Require};
use matrix_command::results::{self, Finding};
use matrix_command::run::Input;
use matrix_core::{Point, Template};
use matrix_report::appendix::{Appendix, Claim, Experiment, Measured};
use matrix_report::page::KICK_THE_TIRES;
use matrix_report::{environment, seconds_between};
use matrix_store::attempt::AttemptStatus;
use matrix_store::{RecordFile, Store};

use crate::attempts;
use crate::error::DerivedError;

/// Numbers that one claim lists.
const MOST: usize = 8;

/// The parts of the appendix that an experiment and its results give; `shown` is its file as an evaluator types it.
///
/// # Errors
/// When the store cannot be read, or what it holds is not what its records say.
pub fn of_results(input: &Input, store: Option<&Store>, shown: &str) -> Result<Appendix, DerivedError> {
    let experiment = &input.experiment;
    let loaded = store.map(|store| results::load(store, experiment, &input.cells, None)).transpose()?;
    let mut appendix = Appendix::default();
    for (key, value) in &experiment.artifact {
        if !appendix.prose.take(key, value) {
            appendix.facts.push((key.clone(), value.clone()));
        }
    }
    appendix.requires = requires(experiment);
    let points: Vec<BTreeSet<&Point>> =
        experiment.matrices.iter().map(|matrix| matrix.points.iter().collect()).collect();
    let tried = store.map(|store| attempts::of_cells(store, &input.cells)).transpose()?.unwrap_or_default();
    for (n, matrix) in experiment.matrices.iter().enumerate() {
        let mut measured = Measured::default();
        for loaded in loaded.iter().flat_map(|loaded| &loaded.cells) {
            let Some(record) = loaded.record.as_ref().filter(|_| points[n].contains(&loaded.cell.point)) else {
                continue;
            };
            let mut of_cell = tried.get(&loaded.cell.key).into_iter().flatten();
            let last =
                of_cell.rfind(|attempt| attempt.status == AttemptStatus::Done && attempt.origin == record.origin);
            if let Some(attempt) = last
                && let Some(seconds) = seconds_between(&attempt.started, &attempt.ended)
            {
                measured
                    .add(seconds, record.objects().iter().fold(0, |all: u64, object| all.saturating_add(object.bytes)));
                let line = environment(&attempt.provenance);
                if !appendix.environments.contains(&line) {
                    appendix.environments.push(line);
                }
            }
        }
        let kick = experiment.subsets.contains_key(KICK_THE_TIRES);
        appendix.experiments.push(Experiment {
            name: matrix.name.clone().unwrap_or_else(|| experiment.name.clone()),
            nature: String::new(),
            cells: matrix.points.len() * experiment.rounds as usize,
            rounds: experiment.rounds,
            human_minutes: matrix.human_minutes,
            measured,
            prepare: kick.then(|| format!("matrix run {shown} --subset {KICK_THE_TIRES}")).into_iter().collect(),
            run: vec![format!("matrix run {shown} --plot"), format!("matrix check {shown}")],
        });
    }
    let found = loaded.as_ref().filter(|loaded| loaded.done() > 0).map(results::findings).unwrap_or_default();
    for claim in &experiment.claims {
        let finding = found.iter().find(|finding| finding.claim.id == claim.id);
        let about = |points: &BTreeSet<&Point>| points.iter().any(|point| claim.selection.matches(point));
        appendix.claims.push(Claim {
            id: claim.id.clone(),
            says: claim.says.clone(),
            paper: claim.paper.clone(),
            backed_by: (0..points.len()).filter(|n| about(&points[*n])).collect(),
            verdict: finding.map(|finding| finding.judged.verdict.name().to_owned()),
            found: finding.map(numbers).unwrap_or_default(),
            uncovered: match &claim.statement {
                matrix_core::claims::Statement::Uncovered(why) => Some(why.clone()),
                _ => None,
            },
        });
    }
    Ok(appendix)
}

/// The numbers that a verdict stands on, a line each.
pub(crate) fn numbers(finding: &Finding<'_>) -> Vec<String> {
    let details = &finding.judged.details;
    let mut lines: Vec<String> = details
        .iter()
        .take(MOST)
        .map(|detail| match detail.what.as_str() {
            "" => detail.text.clone(),
            what => format!("{what}: {}", detail.text),
        })
        .collect();
    if details.len() > MOST {
        lines.push(format!("{} more", details.len() - MOST));
    }
    if finding.disturbed > 0 {
        let cells = if finding.disturbed == 1 { "cell was" } else { "cells were" };
        lines.push(format!("{} {cells} disturbed by other work", finding.disturbed));
    }
    lines
}

/// What is required, each with the matrices that it is required for.
pub(crate) fn requires(experiment: &file::Experiment) -> Vec<(String, Vec<usize>)> {
    let of = |require: &Require| {
        let is_needed =
            |point: &&Point| require.only.as_ref().is_none_or(|filter| filter.matches(&|axis| point.get(axis)));
        let matrices = experiment.matrices.iter().enumerate();
        let places = matrices
            .filter(|(_, matrix)| matrix.points.iter().any(|point| is_needed(&point)))
            .map(|(n, _)| n)
            .collect();
        let points: Vec<&Point> = experiment.points.iter().filter(is_needed).collect();
        let amounts = [(&require.cpus, "processors"), (&require.memory, "of memory"), (&require.disk, "of disk")];
        let mut needs: Vec<String> = amounts
            .iter()
            .filter_map(|(template, what)| Some(format!("{} {what}", most(template.as_ref()?, &points)?)))
            .collect();
        if let Some(run) = &require.run
            && let Some(point) = points.first()
        {
            let words: Vec<String> = run.iter().map(|word| word.symbolic(point)).collect();
            needs.push(format!("{} ends with 0", words.join(" ")));
        }
        let needs = if needs.is_empty() { String::new() } else { format!(" ({})", needs.join(", ")) };
        (format!("{}{needs}", require.otherwise), places)
    };
    experiment.requires.iter().map(of).filter(|(_, places): &(String, Vec<usize>)| !places.is_empty()).collect()
}

/// The largest amount that points need: the largest number, or every text where these are no numbers.
fn most(template: &Template, points: &[&Point]) -> Option<String> {
    let texts: BTreeSet<String> = points.iter().map(|point| template.symbolic(point)).collect();
    let numbers: Option<Vec<f64>> = texts.iter().map(|text| text.trim().parse().ok()).collect();
    match numbers.and_then(|numbers| numbers.into_iter().reduce(f64::max)) {
        Some(most) => Some(most.to_string()),
        None if texts.is_empty() => None,
        None => Some(texts.into_iter().collect::<Vec<_>>().join(", ")),
    }
}
