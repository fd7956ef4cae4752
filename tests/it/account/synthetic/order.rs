//! What set-ups and cleanings do, in which order, whatever interrupts them.

use proptest::prelude::*;

use super::faults::Fault;
use super::lab::{Lab, STORES};

/// Asserts the order of a story: each pair has its first side before its second. A side is the beginning of a line.
fn in_order(story: &[String], pairs: &[(&str, &str)]) {
    let at = |line: &str| {
        let found = story.iter().position(|told| told.starts_with(line));
        found.unwrap_or_else(|| panic!("`{line}` did not happen in {story:#?}"))
    };
    for (first, second) in pairs {
        assert!(at(first) < at(second), "`{first}` is not before `{second}` in {story:#?}");
    }
}

fn done(story: &[String], what: &str) -> usize {
    story.iter().filter(|told| told.starts_with(what)).count()
}

#[test]
fn a_synthetic_set_up_is_made_kept_examined_and_removed_in_order() {
    let lab = Lab::new();
    let refused = lab.matrix(&["aws", "setup", "--regions", "eu,us", "--stores", STORES]).code(2);
    refused.err_has("--yes").out_has("matrix-amq");
    let plan =
        lab.matrix(&["aws", "setup", "--regions", "eu,us", "--stores", STORES, "--plan", "--format", "json"]).code(0);
    let planned = plan.json()["stacks"].as_array().unwrap().len();
    assert!(lab.cloud().story.is_empty(), "a plan does nothing");

    lab.set_up(STORES, &[]).code(0);
    let story = std::mem::take(&mut lab.cloud().story);
    assert_eq!(done(&story, "create"), planned);
    in_order(
        &story,
        &[
            ("create matrix-network in eu", "create matrix-amq in us"),
            ("create matrix-network in us", "create matrix-amq in us"),
            ("create matrix-amq in us", "create matrix-amq in eu"),
            ("create matrix-secrets in eu", "create matrix-mysql in eu"),
            ("create matrix-mysql in eu", "create matrix-mysql in us"),
            ("create matrix-redis in eu", "create matrix-redis-global in eu"),
            ("create matrix-redis-global in eu", "create matrix-redis in us"),
        ],
    );
    let info = lab.bench.read("connection_info.yaml");
    assert!(!info.contains("synthetic") && info.contains("arn:aws:secretsmanager"), "{info}");

    lab.set_up(STORES, &[]).code(0).err_has("nothing had to be changed");
    assert!(lab.cloud().story.is_empty(), "{:?}", lab.cloud().story);
    assert_eq!(lab.bench.read("connection_info.yaml"), info);

    let examined = lab.matrix(&["aws", "doctor"]).out;
    assert!(examined.contains("GlobalReplicationGroup") && examined.contains("2 members, available"), "{examined}");
    assert!(examined.contains("not checked  mysql at"), "{examined}");

    lab.matrix(&["aws", "clean"]).code(2).err_has("--yes");
    lab.clean(&[]).code(0).out_has("nothing");
    let story = std::mem::take(&mut lab.cloud().story);
    assert_eq!((done(&story, "gone"), done(&story, "held")), (planned, 0), "{story:#?}");
    in_order(
        &story,
        &[
            ("gone matrix-redis-global in eu", "delete matrix-redis in us"),
            ("gone matrix-amq in eu", "delete matrix-amq in us"),
            ("gone matrix-amq in us", "delete matrix-network in us"),
            ("gone matrix-mysql in us", "delete matrix-mysql in eu"),
        ],
    );
    assert!(lab.cloud().stacks.is_empty());
    lab.clean(&[]).code(0);
}

#[test]
fn a_synthetic_version_that_no_region_offers_ends_before_anything_is_made() {
    let lab = Lab::new();
    lab.cloud().faults.only_aurora = Some("8.0.mysql_aurora.9.99.0");
    let refused = lab.set_up("mysql,sns", &[]).code(2);
    refused.err_has("Aurora MySQL 8.0.mysql_aurora.3.04.3 on db.r6g.large in eu-central-1");
    refused.err_has("(it has 8.0.mysql_aurora.9.99.0)");
    assert!(lab.cloud().story.is_empty(), "{:?}", lab.cloud().story);
    // A service that may not be asked is no reason against it, and is named.
    lab.cloud().faults.only_aurora = None;
    lab.cloud().faults.denied.insert("rds");
    lab.set_up("mysql,sns", &[]).code(0).err_has("could not be asked: AccessDenied");
}

#[test]
fn a_synthetic_stack_that_rolls_back_shows_its_first_reason_and_is_made_again() {
    let lab = Lab::new();
    let reason = "Insufficient capacity for cache.r5.large";
    lab.cloud().faults.refused.insert("matrix-redis".into(), (1, "Group", reason));
    let failed = lab.set_up("redis,sns", &[]).code(3);
    failed.err_has(reason).err_has("ROLLBACK_COMPLETE");
    assert!(!failed.err.contains("cancelled"), "a consequence is no reason: {failed:?}");
    failed.err_has("not begun").err_has("matrix-redis-global");
    assert!(lab.cloud().story.contains(&"create matrix-sns in eu-central-1".to_owned()), "what can go on does");
    let plan = lab.matrix(&["aws", "setup", "--regions", "eu,us", "--stores", "redis,sns", "--plan"]).code(0);
    plan.out_has("make again").out_has(reason);
    lab.set_up("redis,sns", &[]).code(0);
    let story = &lab.cloud().story;
    in_order(story, &[("gone matrix-redis in eu", "create matrix-redis-global in eu")]);
}

#[test]
fn a_synthetic_deletion_that_fails_is_tried_again_after_the_others_and_told_if_it_keeps_failing() {
    let lab = Lab::new();
    lab.set_up("mysql", &[]).code(0);
    let reason = "Network vpc-1 has some mapped public address(es)";
    lab.cloud().faults.held.insert("matrix-network".into(), (1, "Vpc", reason));
    lab.clean(&[]).code(0).err_has(reason);
    assert!(lab.cloud().stacks.is_empty());

    lab.set_up("mysql", &[]).code(0);
    lab.cloud().faults.held.insert("matrix-network".into(), (99, "Vpc", reason));
    lab.clean(&[]).code(3).err_has("DELETE_FAILED").err_has(reason);
    // Roles stay as long as anything does: services may need them to let go.
    let names: std::collections::BTreeSet<String> = lab.cloud().stacks.keys().map(|id| id.1.clone()).collect();
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["matrix-network", "matrix-roles"]);
    lab.cloud().faults.held.clear();
    lab.clean(&[]).code(0);
    assert!(lab.cloud().stacks.is_empty());
}

#[test]
fn a_synthetic_set_up_of_more_stores_adds_them_and_leaves_the_rest() {
    let lab = Lab::new();
    lab.set_up("sns", &[]).code(0);
    lab.cloud().story.clear();
    lab.set_up("amq", &[]).code(0);
    assert!(lab.bench.read("connection_info.yaml").contains("sns:"), "what an earlier set-up wrote stays");
    assert!(lab.cloud().stacks.keys().any(|id| id.1 == "matrix-sns"));
    lab.clean(&[]).code(0);
    assert!(lab.cloud().stacks.is_empty());
}

fn faults() -> impl Strategy<Value = Vec<(usize, Fault)>> {
    let fault = prop_oneof![
        Just(Fault::Throttled),
        Just(Fault::Unanswered),
        Just(Fault::KilledBefore),
        Just(Fault::KilledAfter),
        Just(Fault::Interrupted),
    ];
    proptest::collection::vec((1..120_usize, fault), 0..4)
}

/// Runs a command until it ends well. Only what ended it may end it otherwise.
fn until_done(mut run: impl FnMut(&[(usize, Fault)]) -> crate::workbench::Printed, all: &[Vec<(usize, Fault)>]) {
    for faults in all {
        let printed = run(faults);
        let ended = faults.iter().any(|(_, fault)| !matches!(fault, Fault::Throttled | Fault::Unanswered));
        // 130: interrupted; -1: killed by a signal.
        assert!(printed.code == 0 || ended && matches!(printed.code, 130 | -1), "{faults:?}: {printed:?}");
    }
    run(&[]).code(0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, max_shrink_iters: 0, failure_persistence: None, ..ProptestConfig::default() })]

    /// Set-up and cleaning, interrupted at any call and begun again, end as when nothing happens; and what is shown late or
    /// answered never changes that.
    #[test]
    fn synthetic_set_ups_end_the_same_whatever_interrupts_them(
        looks in 0..3_u32,
        stale in 0..3_u32,
        making in proptest::collection::vec(faults(), 0..3),
        cleaning in proptest::collection::vec(faults(), 0..3),
    ) {
        let calm = Lab::new();
        calm.set_up(STORES, &[]).code(0);
        let lab = Lab::new();
        (lab.cloud().faults.looks, lab.cloud().faults.stale) = (looks, stale);
        until_done(|faults| lab.set_up(STORES, faults), &making);
        prop_assert_eq!(lab.cloud().made(), calm.cloud().made());
        prop_assert_eq!(lab.bench.read("connection_info.yaml"), calm.bench.read("connection_info.yaml"));
        let story = lab.cloud().story.clone();
        prop_assert_eq!(done(&story, "update") + done(&story, "delete"), 0, "{:#?}", story);
        until_done(|faults| lab.clean(faults), &cleaning);
        prop_assert!(lab.cloud().stacks.is_empty());
        let story = lab.cloud().story.clone();
        prop_assert_eq!(done(&story, "held"), 0, "{:#?}", story);
    }
}
