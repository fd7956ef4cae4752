//! What running an experiment would run: an experiment that came in a bundle is asked about first.

use std::collections::BTreeSet;

use matrix_command::file::{Experiment, Making, Service, Stop};
use matrix_core::placeholder::Template;

/// Everything that running an experiment runs or loads, in words: each distinct program once.
#[must_use]
pub fn wants(experiment: &Experiment) -> Vec<String> {
    let command = &experiment.command;
    let mut lists: Vec<&[Template]> = vec![&command.run];
    lists.extend(command.setup.iter().chain(&command.teardown).chain(&command.version).map(Vec::as_slice));
    lists.extend(experiment.requires.iter().filter_map(|require| require.run.as_deref()));
    for service in &command.services {
        lists.push(&service.run);
        if let Stop::Command(arguments) = &service.stop {
            lists.push(arguments);
        }
    }
    let mut downloads = BTreeSet::new();
    for prepare in &experiment.prepares {
        match &prepare.making {
            Making::Run(arguments) => lists.push(arguments),
            Making::Fetch { url, sha256 } => drop(downloads.insert(format!("downloads {url} (SHA-256 {sha256})"))),
        }
    }
    let mut programs = BTreeSet::new();
    for point in &experiment.points {
        for arguments in &lists {
            let flat = matrix_command::cells::flat(experiment, point, arguments);
            let words: Vec<String> = flat.iter().map(|template| template.symbolic(point)).collect();
            programs.extend(program_of(&words));
        }
    }
    let as_root = command.as_root.then(|| "runs its program, set-up and teardown as root".to_owned());
    let services = command.services.iter().filter(|service| service.as_root);
    let services = services.map(|service| format!("runs the service {} as root", service.name));
    let remote = |service: &Service| {
        let host = service.on.as_ref()?;
        let destination = experiment.site.hosts.get(host).and_then(Option::as_ref);
        let place = destination.map_or_else(|| "where --site says".to_owned(), ToString::to_string);
        Some(format!("runs the service {} by ssh on the host {host}: {place}", service.name))
    };
    let remote = command.services.iter().filter_map(remote);
    let runs = programs.into_iter().map(|program| format!("runs {program}"));
    runs.chain(as_root).chain(services).chain(remote).chain(downloads).collect()
}

/// The program of an argument list; of a shell, what it is given to run as well.
fn program_of(words: &[String]) -> Option<String> {
    let program = words.first()?;
    let name = program.rsplit('/').next().unwrap_or(program);
    let script = words.iter().skip_while(|word| *word != "-c").nth(1);
    let is_shell = ["sh", "bash", "dash", "zsh", "ksh", "python", "python3", "perl"].contains(&name);
    Some(match script.filter(|_| is_shell) {
        Some(script) => format!("{program} -c {script}"),
        None => program.clone(),
    })
}
