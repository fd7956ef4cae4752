//! Calibration.

use matrix_plan::PostStorage;
use matrix_sim::fit::Progress;
use matrix_sim::{FitOptions, Model, evaluate, fit, hold_out};

use crate::rows::builtin;

fn quiet(_: Progress<'_>) {}

fn options(requests_per_anchor: u64) -> FitOptions {
    FitOptions { requests_per_anchor, threads: 2, tolerance_percent: 0.5, ..FitOptions::default() }
}

/// The built-in model with the anchors of one post storage.
fn only(storage: PostStorage) -> Model {
    let mut model = builtin();
    model.anchors.retain(|anchor| anchor.post_storage == storage);
    model
}

#[test]
fn the_built_in_model_meets_every_anchor() {
    let results = evaluate(&builtin(), &options(4000), &quiet).unwrap();
    assert_eq!(results.0.len(), 16);
    assert!(results.worst_percent() < 5.0, "\n{results}");
}

#[test]
fn a_fit_finds_its_way_back_and_writes_only_what_it_fitted() {
    let text = Model::BUILTIN_TEXT.replacen("lag_factor = { value = 1.0", "lag_factor = { value = 1.5", 1).replacen(
        "schema = 1",
        "schema = 1  # a comment to be kept",
        1,
    );
    let mut model = Model::parse(&text).unwrap();
    model.anchors.retain(|anchor| anchor.post_storage == PostStorage::Redis);
    let redis = model.post.get_mut(&PostStorage::Redis).unwrap();
    for data in redis.pairs.values_mut() {
        data.client_overhead_ms *= 3.0;
    }
    let report = fit(&model, &options(2000), &quiet).unwrap();
    assert!(report.results.worst_percent() < 0.6, "\n{report}");

    let written = report.write(&text).unwrap();
    let read_back = Model::parse(&written).unwrap();
    assert_eq!(read_back.post[&PostStorage::Redis], report.model.post[&PostStorage::Redis]);
    let changed: Vec<_> = text.lines().zip(written.lines()).filter(|(before, after)| before != after).collect();
    assert_eq!(text.lines().count(), written.lines().count());
    assert!(!changed.is_empty() && changed.len() <= 4, "{changed:#?}");
}

#[test]
fn results_do_not_depend_on_threads() {
    let model = only(PostStorage::Redis);
    let one = evaluate(&model, &FitOptions { threads: 1, ..options(3000) }, &quiet).unwrap();
    let three = evaluate(&model, &FitOptions { threads: 3, ..options(3000) }, &quiet).unwrap();
    assert_eq!(one, three);
}

#[test]
fn a_hold_out_never_sees_what_it_predicts() {
    let mut model = only(PostStorage::Redis);
    let report = hold_out(&model, &options(2000), &quiet).unwrap();
    assert_eq!((report.fitted.0.len(), report.predicted.0.len()), (2, 2));
    for anchor in model.anchors.iter_mut().filter(|anchor| anchor.regions.to_string() == "eu->sg") {
        anchor.mean_ms *= 2.0;
    }
    let again = hold_out(&model, &options(2000), &quiet).unwrap();
    let predictions =
        |report: &matrix_sim::HoldOut| report.predicted.0.iter().map(|result| result.simulated_ms).collect::<Vec<_>>();
    assert_eq!(predictions(&report), predictions(&again));
}
