//! Rows that were read in another way than an experiment says.

use std::path::Path;

use matrix_command::Experiment;
use matrix_command::results::{findings, load, summary};
use matrix_command::run::{Input, Part, Session};
use matrix_core::Again;

use super::fixture::{EXPERIMENT, faster, store};
use crate::Chosen;
use crate::page::of_bundle;

#[test]
fn rows_that_were_read_under_another_unit_give_no_number_and_claims_say_why() {
    let folder = tempfile::tempdir().unwrap();
    let text = EXPERIMENT.replace("unit = \"us\"", "unit = \"s\"");
    let store = store(folder.path(), EXPERIMENT, None, faster(4));
    let Chosen { experiment, cells, .. } = Chosen::only(&store).unwrap().unwrap();
    let read = load(&store, &experiment, &cells, None).unwrap();
    assert_eq!((read.read_otherwise(), read.of_reading()), (0, None));
    assert!(read.metrics[0].iter().all(Option::is_some));

    let other = Experiment::parse(&text).unwrap();
    let read = load(&store, &other, &cells, None).unwrap();
    assert_eq!((read.done(), read.read_otherwise()), (18, 18));
    assert!(read.metrics[0].iter().all(Option::is_none), "{:?}", read.metrics);
    assert!(summary(&read).1.iter().all(|line| line.last().is_some_and(|value| value == "DNF")));
    let found = findings(&read);
    assert_eq!(found[0].judged.verdict.name(), "inconclusive");
    assert!(
        found[0].judged.details.iter().any(|detail| detail.text.contains("rows of 18 cells were read in another way"))
    );

    // What the program left was not kept: a run cannot read it again, and the page says so.
    let input = Input::new("kv.toml", text, Path::new("."), None).unwrap();
    let part = Part::new(&input, None, None, &|_| true).unwrap();
    let begun = Session::begin(folder.path(), &input, None, &part, &Again::None, None).unwrap();
    assert_eq!((begun.reread, begun.unreadable.len(), begun.saved.is_some()), (0, 18, true));
    let page = String::from_utf8(of_bundle(&store, &["kv"]).unwrap()).unwrap();
    assert!(page.contains("<li class=\"label-disturbed\">rows of 18 cells were read in another way"), "{page}");
}
