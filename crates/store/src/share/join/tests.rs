use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::fs::RealFilesystem;
use crate::journal::Event;
use crate::listing::list;
use crate::share::kept;
use crate::store::{Store, schema_of};

const NEW: NewRun<'_> =
    NewRun { time: "20261122T130000Z", name: "test", experiment: b"", model: None, plan: b"{\"schema\":3}" };

fn join(root: &Path) -> WritableStore {
    WritableStore::join_with(root, "test", Arc::new(RealFilesystem), None).unwrap()
}

fn key() -> CellKey {
    "ab".repeat(32).parse().unwrap()
}

/// Begins a run of this meaning that has one cell, for this reason.
fn begin(store: &WritableStore, meaning: &[u8], reason: Reason) -> (Run, Journal, bool) {
    store.join_run(&Digest::of(meaning), &NEW, &[(key(), reason)], &|_| Ok(true)).unwrap()
}

fn journals(run: &Run) -> usize {
    let is_journal = |name: &str| name.starts_with("journal");
    list(run.directory()).unwrap().iter().filter(|item| item.file().is_some_and(is_journal)).count()
}

fn schema(store: &WritableStore) -> Option<u32> {
    schema_of(&store.layout).unwrap()
}

#[test]
fn one_runner_after_another_writes_the_runs_journal_and_two_share_a_store_that_was_checked() {
    let folder = tempfile::tempdir().unwrap();
    let (root, meaning) = (folder.path(), Digest::of(b"same"));
    let (run, _, _) = begin(&join(root), b"same", Reason::Pending);
    for events in 2..4 {
        let store = join(root);
        let (taken, journal) = store.enter_run(store.run(run.id().as_str()).unwrap(), &meaning).unwrap();
        journal.append(&Event::Resumed).unwrap();
        let run = store.run(taken.id().as_str()).unwrap();
        assert_eq!((journals(&run), run.journal().lines), (1, events));
        assert_eq!((schema(&store), kept(&store.layout).unwrap()), (Some(1), None));
    }
    let (first, second) = (join(root), join(root));
    for store in [&first, &second] {
        store.enter_run(store.run(run.id().as_str()).unwrap(), &meaning).unwrap();
    }
    let store = join(root);
    assert_eq!(journals(&store.run(run.id().as_str()).unwrap()), 2);
    assert!(schema(&store) == Some(2) && kept(&store.layout).unwrap().is_some_and(|check| check.is_fit()));
    // Whoever comes later cannot know who wrote the run's own journal last.
    drop((first, second));
    store.enter_run(store.run(run.id().as_str()).unwrap(), &meaning).unwrap();
    assert_eq!(journals(&store.run(run.id().as_str()).unwrap()), 3);
}

#[test]
fn runners_of_different_runs_share_a_store_that_was_checked() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (join(folder.path()), join(folder.path()));
    let (one, _, _) = begin(&first, b"one", Reason::Pending);
    assert_eq!(kept(&first.layout).unwrap(), None);
    let (other, _, _) = begin(&second, b"other", Reason::Pending);
    assert!(one.id() != other.id() && kept(&first.layout).unwrap().is_some());
}

#[test]
fn a_run_that_is_taken_up_by_its_name_is_joined_by_who_begins_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let (run, _, _) = begin(&join(root), b"same", Reason::Pending);
    Store::create_or_open_for_writing(root, "gc").unwrap().collect_garbage().unwrap();
    assert_eq!(list(&root.join("claims")).unwrap(), []);
    let (first, second) = (join(root), join(root));
    first.enter_run(first.run(run.id().as_str()).unwrap(), &Digest::of(b"same")).unwrap();
    let (joined, _, is_new) = begin(&second, b"same", Reason::Pending);
    assert_eq!((joined.id(), is_new), (run.id(), false));
}

#[test]
fn a_run_that_makes_results_anew_is_gone_on_with_until_all_was_tried_or_it_is_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let begin = |reason| {
        let store = join(root);
        let meaning: &[u8] = if reason == Reason::Fresh { b"anew" } else { b"missing" };
        let (run, journal, is_new) = begin(&store, meaning, reason);
        (store, run, journal, is_new)
    };
    let (first, second) = (begin(Reason::Pending), begin(Reason::Pending));
    assert!(second.1.id() == first.1.id() && !second.3);
    drop((first, second));
    assert!(begin(Reason::Pending).3, "what is missing is run by a run of its own");
    let (_, killed, _, is_new) = begin(Reason::Fresh);
    assert!(is_new && killed.generation() == Some(1));
    let (store, again, journal, is_new) = begin(Reason::Fresh);
    assert_eq!((again.id(), again.generation(), is_new), (killed.id(), Some(1), false));
    let attempt = format!("20261122T130000Z-{}-1", key().short()).parse().unwrap();
    journal.append(&Event::Failed { attempt, cell: key(), error: String::new() }).unwrap();
    drop((store, journal));
    let (store, next, _, is_new) = begin(Reason::Fresh);
    assert!(is_new && next.id() != killed.id(), "every cell was tried");
    store.division(&next, &[], std::collections::BTreeSet::new()).unwrap().unwrap().remove().unwrap();
    drop(store);
    let (_, last, _, is_new) = begin(Reason::Fresh);
    assert!(is_new && last.id() != next.id(), "it was forgotten");
}

#[test]
fn a_run_that_does_not_fit_is_not_joined() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (join(folder.path()), join(folder.path()));
    let (run, _, _) = begin(&first, b"same", Reason::Pending);
    let fits = |found: &Run| Ok(found.id() != run.id());
    let (other, _, is_new) = second.join_run(&Digest::of(b"same"), &NEW, &[], &fits).unwrap();
    assert!(is_new && other.id() != run.id());
    // The pointer to the first run goes with its runner.
    first.division(&run, &[], std::collections::BTreeSet::new()).unwrap().unwrap().remove().unwrap();
    drop(first);
    let (joined, _, is_new) = begin(&join(folder.path()), b"same", Reason::Pending);
    assert_eq!((joined.id(), is_new), (other.id(), false));
}
