//! Printing what results are: summary, plan, status, claims, figures and exports.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use matrix_command::results::{self, Loaded, findings};
use matrix_command::run::{Input, PlanDocument, states};
use matrix_core::judge::Verdict;
use matrix_core::read::Reading;
use matrix_core::text::counted;
use matrix_core::{Again, CellKey, CellState, Tally};
use matrix_store::{Origin, Run, Store};
use serde::Serialize;

use super::charts;
use super::choose::Chosen;
use super::read::{load, matching, read_otherwise};
use crate::cli::runs::{self, RunJson, RunnerJson};
use crate::cli::{PictureFormat, RowFiles, TallyJson};
use crate::exit::{CommandResult, Exit, Failure};
use crate::output;

/// Prints the metrics of every point.
pub(super) fn summary(loaded: &Loaded<'_>) -> Result<(), Failure> {
    let cells = loaded.cells.len();
    output::line(format_args!("{} ({} of {cells} cells done)\n", loaded.experiment.name, loaded.done()))?;
    let (head, lines) = results::summary(loaded);
    let heads: Vec<&str> = head.iter().map(String::as_str).collect();
    let right: Vec<usize> = (loaded.experiment.axes.axes.len()..heads.len()).collect();
    let mut table = output::table(&heads, &right);
    for line in lines {
        table.add_row(line);
    }
    output::line(table.trim_fmt())?;
    let untried = results::untried(loaded);
    if untried > 0 {
        output::line(format_args!("{} more not run", counted(untried, "point")))?;
    }
    let disturbed = loaded.disturbed().count();
    if disturbed > 0 {
        output::line(format_args!(
            "{disturbed} cells were disturbed while they ran: `run --rerun-disturbed` runs them again"
        ))?;
    }
    let machines = loaded.machines(&|_| true);
    if machines.len() > 1 && !loaded.experiment.host.mixed {
        output::line(format_args!(
            "\nwarning: results of {} unlike machines, which ratios do not compare: {}",
            machines.len(),
            machines.join("; ")
        ))?;
    }
    let versions = loaded.mixed_versions();
    if !versions.is_empty() {
        output::line(format_args!(
            "\nwarning: results of {} versions of one program: {}",
            versions.len(),
            versions.join("; ")
        ))?;
    }
    Ok(())
}

#[derive(Serialize)]
struct ClaimJson {
    id: String,
    paper: Option<String>,
    says: String,
    verdict: &'static str,
    details: Vec<(String, &'static str, String)>,
    disturbed: usize,
}

pub(crate) fn check(
    store: &Store,
    chosen: &Chosen,
    origin: Option<&Origin>,
    strict: bool,
    json: bool,
) -> CommandResult {
    let loaded = load(store, chosen, &chosen.cells, origin)?;
    let found = findings(&loaded);
    let count = |verdict: Verdict| found.iter().filter(|finding| finding.judged.verdict == verdict).count();
    if json {
        let claims: Vec<ClaimJson> = found
            .iter()
            .map(|finding| ClaimJson {
                id: finding.claim.id.clone(),
                paper: finding.claim.paper.clone(),
                says: finding.claim.says.clone(),
                verdict: finding.judged.verdict.name(),
                details: finding
                    .judged
                    .details
                    .iter()
                    .map(|d| (d.what.clone(), d.verdict.name(), d.text.clone()))
                    .collect(),
                disturbed: finding.disturbed,
            })
            .collect();
        output::json(&claims)?;
    } else {
        output::line(format_args!(
            "{} ({} of {} cells done)",
            chosen.experiment.name,
            loaded.done(),
            loaded.cells.len()
        ))?;
        for finding in &found {
            let paper = finding.claim.paper.as_ref().map(|paper| format!(" ({paper})")).unwrap_or_default();
            output::line(format_args!("\n{}{paper}: {}", finding.claim.id, finding.judged.verdict.name()))?;
            if !finding.claim.says.is_empty() {
                output::line(format_args!("  {}", finding.claim.says))?;
            }
            for detail in &finding.judged.details {
                let what = if detail.what.is_empty() { String::new() } else { format!("{}: ", detail.what) };
                let verdict = if finding.judged.details.len() > 1 {
                    format!(": {}", detail.verdict.name())
                } else {
                    String::new()
                };
                output::line(format_args!("  {what}{}{verdict}", detail.text))?;
            }
            if finding.disturbed > 0 {
                output::line(format_args!(
                    "  stands on {} that other work disturbed",
                    counted(finding.disturbed, "cell")
                ))?;
            }
        }
        let parts = [Verdict::Supported, Verdict::Held, Verdict::Inconclusive, Verdict::Contradicted];
        let mut text: Vec<String> =
            parts.iter().map(|verdict| format!("{} {}", count(*verdict), verdict.name())).collect();
        for verdict in [Verdict::Met, Verdict::MeanMet, Verdict::Unmet, Verdict::MeanUnmet, Verdict::Uncovered] {
            if count(verdict) > 0 {
                text.push(format!("{} {}", count(verdict), verdict.name()));
            }
        }
        output::line(format_args!("\n{}: {}", counted(found.len(), "claim"), text.join(", ")))?;
    }
    let open = [Verdict::Inconclusive, Verdict::Unmet, Verdict::MeanUnmet].into_iter().map(count).sum::<usize>();
    Ok(if count(Verdict::Contradicted) > 0 || strict && open > 0 { Exit::Claim } else { Exit::Ok })
}

pub(crate) fn plot(
    store: &Store,
    chosen: &Chosen,
    origin: Option<&Origin>,
    names: &[String],
    formats: &[PictureFormat],
    out: Option<&Path>,
) -> CommandResult {
    let loaded = load(store, chosen, &chosen.cells, origin)?;
    let folder = out.map_or_else(|| PathBuf::from("plots").join(&chosen.experiment.name), Path::to_owned);
    for picture in charts::write(&loaded, &folder, names, formats)? {
        output::line(picture.display())?;
    }
    Ok(Exit::Ok)
}

#[derive(Serialize)]
struct StatusJson<'a> {
    experiment: &'a str,
    tally: TallyJson,
    /// Cells whose host was disturbed while they ran.
    disturbed: usize,
    /// Done cells of which nobody knows whether it was.
    not_watched: usize,
    /// Their names.
    runs: Vec<&'a str>,
    /// Who executes the runs just now.
    runners: Vec<&'a RunnerJson>,
    /// How far each run is.
    progress: &'a [RunJson],
}

pub(crate) fn status(store: &Store, chosen: &Chosen, results: &Path, json: bool, identify: bool) -> CommandResult {
    let (progress, skipped) = runs_of(store, &chosen.experiment.name, identify)?;
    // A cell that was not tried is skipped if the newest run that planned it left it out.
    let states = chosen.cells.iter().zip(states(Some(store), &chosen.cells)?).map(|(cell, state)| match state {
        CellState::Pending if skipped.contains(&cell.key) => CellState::Skipped,
        state => state,
    });
    let tally: Tally = states.collect();
    let loaded = results::notes_of(store, &chosen.experiment, &chosen.cells)?;
    let (disturbed, not_watched) = (loaded.disturbed().count(), loaded.unwatched().count());
    if json {
        output::json(&StatusJson {
            experiment: &chosen.experiment.name,
            tally: tally.into(),
            disturbed,
            not_watched,
            runs: progress.iter().map(|run| run.name.as_str()).collect(),
            runners: progress.iter().flat_map(|run| &run.runners).collect(),
            progress: &progress,
        })?;
        return Ok(Exit::Ok);
    }
    output::line(format_args!("{}: {tally}", chosen.experiment.name))?;
    if disturbed + not_watched > 0 {
        output::line(format_args!("{disturbed} cells were disturbed while they ran, {not_watched} were not watched"))?;
    }
    runs::print(store, &progress, results, identify)?;
    Ok(Exit::Ok)
}

/// What there is to say of the runs of an experiment, and the cells that the newest that planned them skipped.
fn runs_of(store: &Store, experiment: &str, identify: bool) -> Result<(Vec<RunJson>, BTreeSet<CellKey>), Failure> {
    let (mut all, mut skipped) = (Vec::new(), BTreeSet::new());
    for id in store.generic_runs()? {
        let run = store.run(id.as_str())?;
        let plan = PlanDocument::of_run(&run)?.filter(|plan| plan.experiment == experiment);
        for cell in plan.iter().flat_map(|plan| &plan.cells) {
            if cell.state == CellState::Skipped {
                skipped.insert(cell.key)
            } else {
                skipped.remove(&cell.key)
            };
        }
        let planned = plan.map(|plan| plan.cells.iter().map(|cell| (cell.key, cell.reason)).collect::<Vec<_>>());
        all.push((run, planned));
    }
    let alone = runs::running_alone(store, all.iter().map(|(run, _)| run)).map(|run| run.id());
    let planned = all.iter().filter_map(|(run, planned)| Some((run, planned.as_ref()?)));
    let describe =
        |(run, planned): (&Run, &Vec<_>)| runs::describe(store, run, planned, alone == Some(run.id()), identify);
    Ok((planned.map(describe).collect::<Result<_, _>>()?, skipped))
}

/// What the user asked `matrix plan` for.
pub(crate) struct PlanOptions<'a> {
    pub(crate) results: &'a Path,
    pub(crate) file: &'a Path,
    pub(crate) text: String,
    pub(crate) filter: Option<&'a str>,
    pub(crate) shard: Option<matrix_core::Shard>,
    pub(crate) subset: Option<&'a str>,
    pub(crate) site: Option<&'a Path>,
    pub(crate) fresh: bool,
    pub(crate) cells: bool,
    pub(crate) json: bool,
}

pub(crate) fn plan(options: &PlanOptions<'_>) -> CommandResult {
    let PlanOptions { results, file, filter, subset, site, shard, .. } = *options;
    let input = super::run::with_subset(file, options.text.clone(), subset, site, Reading::Given)?;
    let mut chosen = super::run::chooser(&input, filter, subset, None, shard)?;
    // Nothing is executed by a plan: needs that a program tells are taken as met.
    super::run::unmet(&input, &mut chosen, false)?;
    let (products, unmade) = input.here.products.count();
    if unmade > 0 {
        output::note(format_args!(
            "note: {unmade} of {products} things to prepare are not made yet: `matrix run` makes them, and the keys of their cells follow"
        ));
    }
    let again = Again::all_if(options.fresh);
    let store = matrix_run::results::open_if_present(results, matrix_bundle::Limits::default())?;
    let plan = matrix_command::run::plan(store.as_deref(), &input, &chosen, &again)?;
    if options.json {
        output::json(&plan)?;
        return Ok(Exit::Ok);
    }
    if options.cells {
        print_cells(&input, &plan)?;
    }
    output::line(format_args!("{}: {}; {} to run", plan.experiment, plan.tally(), plan.to_run().count()))?;
    if !plan.not_randomised.is_empty() {
        output::line(format_args!("not randomised: {}", plan.not_randomised.join(", ")))?;
    }
    Ok(Exit::Ok)
}

fn print_cells(input: &Input, plan: &PlanDocument) -> Result<(), Failure> {
    let mut heads = vec!["key", "block"];
    heads.extend(input.experiment.axes.names());
    heads.extend(["round", "state", "runs"]);
    let mut table = output::table(&heads, &[1]);
    for (planned, cell) in plan.cells.iter().zip(&input.cells) {
        let mut line = vec![planned.key.short(), planned.block.to_string()];
        line.extend(cell.point.iter().map(ToString::to_string));
        let runs = if planned.reason.runs() { "yes" } else { "no" };
        line.extend([planned.round.to_string(), planned.state.to_string(), runs.to_owned()]);
        table.add_row(line);
    }
    output::line(table.trim_fmt())
}

pub(crate) fn export(
    store: &Store,
    chosen: &Chosen,
    filter: Option<&str>,
    origin: Option<&Origin>,
    files: &mut RowFiles<'_>,
) -> Result<(), Failure> {
    let cells = matching(chosen, filter)?;
    let loaded = load(store, chosen, &cells, origin)?;
    if loaded.read_otherwise() > 0 {
        return Err(read_otherwise());
    }
    let several = chosen.experiment.sources.len() > 1;
    for (number, source) in chosen.experiment.sources.iter().enumerate() {
        let source = several.then_some(source.name.as_str());
        files.write(source, loaded.done(), |form, _, out| Ok(results::export(store, &loaded, number, form, out)?))?;
    }
    Ok(())
}
