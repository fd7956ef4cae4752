//! The original artifact's folders.

use std::fs;

use matrix_antipode_artifact::{
    ExportOptions, FolderName, ImportOptions, PairName, ParseError, StoreSource, export, import, parse_tags,
    parse_traces,
};
use matrix_plan::Regions;
use matrix_store::{Store, VerifyOptions};

const FOLDER: &str = "gather/cache-sns/antipode__eu-us__4__delay-0ms-20230915140012";

/// `traces.csv`: what is read is written so that it reads the same, and a folder of it becomes a sound store or nothing.
pub fn gather(data: &[u8]) {
    let traces = match parse_traces(data) {
        Ok(traces) => traces,
        Err(error) => return has_place(data, &error),
    };
    let text = traces.to_csv();
    assert_eq!(parse_traces(text.as_bytes()).as_ref(), Ok(&traces), "{text}");
    round_trip(
        data,
        include_bytes!(
            "../../workloads/post-notification/antipode-artifact/golden/gather/cache-sns/antipode__eu-us__4__delay-0ms-20230915140012/tags.yml"
        ),
    );
}

/// `tags.yml` and names of folders.
pub fn tags(data: &[u8]) {
    match parse_tags(data) {
        Ok(tags) => {
            assert_eq!(parse_tags(data).as_ref(), Ok(&tags));
            round_trip(
                include_bytes!(
                    "../../workloads/post-notification/antipode-artifact/golden/gather/cache-sns/antipode__eu-us__4__delay-0ms-20230915140012/traces.csv"
                ),
                data,
            );
        }
        Err(error) => has_place(data, &error),
    }
    let Ok(name) = std::str::from_utf8(data) else { return };
    if let Ok(parsed) = FolderName::parse(name, &Regions::built_in()) {
        let written = parsed.to_string();
        assert_eq!(FolderName::parse(&written, &Regions::built_in()).as_ref(), Ok(&parsed), "{written}");
    }
    if let Ok(parsed) = name.parse::<PairName>() {
        assert_eq!(parsed.to_string().parse::<PairName>(), Ok(parsed));
    }
}

/// Imports a folder, exports it and imports that: the same cells.
fn round_trip(traces: &[u8], tags: &[u8]) {
    let scratch = crate::scratch();
    let folder = scratch.path().join(FOLDER);
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("traces.csv"), traces).expect("a file");
    fs::write(folder.join("tags.yml"), tags).expect("a file");
    let bring = |from: &str, to: &str| {
        let path = scratch.path().join(to);
        let store = Store::create_or_open_for_writing(&path, "fuzz").expect("a store");
        let report = import(&scratch.path().join(from), &store, &ImportOptions::default());
        store.close().expect("a store can be closed");
        let sound = Store::open(&path).and_then(|store| matrix_traces::verify(&store, VerifyOptions::default()));
        let sound = sound.expect("a store can be checked");
        assert!(sound.is_sound(), "{:?}", sound.faults);
        (report, path)
    };
    let (report, path) = bring("gather", "results");
    let Ok(report) = report else {
        let records = Store::open(&path).and_then(|store| store.cells()).expect("a store can be read");
        return assert!(records.is_empty(), "what is refused leaves no record");
    };
    let store = Store::open(&path).expect("a store");
    let source = StoreSource::new(&store, |_| true).expect("a store can be exported");
    let exported = export(&source, &scratch.path().join("again"), &ExportOptions::default());
    exported.unwrap_or_else(|error| panic!("what was imported can be exported: {error}"));
    let (again, _) = bring("again/gather", "imported");
    let again = again.unwrap_or_else(|error| panic!("what was exported can be imported: {error}"));
    let results = |report: &matrix_antipode_artifact::ImportReport| -> Vec<_> {
        report.cells.iter().map(|cell| (cell.axes.clone(), cell.results, cell.lost)).collect()
    };
    assert_eq!(results(&report), results(&again));
}

fn has_place(data: &[u8], error: &ParseError) {
    // YAML ends lines with a carriage return as well.
    let lines = data.iter().filter(|&&byte| byte == b'\n' || byte == b'\r').count() as u64 + 2;
    assert!((1..=lines).contains(&error.place.line) && error.place.column >= 1, "{error}");
}
