//! The table of reruns against an oracle, and plans that add up.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use matrix_core::{Again, Shard};

use super::{CellState, Part, Plan, Reason, Tally, warnings};
use crate::cell::{Cell, Fingerprint};
use crate::experiment::Experiment;
use crate::filter::Filter;
use crate::key::CellKey;
use crate::order::arrange;

fn experiment(settings: &str, post_storage: &str, delays: &str) -> Experiment {
    let text = format!(
        "schema = 1\nname = \"n\"\nrequests = 10\nrounds = 2\nseed = 18446744073709551615\n{settings}\n[[matrix]]\n\
         name = \"m\"\npost_storage = {post_storage}\nnotification_storage = [\"sns\"]\nregions = [\"eu->us\"]\n\
         delay_ms = {delays}\nantipode = [false, true]"
    );
    Experiment::parse(&text).unwrap()
}

fn cells(experiment: &Experiment) -> Vec<(u32, Cell)> {
    let fingerprint = Fingerprint::new(&()).unwrap();
    let placed = arrange(experiment.seed, experiment.cells()).into_iter();
    placed.map(|placed| (placed.block, placed.spec.with_fingerprint(fingerprint.clone(), 1).unwrap())).collect()
}

/// What a rerun does, said once more and from the other end: a cell runs if the filter lets it pass and either there is
/// no whole result of it or a fresh one is wanted.
fn runs(old: CellState, selected: bool, fresh: bool) -> bool {
    let whole_result = matches!(old, CellState::Done);
    selected && (!whole_result || fresh)
}

proptest! {
    #[test]
    fn a_plan_does_what_the_oracle_does_and_adds_up(
        old in prop::collection::vec(select(CellState::ALL.to_vec()), 24),
        filter in prop::option::of(select(vec!["antipode=on", "round=1", "delay_ms>0 and antipode=off", "round=9"])),
        fresh: bool,
    ) {
        let experiment = experiment("", "[\"mysql\", \"s3\"]", "[0, 5, 10]");
        let cells = cells(&experiment);
        let states: BTreeMap<CellKey, CellState> = cells.iter().zip(old).map(|((_, cell), old)| (cell.key, old)).collect();
        prop_assert_eq!(states.len(), 24);
        let parsed = filter.map(|text| Filter::parse(text, &experiment.regions).unwrap());
        let placed = cells.iter().map(|(block, cell)| (*block, cell));
        let plan = Plan::new(&experiment, &Part { filter: parsed.clone(), shard: None }, &Again::all_if(fresh), placed, |key| states[key]);
        prop_assert_eq!(plan.cells.len(), 24);
        for (planned, (block, cell)) in plan.cells.iter().zip(&cells) {
            prop_assert_eq!((planned.key, planned.block, planned.round), (cell.key, *block, cell.inputs.round));
            let selected = parsed.as_ref().is_none_or(|filter| filter.matches(&planned.axes, planned.round));
            let old = states[&planned.key];
            prop_assert_eq!(planned.reason.runs(), runs(old, selected, fresh), "{:?} {} {}", old, selected, fresh);
            // Done stays done whoever looks at it; what is left out and not done is skipped; what runs is never skipped.
            prop_assert_eq!(planned.state == CellState::Done, old == CellState::Done);
            prop_assert_eq!(planned.state == CellState::Skipped, !selected && old != CellState::Done);
        }
        prop_assert_eq!(plan.to_run().count(), plan.cells.iter().filter(|cell| cell.reason.runs()).count());
        let tally = plan.tally();
        prop_assert_eq!(tally.planned(), 24);
        prop_assert_eq!(tally.done + tally.partial + tally.failed + tally.skipped + tally.pending, 24);
        let json = serde_json::to_string(&plan).unwrap();
        prop_assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan);
    }

    #[test]
    fn every_cell_of_a_random_experiment_is_in_one_shard_together_with_its_pair(
        storages in subsequence(vec!["mysql", "dynamo", "s3", "redis"], 1..=4),
        delays in subsequence(vec![0, 5, 10, 100, 1000], 1..=5),
        rounds in 1u32..5,
        seed: u64,
        filter in prop::option::of(select(vec!["antipode=on", "round=1", "delay_ms>0 and antipode=off", "round!=2"])),
        of in 1u32..9,
    ) {
        let text = format!(
            "schema = 1\nname = \"n\"\nrequests = 10\nrounds = {rounds}\nseed = {seed}\n[[matrix]]\nname = \"m\"\n\
             post_storage = {storages:?}\nnotification_storage = [\"sns\"]\nregions = [\"eu->us\"]\n\
             delay_ms = {delays:?}\nantipode = [false, true]"
        );
        let experiment = Experiment::parse(&text).unwrap();
        let cells = cells(&experiment);
        let filter = filter.map(|text| Filter::parse(text, &experiment.regions).unwrap());
        let plan = |shard| {
            let placed = cells.iter().map(|(block, cell)| (*block, cell));
            Plan::new(&experiment, &Part { filter: filter.clone(), shard }, &Again::None, placed, |_| CellState::Pending)
        };
        let whole = plan(None);
        let shards: Vec<Plan> = (1..=of).map(|number| plan(Shard::new(number, of))).collect();
        let mut shard_of_pair = BTreeMap::new();
        for (at, cell) in whole.cells.iter().enumerate() {
            let having: Vec<usize> = (0..shards.len()).filter(|shard| shards[*shard].cells[at].reason.runs()).collect();
            prop_assert_eq!(having.len(), usize::from(cell.reason.runs()));
            if let [shard] = having[..] {
                // Both treatments of a round.
                let pair = (cell.axes.combination.post_storage, cell.axes.delay_ms, cell.round);
                prop_assert_eq!(*shard_of_pair.entry(pair).or_insert(shard), shard);
            }
        }
        let blocks = |plan: &Plan| plan.to_run().map(|cell| cell.block).collect::<BTreeSet<u32>>().len();
        let sizes: Vec<usize> = shards.iter().map(blocks).collect();
        prop_assert_eq!(sizes.iter().sum::<usize>(), blocks(&whole));
        prop_assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1);
    }

    #[test]
    fn a_tally_counts_every_cell_once_through_any_changes(
        states in prop::collection::vec(select(CellState::ALL.to_vec()), 0..50),
        changes in prop::collection::vec((0usize..50, select(CellState::ALL.to_vec())), 0..50),
    ) {
        let mut states = states;
        let mut tally: Tally = states.iter().copied().collect();
        for (cell, to) in changes {
            if let Some(state) = states.get_mut(cell) {
                tally.change(*state, to);
                *state = to;
            }
        }
        for state in CellState::ALL {
            prop_assert_eq!(tally.count(state), states.iter().filter(|other| **other == state).count() as u64);
        }
        prop_assert_eq!(tally.planned(), states.len() as u64);
    }
}

#[test]
fn each_reason_is_the_one_a_person_expects() {
    use CellState::{Done, Failed, Partial, Pending, Skipped};
    for (old, reason) in [
        (Done, Reason::Done),
        (Failed, Reason::Failed),
        (Partial, Reason::Partial),
        (Pending, Reason::Pending),
        (Skipped, Reason::Pending),
    ] {
        assert_eq!(Reason::of(old, true, false), reason);
        assert_eq!(Reason::of(old, false, true), Reason::Filtered);
    }
    assert_eq!(Reason::of(Done, true, true), Reason::Fresh);
    assert_eq!(Reason::of(Failed, true, true), Reason::Failed);
}

#[test]
fn a_plan_is_written_like_this() {
    let experiment = experiment("", "[\"mysql\"]", "[0]");
    let cells = cells(&experiment);
    let filter = Filter::parse("round=1", &experiment.regions).unwrap();
    let placed = cells.iter().map(|(block, cell)| (*block, cell));
    let plan = Plan::new(&experiment, &Part { filter: Some(filter), shard: None }, &Again::None, placed, |_| {
        CellState::Pending
    });
    let text = serde_json::to_string_pretty(&plan).unwrap();
    insta::assert_snapshot!(text);
    assert_eq!(Plan::parse(text.as_bytes()).unwrap(), plan);
    // As version 0.1.0 refused it.
    let null = text.replacen("\"fresh\"", "\"shard\": null, \"fresh\"", 1);
    assert!(Plan::parse(null.as_bytes()).unwrap_err().to_string().contains("invalid type: null"));
}

#[test]
fn aliased_factors_are_warned_of() {
    let said = |settings: &str, post_storage: &str, delays: &str| -> Vec<String> {
        let experiment = experiment(settings, post_storage, delays);
        let warnings = warnings(&experiment, &experiment.points.iter().collect::<Vec<_>>());
        warnings.into_iter().map(|warning| warning.message).collect()
    };
    let both = said("", "[\"mysql\", \"dynamo\", \"s3\"]", "[0, 100]");
    insta::assert_snapshot!(both.join("\n"));
    // Nothing is aliased when lengths agree, when there is one delay, or when the loop is open.
    assert_eq!(said("", "[\"mysql\", \"s3\"]", "[0]"), [""; 0]);
    assert_eq!(said("payload = 5", "[\"mysql\", \"dynamo\"]", "[0]"), [""; 0]);
    assert_eq!(said("rate = 5", "[\"mysql\"]", "[0, 100]"), [""; 0]);
    assert_eq!(said("", "[\"mysql\"]", "[0, 100]").len(), 1);
    // There is no warning about what a filter leaves out.
    let experiment = experiment("", "[\"mysql\", \"dynamo\"]", "[0, 100]");
    let cells = cells(&experiment);
    let warned = |filter: &str| {
        let part = Part { filter: Some(Filter::parse(filter, &experiment.regions).unwrap()), shard: None };
        let placed = cells.iter().map(|(block, cell)| (*block, cell));
        Plan::new(&experiment, &part, &Again::None, placed, |_| CellState::Pending).warnings.len()
    };
    assert_eq!(["round=1", "post_storage=dynamo", "delay_ms=0 and post_storage=dynamo"].map(warned), [2, 1, 0]);
}
