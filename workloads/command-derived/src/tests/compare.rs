//! Two results of one experiment.

use super::fixture::{EXPERIMENT, faster, store};
use crate::DerivedError;
use crate::compare::{CompareOptions, compare};

#[test]
fn results_are_matched_by_their_cells_and_every_metric_is_compared() {
    let folder = tempfile::tempdir().unwrap();
    let make = |name: &str, text: &str, times| store(&folder.path().join(name), text, None, faster(times));
    let a = make("a", EXPERIMENT, 4);
    let same = compare(&a, &a, CompareOptions::default()).unwrap();
    assert_eq!((same.experiments[0].identical, same.experiments[0].changes.len()), (18, 6));
    assert!(same.experiments[0].changes.iter().all(|change| change.apart == Some(false)));

    // The fast engine takes longer: its half of the cells differs, and the claim falls.
    let b = make("b", EXPERIMENT, 1);
    let compared = compare(&a, &b, CompareOptions { tolerance: Some(10.0), ..CompareOptions::default() }).unwrap();
    let [found] = compared.experiments.as_slice() else { panic!("{compared:?}") };
    assert_eq!((found.identical, found.same_key, found.same_axes), (9, 9, 0), "{found:?}");
    for change in &found.changes {
        let is_fast = change.axes["engine"] == "fast";
        assert_eq!((change.apart, change.within), (Some(is_fast), Some(!is_fast)), "{change:?}");
    }
    assert_eq!((found.claims[0].a, found.claims[0].b), (Some("supported"), Some("contradicted")));

    // What gives a cell its meaning is another: the parts are named.
    let late = make("c", &EXPERIMENT.replace("[columns]", "timeout_s = 5\n\n[columns]"), 4);
    let late = compare(&a, &late, CompareOptions::default()).unwrap();
    let found = &late.experiments[0];
    assert_eq!((found.same_axes, found.differs.values().collect::<Vec<_>>()), (18, vec![&18]), "{found:?}");

    let other = make("d", &EXPERIMENT.replace("\"kv\"", "\"other\""), 4);
    let apart = compare(&a, &other, CompareOptions::default()).unwrap();
    assert_eq!(
        (apart.experiments.len(), apart.only_a, apart.only_b),
        (0, vec!["kv".to_owned()], vec!["other".to_owned()])
    );
    let unknown = compare(&a, &a, CompareOptions { metrics: &["p99".to_owned()], tolerance: None }).unwrap_err();
    assert!(matches!(unknown, DerivedError::UnknownMetric { .. }));
    assert_eq!(unknown.help().as_deref(), Some("the metrics are: mean_latency"));
}

#[test]
fn what_one_side_has_not_run_is_neither_compared_nor_judged() {
    let folder = tempfile::tempdir().unwrap();
    let claims = "[[claim]]\nid = \"C2\"\nsays = \"One thread\"\nwhere = { threads = 1 }\nmetric = \"mean_latency\"\nat_most = 2000\n\n[[figure]]";
    let text = EXPERIMENT.replacen("[[figure]]", claims, 1);
    let one_thread = |cell: &matrix_command::Cell| {
        if cell.point[1].to_string() == "1" { faster(4)(cell) } else { None }
    };
    let all = store(&folder.path().join("all"), &text, None, faster(4));
    let part = store(&folder.path().join("part"), &text, None, one_thread);
    let options = CompareOptions { tolerance: Some(10.0), ..CompareOptions::default() };
    for (a, b, wanted) in [(&all, &part, [true, false]), (&part, &all, [false, true])] {
        let compared = compare(a, b, options).unwrap();
        let found = &compared.experiments[0];
        let (both, one_sided): (Vec<_>, Vec<_>) = found.changes.iter().partition(|change| change.tried == [true, true]);
        assert_eq!((both.len(), one_sided.len()), (2, 4), "{found:?}");
        assert!(both.iter().all(|change| change.apart == Some(false) && change.within == Some(true)), "{both:?}");
        for change in one_sided {
            assert_eq!((change.tried, change.apart, change.within), (wanted, None, None), "{change:?}");
        }
        // C1 is about all threads, of which one side has one; both have what C2 is about.
        let claims: Vec<_> = found.claims.iter().map(|claim| (claim.id.as_str(), claim.a, claim.b)).collect();
        assert_eq!(claims, [("C2", Some("supported"), Some("supported"))]);
        assert_eq!(found.claims_not_covered, 1);
    }
}
