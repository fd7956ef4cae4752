//! Filters against a second reading of them, and what a person sees of bad ones.

use proptest::prelude::*;

use super::Filter;
use crate::experiment::Experiment;
use crate::point::Axes;
use crate::regions::Regions;
use crate::rendered::render;

fn parse(text: &str) -> Filter {
    Filter::parse(text, &Regions::built_in()).unwrap_or_else(|problems| panic!("{}", render(text, &problems)))
}

fn points() -> Vec<Axes> {
    let text = r#"schema = 1
name = "n"
requests = 1
matrix = [{ name = "m", post_storage = ["mysql", "s3"], notification_storage = ["sns", "amq"],
    regions = ["eu->us", "eu->sg"], delay_ms = [0, 999, 1000, 1001], antipode = [false, true] }]"#;
    Experiment::parse(text).unwrap().points
}

#[test]
fn filters_select_what_they_say() {
    let all = points();
    let count = |text: &str| {
        let filter = parse(text);
        all.iter().filter(|axes| filter.matches(axes, 2)).count()
    };
    assert_eq!(all.len(), 64);
    for (text, selected) in [
        ("post_storage=s3", 32),
        ("post_storage=s3 and delay_ms<1000 and regions=\"eu->us\"", 8),
        ("regions=eu->us", 32),
        ("regions != 'eu->ap'", 32),
        ("delay_ms<=1000", 48),
        ("delay_ms>1000 or delay_ms<999", 32),
        ("delay_ms>=1000", 32),
        ("delay_ms!=1000", 48),
        ("not antipode=on", 32),
        ("antipode=false", 32),
        ("notification_storage=mq", 32),
        ("round=2", 64),
        ("round>2", 0),
        // `and` binds tighter than `or`, `not` tighter than both.
        ("post_storage=s3 or post_storage=mysql and antipode=on", 48),
        ("(post_storage=s3 or post_storage=mysql) and antipode=on", 32),
        ("not post_storage=s3 and antipode=on", 16),
        ("not (post_storage=s3 and antipode=on)", 48),
    ] {
        assert_eq!(count(text), selected, "{text}");
    }
}

/// A filter, and whether it should match each of [`points`].
fn filter() -> impl Strategy<Value = (String, Vec<bool>)> {
    let of = |text: String, says: fn(&Axes, u64) -> bool, value: u64| {
        let truth: Vec<bool> = points().iter().map(|axes| says(axes, value)).collect();
        (text, truth)
    };
    let leaf = prop_oneof![
        (998u64..1003).prop_map(move |n| of(format!("delay_ms < {n}"), |axes, n| axes.delay_ms < n, n)),
        (998u64..1003).prop_map(move |n| of(format!("delay_ms>={n}"), |axes, n| axes.delay_ms >= n, n)),
        Just(of("antipode=on".into(), |axes, _| axes.antipode, 0)),
        Just(of("post_storage != s3".into(), |axes, _| axes.combination.post_storage.as_str() != "s3", 0)),
        Just(of("regions=\"eu->us\"".into(), |axes, _| axes.combination.regions.reader.as_str() == "us", 0)),
    ];
    leaf.prop_recursive(5, 32, 3, |inner| {
        let join = |parts: Vec<(String, Vec<bool>)>, word: &str, with: fn(bool, bool) -> bool| {
            let text: Vec<String> = parts.iter().map(|(text, _)| format!("({text})")).collect();
            let truths = parts.into_iter().map(|(_, truth)| truth);
            let truth = truths.reduce(|a, b| a.iter().zip(&b).map(|(a, b)| with(*a, *b)).collect());
            (text.join(&format!(" {word} ")), truth.unwrap())
        };
        prop_oneof![
            inner
                .clone()
                .prop_map(|(text, truth)| (format!("not ({text})"), truth.iter().map(|truth| !truth).collect())),
            prop::collection::vec(inner.clone(), 1..4).prop_map(move |parts| join(parts, "and", |a, b| a && b)),
            prop::collection::vec(inner, 1..4).prop_map(move |parts| join(parts, "or", |a, b| a || b)),
        ]
    })
}

proptest! {
    #[test]
    fn filters_mean_what_logic_says((text, truth) in filter()) {
        let filter = parse(&text);
        let found: Vec<bool> = points().iter().map(|axes| filter.matches(axes, 1)).collect();
        prop_assert_eq!(found, truth, "{}", text);
    }

    #[test]
    fn nonsense_is_an_error_with_a_place_not_a_crash(text in "[a-z0-9_=!<>()\"'\\-. é]{0,40}") {
        if let Err(problems) = Filter::parse(&text, &Regions::built_in()) {
            prop_assert!(!problems.0.is_empty());
            for problem in problems.0 {
                let span = problem.span.expect("a place");
                prop_assert!(text.get(span).is_some());
            }
        }
    }
}

#[test]
fn nesting_has_an_end() {
    let deep = format!("{}antipode=on{}", "(".repeat(100_000), ")".repeat(100_000));
    assert!(Filter::parse(&deep, &Regions::built_in()).unwrap_err().to_string().contains("too deeply"));
}

#[test]
fn bad_filters_are_pointed_at() {
    let mut shown = String::new();
    for text in [
        "",
        "post_storag=s3",
        "post_storage=s4",
        "post_storage=cassandra",
        "post_storage<s3",
        "delay_ms<fast",
        "delay_ms<-1",
        "delay_ms==5",
        "delay_ms",
        "delay_ms=",
        "regions=eu->uss",
        "regions=eu->eu",
        "regions=eu->",
        "antipode=yes",
        "antipode=on and",
        "antipode=on an round=1",
        "antipode=on antipode=off",
        "(antipode=on",
        "antipode=on)",
        "regions=\"eu->us",
        "antipode=on & round=1",
    ] {
        let problems = Filter::parse(text, &Regions::built_in()).unwrap_err();
        shown += &format!("{text}\n{}\n", render(text, &problems));
    }
    insta::assert_snapshot!(shown);
}
