//! What a change of the experiment runs again.

use std::path::Path;
use std::sync::Arc;

use matrix_plan::{Again, Part, Tally};
use matrix_store::Store;
use matrix_store::fs::RealFilesystem;

use super::{EXPERIMENT, go_on, results};
use crate::{Input, Overrides, SessionEnd, apply};

/// Runs what is left of an experiment.
fn run(root: &Path, text: &str) {
    let input = Input::from_text(text).unwrap();
    assert_eq!(go_on(root, &input, Arc::new(RealFilesystem)).unwrap(), SessionEnd::Complete);
}

fn tally(root: &Path, text: &str) -> Tally {
    let (store, input) = (Store::open(root).unwrap(), Input::from_text(text).unwrap());
    crate::states::plan(Some(&store), &input, &Part::default(), &Again::None).unwrap().tally()
}

#[test]
fn a_new_value_of_an_axis_runs_only_its_cells() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("results");
    run(&root, EXPERIMENT);
    let before = results(&root);
    let more = EXPERIMENT.replace("delay_ms = [0]", "delay_ms = [0, 850]");
    assert_eq!(tally(&root, &more), Tally { done: 4, pending: 4, ..Tally::default() });
    run(&root, &more);
    let after = results(&root);
    assert!(before.iter().all(|(path, bytes)| after.get(path) == Some(bytes)));
    assert_eq!(after.keys().filter(|path| path.starts_with("cells")).count(), 8);
}

#[test]
fn overrides_change_the_saved_experiment_and_the_keys() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("results");
    let set = ["requests=10", "barrier.max_ms=20"].map(str::to_owned).to_vec();
    let text = apply("crash.toml", EXPERIMENT.to_owned(), &Overrides { set, platform: None }).unwrap();
    run(&root, &text);
    assert_eq!(tally(&root, EXPERIMENT), Tally { pending: 4, ..Tally::default() });
    let store = Store::open(&root).unwrap();
    let saved = store.run(store.runs().unwrap()[0].as_str()).unwrap().experiment().unwrap();
    let saved = String::from_utf8(saved).unwrap();
    assert!(saved.contains("requests = 10") && saved.contains("max_ms = 20"), "{saved}");
}
