//! A fit to simulated traces, where the truth is known.

use matrix_app::{Row, WORKLOAD_VERSION};
use matrix_driver::{Cancel, RowSink, SinkError};
use matrix_plan::{Axes, Barrier, CellInputs, Combination, NotificationStorage, Platform, PostStorage};

use super::{Measured, TraceFit, TraceFitError, TraceOptions, fit_traces};
use crate::cell::{Setup, run};
use crate::faults::NoFaults;
use crate::model::Model;

struct Rows(Vec<Row>);

impl RowSink<Row> for Rows {
    fn push(&mut self, row: Row) -> Result<(), SinkError> {
        self.0.push(row);
        Ok(())
    }
}

fn measure(model: &Model, requests: u64, post: PostStorage, regions: &str, delay_ms: u64, antipode: bool) -> Measured {
    let combination = Combination::new(post, NotificationStorage::Sns, regions.parse().unwrap());
    let fingerprint = model.fingerprint(&combination).unwrap();
    let axes = Axes { combination, delay_ms, antipode };
    let defaults = CellInputs::with_defaults(axes, Platform::Sim, fingerprint, WORKLOAD_VERSION);
    let barrier = Barrier { max_ms: 10, ..defaults.barrier };
    let inputs = CellInputs { barrier, payload_bytes: 1_000_000, requests, seed: 7, ..defaults };
    let setup = Setup::new(model, &inputs, &inputs.pair_key().unwrap(), "n".into()).unwrap();
    let mut rows = Rows(Vec::new());
    run(&setup, &NoFaults, &mut rows, &Cancel::default()).unwrap();
    Measured { inputs, rows: rows.0 }
}

/// What a testbed without a view of the replicas shows: nobody knows when a post became visible.
fn without_visibility(mut cell: Measured) -> Measured {
    cell.rows.iter_mut().for_each(|row| row.post_visible_us = None);
    cell
}

fn missed(cell: &Measured) -> f64 {
    cell.rows.iter().filter(|row| row.consistent_read == Some(false)).count() as f64 / cell.rows.len() as f64
}

fn options() -> TraceOptions {
    TraceOptions { name: "fitted".into(), reference: "eu->us".parse().unwrap(), source: "simulated traces".into() }
}

fn fit(cells: &[Measured]) -> TraceFit {
    fit_traces(cells, &options()).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_fit_without_delays_predicts_the_sweep_of_delays() {
    let truth = Model::builtin(Model::BUILTIN_NAME).unwrap();
    for (post, delays) in [(PostStorage::Redis, [300, 400, 500]), (PostStorage::Dynamo, [400, 900, 1500])] {
        let seen: Vec<Measured> =
            [false, true].map(|antipode| without_visibility(measure(&truth, 400, post, "eu->us", 0, antipode))).into();
        let fitted = fit(&seen);
        for delay_ms in delays {
            let wanted = missed(&measure(&truth, 10_000, post, "eu->us", delay_ms, false));
            let found = missed(&measure(&fitted.model, 10_000, post, "eu->us", delay_ms, false));
            println!("{post} {delay_ms} ms: {wanted:.3} and {found:.3}");
            // The fit stands on 800 rows, which wait for each other where there is a log.
            assert!((wanted - found).abs() < 0.1, "{post} {delay_ms} ms: {wanted} and {found}\n{}", fitted.text);
        }
    }
}

#[test]
fn another_pair_gets_the_ratio_of_its_lag() {
    let truth = Model::builtin(Model::BUILTIN_NAME).unwrap();
    let post = PostStorage::Dynamo;
    let cells: Vec<Measured> = ["eu->us", "eu->sg"]
        .iter()
        .flat_map(|pair| [false, true].map(|antipode| measure(&truth, 400, post, pair, 0, antipode)))
        .collect();
    let factor = fit(&cells).model.post[&post].pairs[&"eu->sg".parse().unwrap()].lag_factor;
    let true_factor = truth.post[&post].pairs[&"eu->sg".parse().unwrap()].lag_factor;
    assert!((factor / true_factor - 1.0).abs() < 0.1, "{factor} and {true_factor}");
}

#[test]
fn delays_are_held_out_and_too_little_is_refused() {
    let truth = Model::builtin(Model::BUILTIN_NAME).unwrap();
    let delayed = measure(&truth, 400, PostStorage::Redis, "eu->us", 100, false);
    let error = fit_traces(std::slice::from_ref(&delayed), &options()).map(|_| ()).unwrap_err();
    assert!(matches!(error, TraceFitError::NoCells(_)), "{error}");
    let mut few = measure(&truth, 400, PostStorage::Redis, "eu->us", 0, false);
    few.rows.truncate(10);
    let error = fit_traces(&[few], &options()).map(|_| ()).unwrap_err();
    assert!(matches!(error, TraceFitError::TooFew { .. }), "{error}");
}
