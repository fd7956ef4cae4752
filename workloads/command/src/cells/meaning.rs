//! What gives a point its meaning: the inputs of its cells' keys, but for round and seed.

use std::collections::BTreeMap;

use matrix_core::Point;
use matrix_core::placeholder::Template;
use serde_json::json;

use super::{CellError, Here, input_files, services_of, symbolic};
use crate::file::{Experiment, Ready, Service, Stop};
use crate::inputs::{Digests, InputFile};
use crate::prepare::Product;

/// Everything that gives a point its meaning, but for round and seed.
pub(super) fn meaning(
    experiment: &Experiment,
    here: &Here,
    digests: &mut Digests,
    point: &Point,
) -> Result<serde_json::Value, CellError> {
    let mut meaning = meaning_of_text(experiment, point)?;
    let products: BTreeMap<&str, &Product> = here.products.of_point(experiment, point).collect();
    // What is still to be made may be where the inputs are: until then the key is not the final one.
    if products.values().all(|product| product.digest.is_some()) {
        for InputFile { name, sha256, executable, .. } in input_files(experiment, here, digests, point)? {
            meaning["command"]["inputs"][name] = json!({ "executable": executable, "sha256": sha256 });
        }
    }
    // Without anything prepared there is no word of it, so that keys stay what they were.
    if !products.is_empty() {
        meaning["prepared"] =
            products.iter().map(|(name, product)| ((*name).to_owned(), json!(product.digest))).collect();
    }
    Ok(meaning)
}

/// The part of a point's meaning that its experiment's text alone gives: without files and what is prepared.
pub(super) fn meaning_of_text(experiment: &Experiment, point: &Point) -> Result<serde_json::Value, CellError> {
    let command = &experiment.command;
    let list = |name: &'static str, templates: &[Template]| {
        let arguments = symbolic(experiment, point, templates);
        if arguments.is_empty() {
            return Err(CellError::NoProgram { list: name, point: experiment.axes.show(point) });
        }
        Ok(arguments)
    };
    let lists = |name: &'static str, lists: &[Vec<Template>]| {
        lists.iter().map(|templates| list(name, templates)).collect::<Result<Vec<_>, _>>()
    };
    let env: BTreeMap<&str, String> =
        command.env.iter().map(|(name, template)| (name.as_str(), template.symbolic(point))).collect();
    let mut pass = command.pass.clone();
    pass.sort();
    let mut services = Vec::new();
    for service in services_of(experiment, point) {
        services.push(service_meaning(service, point, list("run", &service.run)?, &|templates| {
            symbolic(experiment, point, templates)
        }));
    }
    let mut meaning = json!({
        "axes": experiment.axes.to_json(point),
        "command": {
            "dir": command.dir.symbolic(point),
            "env": env,
            "inputs": {},
            "pass": pass,
            "run": list("run", &command.run)?,
            "setup": lists("setup", &command.setup)?,
            "teardown": lists("teardown", &command.teardown)?,
            "timeout_s": command.timeout_s.symbolic(point),
            "warmup": command.warmup,
        },
        "schema": 2,
        "services": services,
        "version": crate::WORKLOAD_VERSION,
        "workload": crate::WORKLOAD,
    });
    if command.as_root {
        meaning["command"]["as"] = "root".into();
    }
    Ok(meaning)
}

fn service_meaning(
    service: &Service,
    point: &Point,
    run: Vec<String>,
    symbolic: &dyn Fn(&[Template]) -> Vec<String>,
) -> serde_json::Value {
    let ready = match &service.ready {
        Ready::Started => "started".to_owned(),
        Ready::Tcp(port) => format!("tcp:{}", port.symbolic(point)),
        Ready::Http(address) => address.symbolic(point),
        Ready::Line(line) => format!("line:{}", line.symbolic(point)),
    };
    let stop = match &service.stop {
        Stop::Signal(signal) => json!(signal),
        Stop::Command(arguments) => json!(symbolic(arguments)),
    };
    let mut meaning =
        json!({ "name": service.name, "ready": ready, "run": run, "stop": stop, "until_exit": service.until_exit });
    // Only where it is so, that the keys of others stay what they were.
    if service.as_root {
        meaning["as"] = "root".into();
    }
    if let Some(on) = &service.on {
        meaning["on"] = on.as_str().into();
    }
    if let Some(dir) = &service.dir {
        meaning["dir"] = dir.symbolic(point).into();
    }
    if !service.env.is_empty() {
        meaning["env"] = service.env.iter().map(|(name, value)| (name.clone(), json!(value.symbolic(point)))).collect();
    }
    meaning
}
