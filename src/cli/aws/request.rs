//! From what the person typed to what is asked for.

use std::collections::BTreeSet;
use std::path::Path;

use matrix_aws::{Datastore, SetupRequest};
use matrix_plan::{Experiment, Region, Regions};
use matrix_run::experiment_of;

use crate::cli::aws::SetupArgs;
use crate::exit::Failure;

/// The regions of the original, where nobody names others; the writer's first.
pub(super) const REGIONS: [&str; 3] = ["eu", "us", "sg"];

/// The experiment of a file, if one is named.
pub(super) fn experiment(file: Option<&Path>) -> Result<Option<Experiment>, Failure> {
    Ok(file.map(experiment_of).transpose()?)
}

/// What a set-up is asked for.
pub(super) fn request(args: &SetupArgs, experiment: Option<&Experiment>) -> Result<SetupRequest, Failure> {
    let known = experiment.map_or_else(Regions::built_in, |experiment| experiment.regions.clone());
    let regions = match (args.regions.is_empty(), experiment) {
        (false, _) => named(&args.regions, &known)?,
        (true, Some(experiment)) => of_experiment(experiment)?,
        (true, None) => named(&REGIONS.map(str::to_owned), &known)?,
    };
    let stores = match (args.stores.is_empty(), experiment) {
        (false, _) => args.stores.iter().map(|name| store(name)).collect::<Result<_, _>>()?,
        (true, Some(experiment)) => Datastore::needed_by(&experiment.points),
        (true, None) => Datastore::ALL.into(),
    };
    let mut regions = regions.into_iter();
    let writer = regions.next().ok_or_else(|| {
        Failure::usage(
            "--regions names no region",
            "name the writer's region, then the readers', as in --regions eu,us",
        )
    })?;
    let services = experiment.map(|experiment| experiment.aws.services.clone()).unwrap_or_default();
    Ok(SetupRequest {
        name: args.place.name.clone(),
        writer,
        readers: regions.collect(),
        regions: known,
        stores,
        services,
        write_units: experiment.and_then(matrix_aws::setup::write_units),
    })
}

/// Regions by their short names.
pub(super) fn named(names: &[String], known: &Regions) -> Result<Vec<Region>, Failure> {
    let region = |name: &String| {
        let region = Region::new(name.trim()).filter(|region| known.aws_name(region).is_some());
        region.ok_or_else(|| {
            let list: Vec<&str> = known.iter().map(|(region, _)| region.as_str()).collect();
            Failure::usage(
                format!("--regions {}: unknown region `{name}`", names.join(",")),
                format!(
                    "regions: {}; more can be declared in [regions] of an experiment: name its FILE, too",
                    list.join(", ")
                ),
            )
        })
    };
    names.iter().map(region).collect()
}

/// The regions of an experiment, which has one writer's region.
fn of_experiment(experiment: &Experiment) -> Result<Vec<Region>, Failure> {
    let pairs: BTreeSet<_> = experiment.points.iter().map(|point| point.combination.regions.clone()).collect();
    let writers: BTreeSet<&Region> = pairs.iter().map(|pair| &pair.writer).collect();
    if writers.len() > 1 {
        let names: Vec<&str> = writers.iter().map(|writer| writer.as_str()).collect();
        return Err(Failure::usage(
            format!("the experiment writes in {}, and a set-up has one writer's region", names.join(" and ")),
            "name the regions: --regions eu,us; a second set-up (--name) can serve the other way",
        ));
    }
    let readers: BTreeSet<&Region> = pairs.iter().map(|pair| &pair.reader).collect();
    Ok(writers.into_iter().chain(readers).cloned().collect())
}

fn store(name: &str) -> Result<Datastore, Failure> {
    let wanted = match name.trim() {
        // The original's names.
        "cache" => "redis",
        "mq" => "amq",
        other => other,
    };
    Datastore::ALL.into_iter().find(|store| store.as_str() == wanted).ok_or_else(|| {
        let list: Vec<&str> = Datastore::ALL.iter().map(|store| store.as_str()).collect();
        Failure::usage(format!("--stores: no datastore is called `{name}`"), format!("datastores: {}", list.join(", ")))
    })
}
