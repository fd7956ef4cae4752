//! Cells that break are results too, which others' tools read; and what a run on AWS may cost.

use std::path::Path;

use matrix_app::Row;
use matrix_bundle::{BundleReader, Limits};
use matrix_driver::{Cancel, Driver};
use matrix_plan::{Cell, Part};
use matrix_run::costs::{self, Budget};
use matrix_run::{Input, Overrides, Session, interrupted_runs};
use matrix_sim::{Model, SimDriver};
use matrix_store::Store;

use crate::exit::{Exit, Failure};
use crate::output::Terminal;
use crate::{cli, runner};

/// The services as a model tells them that agrees with the experiment's on everything but Redis.
fn with_another_redis(input: &Input) -> SimDriver {
    let (_, text) = input.model.as_ref().unwrap();
    let (before, redis) = text.split_once("[post_storage.redis.write]").unwrap();
    let other = format!("{before}[post_storage.redis.write]{}", redis.replacen("value = ", "value = 1", 1));
    SimDriver::new(Model::parse(&other).unwrap())
}

/// What a bundle says of itself.
fn metadata(bundle: &Path) -> serde_json::Value {
    let mut reader = BundleReader::open(bundle, Limits::default()).unwrap();
    while let Some(entry) = reader.next_entry().unwrap() {
        if entry.path == "data/ro-crate-metadata.json" {
            return serde_json::from_slice(&reader.read_whole().unwrap()).unwrap();
        }
        reader.finish_entry().unwrap();
    }
    panic!("{} has no metadata", bundle.display());
}

/// The driver refuses the cells that it does not know: their attempts have failed, for good reason. Bundles tell of it, in
/// a form that independent validators accept, until the run is resumed.
#[test]
fn cells_that_break_are_told_in_the_bundle_and_mended_by_resuming() {
    // Asked for now: what was built for one clone may serve another that shares its target directory.
    let project = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    let project = Path::new(&project);
    let folder = tempfile::tempdir().unwrap();
    let (results, bundle) = (folder.path().join("results"), folder.path().join("quick.tar.zst"));
    let matrix = |words: &[&str]| {
        let at = ["--results", results.to_str().unwrap()];
        cli::run_words(["matrix"].iter().chain(words).chain(&at))
    };
    let create = |allow: &[&str]| matrix(&[&["bundle", "create", "-o", bundle.to_str().unwrap()], allow].concat());
    let check = || {
        let script = project.join("scripts/check-bundle-with-validators");
        let output = std::process::Command::new(script).arg(&bundle).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    };

    let input = Input::from_file(&project.join("experiments/quick.toml"), &Overrides::default()).unwrap();
    let drivers = |input: &Input, _: &[matrix_plan::Cell]| -> Result<Box<dyn Driver<Cell, Row>>, Failure> {
        Ok(Box::new(with_another_redis(input)))
    };
    let session = Session::begin(
        &runner::store_access(&results).unwrap(),
        &input,
        &Part::default(),
        &matrix_plan::Again::None,
        &drivers,
    )
    .unwrap()
    .session
    .unwrap();
    let exit = session.execute(None, &Cancel::default(), &Terminal).unwrap();
    assert_eq!(Exit::from(exit), Exit::Cells);
    assert_eq!(create(&[]), Exit::Usage, "an incomplete bundle has to be allowed");
    assert_eq!(create(&["--allow-incomplete"]), Exit::Ok);
    check();
    let metadata = metadata(&bundle);
    let graph = metadata["@graph"].as_array().unwrap();
    let failed = graph.iter().filter(|entity| entity["actionStatus"] == "http://schema.org/FailedActionStatus");
    let errors: Vec<&str> = failed.map(|entity| entity["error"].as_str().unwrap()).collect();
    assert_eq!(errors, ["the cell was planned under another model or version of the simulator"; 6]);

    assert_eq!(matrix(&["resume"]), Exit::Ok);
    assert_eq!(create(&[]), Exit::Ok);
    check();
}

/// A driver that must not be used.
struct Unused;

impl Driver<Cell, Row> for Unused {
    fn attempt(
        &self,
        _: &matrix_plan::Cell,
        _: &mut dyn matrix_driver::RowSink<Row>,
        _: &Cancel,
    ) -> Result<matrix_driver::AttemptDetails, matrix_driver::DriverError> {
        Err(matrix_driver::DriverError::failed("used"))
    }

    fn resources(&self, _: &matrix_plan::Cell) -> Vec<String> {
        Vec::new()
    }
}

const EXPERIMENT: &str = r#"
schema = 1
name = "crash"
requests = 12
seed = 5

[[matrix]]
name = "pairs"
post_storage = ["redis", "dynamo"]
notification_storage = ["sns"]
regions = ["eu->us"]
delay_ms = [0]
antipode = [false, true]
"#;

#[test]
fn an_interrupted_run_on_aws_is_held_to_a_budget_for_what_is_left() {
    let text = EXPERIMENT.replace("requests = 12", "requests = 12\nplatform = \"aws\"\naws.memory_mb = 256");
    let input = Input::from_text(&text).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("results");
    let drivers =
        |_: &Input, _: &[matrix_plan::Cell]| -> Result<Box<dyn Driver<Cell, Row>>, Failure> { Ok(Box::new(Unused)) };
    let begun = Session::begin(
        &runner::store_access(&root).unwrap(),
        &input,
        &Part::default(),
        &matrix_plan::Again::None,
        &drivers,
    )
    .unwrap();
    assert_eq!(begun.session.unwrap().len(), 4, "begun, and gone");

    let store = Store::open(&root).unwrap();
    let run = interrupted_runs(&store).unwrap().pop().unwrap();
    // What the run saved is enough: the same cells with the same keys.
    let saved = Input::from_run(&run).unwrap();
    assert_eq!(saved.cells, input.cells);
    let left = |most: f64, cells: usize| {
        let keys = saved.cells.iter().take(cells).map(|(_, cell)| cell.key).collect();
        let budget = Budget { max_cost: Some(most), prices: None };
        costs::check(&saved, &budget, &Terminal, || Ok(keys)).map_err(|failure| failure.to_string())
    };
    assert!(left(0.0, 4).unwrap_err().starts_with("4 cells to run are estimated to cost"));
    assert!(left(0.0, 1).unwrap_err().starts_with("1 cell to run is estimated to cost"));
    assert_eq!((left(10.0, 4), left(0.0, 0)), (Ok(()), Ok(())));

    let before = std::fs::read(run.directory().join("journal.jsonl")).unwrap();
    let results = root.to_str().unwrap();
    assert_eq!(cli::run_words(["matrix", "resume", "--max-cost", "0", "--results", results]), Exit::Usage);
    assert_eq!(std::fs::read(run.directory().join("journal.jsonl")).unwrap(), before);
}
