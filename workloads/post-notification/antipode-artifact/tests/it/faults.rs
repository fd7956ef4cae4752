//! Folders and targets that are not as they should be.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use matrix_antipode_artifact::{ExportCell, ExportOptions, ImportError, Source, export};
use matrix_store::{ErrorKind, Store};

use crate::bench::{Memory, experiment, files, golden, import_into, tempdir};

/// Imports a copy of the golden folders with one file changed, and shows the error.
fn fault(change: impl Fn(&Path)) -> String {
    let dir = tempdir();
    let (copy, store) = (dir.path().join("gather"), dir.path().join("results"));
    for (name, text) in files(&golden().join("gather")) {
        let path = copy.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    change(&copy);
    let error = import_into(&store, &copy).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input);
    assert_eq!(Store::open(&store).unwrap().cells().unwrap(), [], "nothing is imported when anything is wrong");
    let text = format!("{error}\n    help: {}", error.help().unwrap());
    text.replace(dir.path().canonicalize().unwrap().to_str().unwrap(), "").replace(dir.path().to_str().unwrap(), "")
}

const ON: &str = "cache-sns/antipode__eu-us__4__delay-0ms-20230915140012";
const OFF: &str = "cache-sns/eu-us__5__delay-0ms-20230915134647";

fn replace(file: String, from: &str, to: &str) -> impl Fn(&Path) {
    move |copy| {
        let path = copy.join(&file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from));
        fs::write(path, text.replacen(from, to, 1)).unwrap();
    }
}

fn rename(from: &str, to: &str) -> impl Fn(&Path) {
    move |copy| fs::rename(copy.join(from), copy.join(to)).unwrap()
}

#[test]
fn what_cannot_be_understood_is_refused_with_its_place() {
    let faults = [
        fault(replace(format!("{OFF}/traces.csv"), ";402;", ";4o2;")),
        fault(replace(format!("{OFF}/tags.yml"), "DELAY: 0", "DELAY: [0]")),
        fault(replace(format!("{OFF}/tags.yml"), "DELAY: 0", "DELAY: 100")),
        fault(replace(format!("{OFF}/tags.yml"), "NUM_RESULTS: 4/5", "NUM_RESULTS: 3/5")),
        fault(replace(format!("{OFF}/tags.yml"), "NUM_RESULTS: 4/5", "NUM_RESULTS: 4/4")),
        fault(replace(format!("{OFF}/tags.yml"), "NUM_RESULTS: 4/5", "NUM_RESULTS: 4/99999999999")),
        fault(replace(format!("{OFF}/tags.yml"), "us-east-1", "mars-north-1")),
        fault(replace(format!("{OFF}/tags.yml"), "sns", "mq")),
        fault(replace(format!("{ON}/tags.yml"), "yes", "no")),
        fault(rename(OFF, "cache-sns/eu-us__5__delay-0ms")),
        fault(rename(ON, "cache-sns/eu-us__4__delay-0ms-20230915140012")),
        fault(rename("dynamo-mq", "dynamo-rabbit")),
        fault(|copy| {
            fs::remove_dir_all(copy.join("cache-sns")).and(fs::remove_dir_all(copy.join("dynamo-mq"))).unwrap()
        }),
        fault(|copy| {
            fs::remove_file(copy.join(OFF).join("tags.yml")).unwrap();
            fs::create_dir(copy.join(OFF).join("tags.yml")).unwrap();
        }),
    ];
    insta::assert_snapshot!("refusals", faults.join("\n"));
}

#[test]
fn another_result_of_the_same_gathering_is_a_conflict() {
    let dir = tempdir();
    let (copy, store) = (dir.path().join("eu"), dir.path().join("results"));
    for (name, text) in files(&golden()) {
        let path = copy.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    import_into(&store, &copy).unwrap();
    replace(format!("gather/{OFF}/traces.csv"), "1694785602.417301", "1694785602.417302")(&copy);
    assert!(matches!(import_into(&store, &copy).unwrap_err(), ImportError::Conflict { .. }));
}

struct Broken(Memory);

impl Source for Broken {
    fn cells(&self) -> &[ExportCell] {
        self.0.cells()
    }
    fn open(&self, n: usize) -> io::Result<Box<dyn Read + '_>> {
        if n > 3 { Err(io::ErrorKind::Other.into()) } else { self.0.open(n) }
    }
}

#[test]
fn an_export_that_fails_leaves_nothing_behind() {
    let dir = tempdir();
    let options = ExportOptions::default();
    let target = dir.path().join("out");
    export(&Broken(experiment()), &target, &options).unwrap_err();
    assert!(!target.exists());

    fs::create_dir(&target).unwrap();
    let mut torn = experiment();
    torn.traces[5].truncate(4_000);
    assert_eq!(export(&torn, &target, &options).unwrap_err().kind(), ErrorKind::Integrity);
    assert!(files(&target).is_empty() && fs::read_dir(&target).unwrap().next().is_none());

    fs::write(target.join("mine"), "precious").unwrap();
    let error = export(&experiment(), &target, &options).unwrap_err();
    assert_eq!((error.kind(), files(&target).len()), (ErrorKind::Input, 1));
}
