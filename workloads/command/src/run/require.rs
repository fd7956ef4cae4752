//! Which cells this machine cannot run, and why.

use std::collections::BTreeMap;

use matrix_core::Point;
use matrix_core::placeholder::{Segment, Template};
use matrix_driver::Cancel;
use matrix_host::memory_bytes;

use super::Input;
use crate::cells::flat;
use crate::file::{PASSED, Require, bytes, processors};
use crate::probe::{self, Probe};

/// How long a program may take that says whether a need is met, in milliseconds.
const LIMIT_MS: u64 = 60_000;

/// Why points of an experiment cannot be run here. With `programs`, programs that say so are run; without, those needs
/// are taken as met.
///
/// # Errors
/// When an amount is none, or a program cannot be run, in words.
pub fn unmet(input: &Input, programs: bool) -> Result<BTreeMap<Point, String>, String> {
    let mut found = BTreeMap::new();
    for point in &input.experiment.points {
        for require in &input.experiment.requires {
            let needed = require.only.as_ref().is_none_or(|filter| filter.matches(&|axis| point.get(axis)));
            if needed && !found.contains_key(point) && !is_met(input, require, point, programs)? {
                found.insert(point.clone(), require.otherwise.clone());
            }
        }
    }
    Ok(found)
}

fn is_met(input: &Input, require: &Require, point: &Point, programs: bool) -> Result<bool, String> {
    let text = |template: &Template| {
        let rest = |segment: &Segment| {
            let text = input.here.text_for(&input.experiment, point, segment);
            text.ok_or_else(|| "a [[require]] knows nothing of a run's own placeholders".to_owned())
        };
        template.render(point, &rest)
    };
    if let Some(cpus) = &require.cpus {
        let cpus = text(cpus)?;
        let needed = processors(&cpus).map_err(|_| format!("`cpus` of a [[require]] is `{cpus}`: no number"))?;
        if std::thread::available_parallelism().map_or(1, usize::from) < needed {
            return Ok(false);
        }
    }
    let amount = |template: &Template| -> Result<f64, String> {
        let text = text(template)?;
        bytes(&text).map_err(|why| format!("`{text}`: {why}"))
    };
    if let Some(memory) = &require.memory
        && (memory_bytes().unwrap_or(f64::MAX)) < amount(memory)?
    {
        return Ok(false);
    }
    if let Some(disk) = &require.disk {
        let scratch = input.here.folder.join(input.here.text(&Segment::Site("scratch".to_owned())).unwrap_or_default());
        let free = rustix::fs::statvfs(&scratch).map_err(|error| format!("{}: {error}", scratch.display()))?;
        if (free.f_bavail as f64) * (free.f_frsize as f64) < amount(disk)? {
            return Ok(false);
        }
    }
    match &require.run {
        Some(arguments) if programs => {
            let arguments =
                flat(&input.experiment, point, arguments).into_iter().map(text).collect::<Result<_, _>>()?;
            ends_well(input, arguments, point)
        }
        _ => Ok(true),
    }
}

fn ends_well(input: &Input, arguments: Vec<String>, point: &Point) -> Result<bool, String> {
    let (supervisors, env) = (probe::supervisors()?, probe::environment(PASSED));
    let dir = input.here.dir(&input.experiment, point);
    let ended = Probe::run(&supervisors, arguments, env, &dir, LIMIT_MS, &Cancel::default())?.ended;
    match ended.not_started {
        Some(why) => Err(format!("[[require]]: {why}")),
        None => Ok(ended.is_success()),
    }
}
