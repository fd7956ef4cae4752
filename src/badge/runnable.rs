//! What has to be there to be built and run.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use matrix_figures::Figure;
use matrix_plan::claims::Check as ClaimCheck;
use matrix_plan::{Experiment, Platform};
use matrix_run::read_model;

use super::{Check, Finding, Subject};
use crate::output;

/// Most requests of an experiment that is a first look.
const SMALL: u64 = 10_000;

/// The names below a folder of the project, in order.
pub(super) fn names(subject: &Subject, folder: &str) -> Result<Vec<String>, Finding> {
    let failed =
        |error: std::io::Error| Finding::fail(format!("{folder}: {error}"), format!("make the folder {folder}"));
    let mut names = Vec::new();
    for entry in std::fs::read_dir(subject.project.join(folder)).map_err(failed)? {
        names.push(entry.map_err(failed)?.file_name().to_string_lossy().into_owned());
    }
    names.sort_unstable();
    Ok(names)
}

/// The folders of the libraries: of the generic ones, and of each workload.
pub(super) fn libraries(subject: &Subject) -> Result<Vec<String>, Finding> {
    let mut libraries = Vec::new();
    for folder in ["crates", "workloads", "workloads/post-notification"] {
        libraries.extend(names(subject, folder)?.into_iter().map(|name| format!("{folder}/{name}")));
    }
    libraries.retain(|folder| folder != "workloads/post-notification" && subject.project.join(folder).is_dir());
    Ok(libraries)
}

/// An experiment's file, and what it says, or what is wrong with it.
type Read = (String, Result<Experiment, String>);

/// The experiments by file; one that cannot be read is told as such.
pub(super) fn experiments(subject: &Subject) -> Result<Vec<Read>, Finding> {
    let files = names(subject, "experiments")?.into_iter().filter(|name| name.ends_with(".toml"));
    let mut found = Vec::new();
    for file in files {
        let file = format!("experiments/{file}");
        let text = subject.read(&file)?;
        // Those that run programs are read by their own parser.
        if !matrix_command::file::is_schema_2(&text) {
            found.push((file, Experiment::parse(&text).map_err(|problems| problems.to_string())));
        }
    }
    Ok(found)
}

/// How many experiments of the project run programs; one that is not understood is a fault.
fn programs(subject: &Subject) -> Result<usize, Finding> {
    let mut understood = 0;
    for name in names(subject, "experiments")?.into_iter().filter(|name| name.ends_with(".toml")) {
        let file = format!("experiments/{name}");
        let text = subject.read(&file)?;
        if matrix_command::file::is_schema_2(&text) {
            matrix_command::Experiment::parse(&text).map_err(|problems| {
                let mend = format!("`matrix plan {}` shows the place", output::word(file.as_ref()));
                Finding::fail(format!("{file}: {problems}"), mend)
            })?;
            understood += 1;
        }
    }
    Ok(understood)
}

pub(super) fn example(subject: &Subject) -> Check {
    let (mut small, mut all) = (Vec::new(), programs(subject)?);
    for (file, experiment) in experiments(subject)? {
        let experiment = experiment.map_err(|problems| {
            let mend = format!("`matrix plan {}` shows the place", output::word(file.as_ref()));
            Finding::fail(format!("{file}: {problems}"), mend)
        })?;
        all += 1;
        let requests = experiment.requests.saturating_mul(experiment.cells().len() as u64);
        if experiment.platform == Platform::Sim && requests <= SMALL {
            small.push(format!("{file} ({requests} requests)"));
        }
    }
    if small.is_empty() {
        let seen = format!("none of {all} simulated experiments has at most {SMALL} requests");
        return Err(Finding::fail(seen, "`matrix init experiments/quick.toml` writes a small one"));
    }
    Ok(format!("{all} experiments are understood; small: {}", small.join(", ")))
}

pub(super) fn claims(subject: &Subject) -> Check {
    let (mut sourced, mut files) = (0, Vec::new());
    for (file, experiment) in experiments(subject)? {
        let Ok(experiment) = experiment else { continue };
        let published =
            |claim: &&matrix_plan::Claim| claim.source.is_some() && matches!(claim.check, ClaimCheck::Metric { .. });
        let count = experiment.claims.iter().filter(published).count();
        if count > 0 {
            sourced += count;
            files.push(file);
        }
    }
    if sourced == 0 {
        let seen = "no experiment has a claim about a metric with its source";
        return Err(Finding::fail(seen, "add [[claim]] with metric, bound and source to an experiment"));
    }
    Ok(format!("{sourced} claims with published numbers and their sources in {}", files.join(", ")))
}

pub(super) fn models(subject: &Subject) -> Check {
    let mut models = Vec::new();
    for (file, experiment) in experiments(subject)? {
        let Ok(experiment) = experiment else { continue };
        if experiment.platform == Platform::Sim {
            let folder = subject.project.join("experiments");
            let name = &experiment.sim.model;
            if read_model(name.as_ref(), &folder).is_err() {
                let seen = format!("{file} names the model {name}, which cannot be read");
                let mend = format!("`matrix plan {}` shows what is wrong", output::word(file.as_ref()));
                return Err(Finding::fail(seen, mend));
            }
            models.push(name.clone());
        }
    }
    models.sort();
    models.dedup();
    if models.is_empty() {
        return Err(Finding::fail("no experiment is simulated", "add one"));
    }
    Ok(format!("readable: {}", models.join(", ")))
}

/// A script that can be started.
fn script(subject: &Subject, name: &str) -> Check {
    let text = subject.read(name)?;
    let mode = std::fs::metadata(subject.project.join(name)).map(|metadata| metadata.permissions().mode());
    if !text.starts_with("#!") || !mode.is_ok_and(|mode| mode & 0o111 != 0) {
        return Err(Finding::fail(
            format!("{name} cannot be started"),
            format!("begin it with #! and `chmod +x {name}`"),
        ));
    }
    Ok(format!("{name} can be started"))
}

pub(super) fn tests(subject: &Subject) -> Check {
    script(subject, "scripts/test")
}

pub(super) fn system_needs(subject: &Subject) -> Check {
    script(subject, "scripts/install-test-needs")
}

pub(super) fn ci(subject: &Subject) -> Check {
    match names(subject, ".github/workflows") {
        Ok(workflows) if !workflows.is_empty() => Ok(format!(".github/workflows: {}", workflows.join(", "))),
        _ => script(subject, ".ci/run"),
    }
}

/// What the README links to below `plots/`, if there is a README: files, and folders that end in `/`.
fn linked_plots(subject: &Subject) -> BTreeSet<String> {
    let text = subject.read("README.md").unwrap_or_default();
    let links = text.split("](").skip(1).filter_map(|rest| rest.split_once([')', ' ', '#']));
    links.map(|(link, _)| link).filter(|link| link.starts_with("plots/")).map(str::to_owned).collect()
}

pub(super) fn figures(subject: &Subject) -> Check {
    let linked = linked_plots(subject);
    // The folder of each link, `plots/NAME`: it has to be whole.
    let promised: BTreeSet<&str> = linked.iter().filter_map(|link| link.split('/').nth(1)).collect();
    let mut missing: Vec<String> = linked.iter().filter(|link| !subject.project.join(link).exists()).cloned().collect();
    let (mut drawn, mut incomplete) = (Vec::new(), Vec::new());
    let there = names(subject, "plots").unwrap_or_default();
    for folder in promised.iter().copied().chain(there.iter().map(String::as_str)).collect::<BTreeSet<_>>() {
        let file = |figure: &Figure, end: &str| PathBuf::from("plots").join(folder).join(format!("{figure}.{end}"));
        let good = |figure: &Figure| {
            let read = |end: &str| std::fs::read_to_string(subject.project.join(file(figure, end))).unwrap_or_default();
            read("svg").contains("<svg") && read("csv").lines().count() > 1
        };
        let lacks: Vec<Figure> = Figure::ALL.into_iter().filter(|figure| !good(figure)).collect();
        if lacks.is_empty() {
            drawn.push(format!("plots/{folder}"));
        }
        let lacks = lacks.iter().map(|figure| file(figure, "svg").display().to_string());
        if promised.contains(folder) { missing.extend(lacks) } else { incomplete.extend(lacks) }
    }
    if drawn.is_empty() {
        missing.extend(incomplete);
    }
    if drawn.is_empty() || !missing.is_empty() {
        missing.sort();
        missing.dedup();
        let seen = format!("without a figure or its table: {}", missing.join(", "));
        return Err(Finding::fail(seen, "`matrix run experiments/sosp.toml --plot` draws them all"));
    }
    Ok(format!("every figure with its table in {}", drawn.join(", ")))
}
