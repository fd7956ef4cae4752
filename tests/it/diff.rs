//! Comparing stores and bundles.

use serde_json::Value;

use crate::workbench::{SMALL, Workbench};

fn array<'a>(json: &'a Value, name: &str) -> &'a Vec<Value> {
    json[name].as_array().unwrap()
}

/// The mean consistency window of a cell, in milliseconds, straight from its rows.
fn mean_window_ms(bench: &Workbench, results: &str, key: &str) -> f64 {
    let trace = bench.matrix(&["show", key, "--trace", "--results", results]).code(0).out;
    let heads: Vec<&str> = trace.lines().next().unwrap().split(',').collect();
    let column = |name: &str| heads.iter().position(|head| *head == name).unwrap();
    let (start, read) = (column("writer_start_us"), column("post_read_us"));
    let windows: Vec<f64> = trace
        .lines()
        .skip(1)
        .filter_map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            Some((fields[read].parse::<f64>().ok()? - fields[start].parse::<f64>().ok()?) / 1e3)
        })
        .collect();
    windows.iter().sum::<f64>() / windows.len() as f64
}

#[test]
fn a_store_and_its_bundle_are_identical() {
    let bench = Workbench::ran();
    bench.matrix(&["bundle", "create", "--origin", "authors", "-o", "small.tar.zst"]).code(0);
    let json = bench.json(&["diff", "results", "small.tar.zst"]);
    assert_eq!((&json["identical"], array(&json, "same_key").len()), (&12.into(), 12));
    for list in ["only_in_a", "only_in_b", "same_axes"] {
        assert!(array(&json, list).is_empty(), "{list}: {json}");
    }
    assert!(array(&json, "same_key").iter().all(|pair| array(pair, "changes").is_empty()));
    let printed = bench.matrix(&["diff", "small.tar.zst", "results"]).code(0);
    printed.out_has("12 identical, 0 different; 0 with the same axes");
}

#[test]
fn other_meanings_are_compared_by_axes_and_round_and_said_to_be_that() {
    let bench = Workbench::small();
    bench.matrix(&["run", "small.toml", "--filter", "delay_ms<800"]).code(0);
    bench.write("other.toml", &SMALL.replace("requests = 40", "requests = 60"));
    let run = ["run", "other.toml", "--results", "other", "--filter", "not (post_storage=s3 and antipode=true)"];
    bench.matrix(&run).code(0);
    let json = bench.json(&["diff", "results", "other"]);
    assert!(array(&json, "same_key").is_empty());
    assert_eq!(array(&json, "same_axes").len(), 10);
    let [only_a, only_b] = ["only_in_a", "only_in_b"].map(|side| array(&json, side));
    assert_eq!((only_a.len(), &only_a[0]["axes"]["post_storage"]), (1, &"s3".into()));
    assert_eq!((only_b.len(), &only_b[0]["axes"]["delay_ms"]), (1, &800.into()));
    for pair in array(&json, "same_axes") {
        assert_eq!(pair["a"]["axes"], pair["b"]["axes"]);
        let parts: Vec<&Value> = array(pair, "differs").iter().map(|part| &part["part"]).collect();
        assert_eq!(parts, ["requests"]);
        assert_eq!((&pair["a"]["how"], &pair["b"]["how"]), (&"simulated".into(), &"simulated".into()));
        let changes = array(pair, "changes");
        let barrier = changes.iter().any(|change| change["metric"] == "barrier_mean_ms");
        assert_eq!(barrier, pair["a"]["axes"]["antipode"] == true, "{pair}");
        let window = changes.iter().find(|change| change["metric"] == "window_mean_ms").unwrap();
        let of = |side: &str| {
            let results = if side == "a" { "results" } else { "other" };
            mean_window_ms(&bench, results, pair[side]["key"].as_str().unwrap())
        };
        let number = |what: &str, of: &str| window[what][of].as_f64().unwrap();
        assert!((number("a", "value") - of("a")).abs() < 1e-6 && (number("b", "value") - of("b")).abs() < 1e-6);
        assert!((number("change", "value") - (of("b") - of("a"))).abs() < 1e-6);
        assert!(number("change", "low") < number("change", "value"));
        assert!(number("change", "value") < number("change", "high"));
    }
    let text = bench.matrix(&["diff", "results", "other", "--all", "--metric", "window_p50_ms"]).code(0);
    text.out_has("Same axes and round, other meaning").out_has("requests 40 / 60");
    text.out_has("window_p50_ms").out_lacks("window_mean_ms");
    // The verdict is first, and without --all only what is marked is listed.
    let short = bench.matrix(&["diff", "results", "other"]).code(0).out;
    assert!(
        short.contains("  10 of 10: local (simulated) / local (simulated); the keys differ in: requests 40 / 60"),
        "{short}"
    );
    let verdict = short.lines().position(|line| line.contains("changes are marked")).unwrap();
    assert!(verdict == 3 && short.lines().count() < 40, "{short}");
}

#[test]
fn a_simulation_and_a_measurement_are_told_apart() {
    let (bench, cells) = Workbench::measured();
    let json = bench.json(&["diff", "results", "measured"]);
    assert_eq!(array(&json, "same_axes").len(), cells);
    for pair in array(&json, "same_axes") {
        assert_eq!((&pair["a"]["how"], &pair["b"]["how"]), (&"simulated".into(), &"measured".into()));
        assert_eq!(pair["b"]["origin"], "imported");
        // What was exported, rounded to milliseconds and came back is the same but for the rounding.
        for change in array(pair, "changes").iter().filter(|change| change["metric"] == "window_mean_ms") {
            assert!(change["change"]["value"].as_f64().unwrap().abs() < 1.5, "{change}");
            assert!(change["excludes_zero"].is_null(), "one measured round has no interval: {change}");
        }
    }
    let text = bench.matrix(&["diff", "results", "measured"]).code(0).out;
    assert!(text.contains("local (simulated) / imported (measured)"), "{text}");
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let bench = Workbench::ran();
    bench.matrix(&["diff", "results", "nowhere"]).code(2).err_has("nowhere");
    bench.matrix(&["diff", "results", "results", "--metric", "window"]).code(2).err_has("window_mean_ms");
    bench.write("no-bundle", "text");
    bench.matrix(&["diff", "results", "no-bundle"]).code(5);
    bench.matrix(&["run", "small.toml", "--results", "other", "--set", "seed=8"]).code(0);
    let object = bench.files("other").into_keys().find(|path| path.starts_with("objects")).unwrap();
    std::fs::remove_file(bench.path("other").join(object)).unwrap();
    bench.matrix(&["diff", "results", "other"]).code(5);
}
