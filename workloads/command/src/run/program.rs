//! A program that is not there: refused once, before the first cell, instead of failing each of them.

use std::collections::BTreeSet;
use std::path::PathBuf;

use matrix_core::placeholder::{Segment, Template};
use matrix_core::{Point, Problem};
use toml::de::{DeTable, DeValue};

use super::Input;

/// What is wrong with the first word of `run` for these points, at its place in the experiment's text: a path that leads
/// to nothing, or a name that `PATH` does not have. None where that is not known before a cell runs: the word has
/// placeholders, a set-up may make the file, or `env` has another `PATH`.
#[must_use]
pub fn missing_program(input: &Input, points: &BTreeSet<Point>) -> Option<Problem> {
    let command = &input.experiment.command;
    let word = literal(command.run.first()?)?;
    let (what, help) = if word.contains('/') {
        if !command.setup.is_empty() {
            return None;
        }
        let folders: BTreeSet<PathBuf> = points.iter().map(|point| input.here.dir(&input.experiment, point)).collect();
        let gone = folders.iter().map(|folder| folder.join(&word)).find(|path| !path.exists())?;
        let gone: PathBuf = gone.components().collect();
        (
            format!("there is no {}", gone.display()),
            "paths are relative to `dir`, which is the file's folder without it",
        )
    } else {
        let path = std::env::var_os("PATH").filter(|_| !command.env.contains_key("PATH"))?;
        if std::env::split_paths(&path).any(|folder| folder.join(&word).exists()) {
            return None;
        }
        (format!("no folder of PATH has `{word}`"), "install it, or write a path: \"./NAME\" is beside the file")
    };
    let problem = Problem::new(format!("the program of `run` is not there: {what}")).label("not found").help(help);
    Some(match place(&input.text) {
        Some(place) => problem.at(place),
        None => problem,
    })
}

/// A text without placeholders.
fn literal(template: &Template) -> Option<String> {
    let parts = template.segments().iter().map(|segment| match segment {
        Segment::Literal(text) => Some(text.as_str()),
        _ => None,
    });
    parts.collect()
}

/// Where the first word of `run` stands.
fn place(text: &str) -> Option<std::ops::Range<usize>> {
    let (document, _) = DeTable::parse_recoverable(text);
    let DeValue::Table(command) = document.get_ref().get("command")?.get_ref() else { return None };
    match command.get("run")?.get_ref() {
        DeValue::Array(words) => Some(words.first()?.span()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn missing(command: &str, folder: &Path) -> Option<String> {
        let text = format!(
            "schema = 2\nname = \"kv\"\nworkload = \"command\"\nrounds = 1\nseed = 1\n[axes]\nthreads = [1, 2]\n[command]\n{command}\n[[metric]]\nname = \"time\"\nis = \"run.wall_s\"\n"
        );
        let input = Input::new("kv.toml", text.clone(), folder, None).unwrap();
        let points = input.experiment.points.iter().cloned().collect();
        missing_program(&input, &points).map(|problem| text[problem.span.clone().unwrap()].to_owned())
    }

    #[test]
    fn a_program_that_is_not_there_is_found_before_it_runs_and_one_that_may_come_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let found = |command: &str| missing(command, folder.path());
        assert_eq!(found("run = [\"./bench\"]").as_deref(), Some("\"./bench\""));
        assert_eq!(found("run = [\"no-such-program-0\", \"x\"]").as_deref(), Some("\"no-such-program-0\""));
        assert_eq!(found("run = [\"sh\"]"), None);
        assert_eq!(found("run = [\"./bench{threads}\"]"), None);
        assert_eq!(found("run = [\"./bench\"]\nsetup = [[\"make\", \"bench\"]]"), None);
        assert_eq!(found("run = [\"tool\"]\nenv = { PATH = \"/opt/tools\" }"), None);
        std::fs::create_dir(folder.path().join("1")).unwrap();
        std::fs::write(folder.path().join("1/bench"), "").unwrap();
        assert!(found("run = [\"./bench\"]\ndir = \"{threads}\"").is_some(), "2/bench is not there");
        std::fs::write(folder.path().join("bench"), "").unwrap();
        assert_eq!(found("run = [\"./bench\"]"), None);
    }
}
