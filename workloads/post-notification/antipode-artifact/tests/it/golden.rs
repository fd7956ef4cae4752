//! Folders written by hand from the description of the original's.

use std::fmt::Write as _;
use std::fs;

use matrix_antipode_artifact::{Imported, parse_tags};
use matrix_app::row::HEADER;
use matrix_plan::Platform;

use crate::bench::{export_store, files, golden, import_into, rows_of, tempdir};

#[test]
fn an_import_is_read_as_documented() {
    let dir = tempdir();
    let store = dir.path().join("results");
    let report = import_into(&store, &golden()).unwrap();
    assert_eq!(
        report.cells.iter().map(|cell| (cell.results, cell.lost, cell.contradictions)).collect::<Vec<_>>(),
        [(4, 0, 1), (4, 1, 0), (2, 0, 0)]
    );
    let mut shown = String::new();
    let mut records = rows_of(&store);
    records.sort_by_key(|(record, _)| (record.inputs.axes.clone(), record.key));
    for (record, rows) in records {
        assert_eq!((record.origin.as_str(), record.platform, record.simulated), ("imported", Platform::Aws, false));
        assert_eq!(record.totals.notification_bytes, 0, "a Python object is no notification");
        writeln!(shown, "{}\n{}", record.inputs.canonical().unwrap(), HEADER).unwrap();
        for row in rows {
            let mut line = Vec::new();
            row.write_csv(&mut line);
            shown.push_str(str::from_utf8(&line).unwrap());
        }
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn an_import_comes_out_as_it_went_in() {
    let dir = tempdir();
    let (store, out) = (dir.path().join("results"), dir.path().join("out"));
    import_into(&store, &golden()).unwrap();
    let report = export_store(&store, &out);
    assert_eq!((report.folders.len(), report.incomplete_rows, report.without_epoch.len()), (3, 0, 0));
    let mut compared = 0;
    for (name, text) in files(&golden()) {
        let exported = || fs::read_to_string(out.join(&name)).unwrap();
        if name.ends_with("traces.csv") {
            assert_eq!(exported(), text, "{name}");
            compared += 1;
        } else if name.ends_with("tags.yml") {
            let mut expected = parse_tags(text.as_bytes()).unwrap();
            // The share that the plot script needs is added where it is missing.
            let zero = matrix_antipode_artifact::Scalar::Number("0.0".to_owned());
            expected.others.entry(matrix_antipode_artifact::tags::INCONSISTENCIES.to_owned()).or_insert(zero);
            assert_eq!(parse_tags(exported().as_bytes()).unwrap(), expected, "{name}");
            compared += 1;
        }
    }
    assert_eq!(compared, 6);
}

/// `gather --tag LABEL`, and names from before there were delays, as in the original's sample configuration.
#[test]
fn folders_of_other_names_are_imported_by_their_tags_and_come_out_under_their_names() {
    let dir = tempdir();
    let [given, store, out] = ["given", "results", "out"].map(|name| dir.path().join(name));
    let mut traces = Vec::new();
    for (from, to) in [
        ("eu-us__5__delay-0ms-20230915134647", "eu-us__5-20210912134647"),
        ("antipode__eu-us__4__delay-0ms-20230915140012", "eu-us__antipode__4-20210913103954"),
        ("eu-us__5__delay-0ms-20230915134647", "it's a try-20230915134647"),
    ] {
        let (from, to) = (format!("gather/cache-sns/{from}"), format!("gather/cache-sns/{to}"));
        fs::create_dir_all(given.join(&to)).unwrap();
        for file in ["tags.yml", "traces.csv"] {
            fs::copy(golden().join(&from).join(file), given.join(&to).join(file)).unwrap();
        }
        traces.push((format!("{to}/traces.csv"), fs::read_to_string(golden().join(from).join("traces.csv")).unwrap()));
    }
    assert_eq!(import_into(&store, &given).unwrap().cells.len(), 3, "each gathering is a cell of its own");
    export_store(&store, &out);
    for (name, text) in traces {
        assert_eq!(fs::read_to_string(out.join(&name)).unwrap(), text, "{name}");
    }
    let config = fs::read_to_string(out.join("plots/configs/matrix-eu-us-5.yml")).unwrap_or_default();
    assert!(!config.contains("delay_vs"), "the script looks for delays in names: {config}");
    // A name that contradicts the tags is refused, and no forged label leads out of the folder.
    let wrong = given.join("gather/cache-sns/eu-sg__5-20210912134647");
    fs::rename(given.join("gather/cache-sns/eu-us__5-20210912134647"), &wrong).unwrap();
    assert!(import_into(&store, &wrong).unwrap_err().to_string().contains("the region pair is eu->us"));
    let (record, _) = rows_of(&store).into_iter().find(|(record, _)| !record.inputs.axes.antipode).unwrap();
    let label = Imported::of(&record.inputs).unwrap().label.unwrap();
    for forged in ["../../../etc", "a/b", ".", ""] {
        let mut inputs = record.inputs.clone();
        inputs.fingerprint =
            serde_json::from_str(&serde_json::to_string(&inputs.fingerprint).unwrap().replace(&label, forged)).unwrap();
        assert_eq!(Imported::of(&inputs), None, "{forged}");
    }
}

/// The sizes that the original measured of posts; of notifications it measured Python objects.
#[test]
fn an_imported_cell_tells_the_bytes_of_its_posts() {
    let dir = tempdir();
    let store = dir.path().join("results");
    import_into(&store, &golden()).unwrap();
    let mut told = Vec::new();
    for (record, _) in rows_of(&store) {
        let imported = Imported::of(&record.inputs).unwrap();
        assert_eq!(imported.notification_bytes(), None);
        told.push((record.inputs.axes.antipode, record.inputs.axes.delay_ms, imported.post_bytes()));
    }
    told.sort();
    insta::assert_debug_snapshot!(told);
}

/// Folders of other versions of the scripts, and folders that were fixed by hand.
#[test]
fn what_a_trace_lacks_stays_empty_and_comes_out_as_it_went_in() {
    let folder = "gather/dynamo-mq/eu-sg__2__delay-1500ms-20230916091501";
    let head = ";reader_received_at;consistent_read;notification_to_reader_spent_ms;client_latency_ms;\
                client_visibility_latency_ms;writer_latency_ms;writer_visibility_latency_ms\n";
    // Every choice of the four.
    for told in 0..16_u8 {
        let line = |place: u8, told: u8| {
            let field =
                |n: u8| if told & (1 << n) == 0 { String::new() } else { format!("{}", 190 + 17 * u32::from(n)) };
            format!("{place};1694855701.75;1;312;{};{};{};{}\n", field(0), field(1), field(2), field(3))
        };
        let traces = format!("{head}{}{}", line(0, told), line(1, 15 - told));
        let dir = tempdir();
        let [given, store, out] = ["given", "results", "out"].map(|name| dir.path().join(name));
        fs::create_dir_all(given.join(folder)).unwrap();
        fs::copy(golden().join(folder).join("tags.yml"), given.join(folder).join("tags.yml")).unwrap();
        fs::write(given.join(folder).join("traces.csv"), &traces).unwrap();
        import_into(&store, &given).unwrap();
        export_store(&store, &out);
        assert_eq!(fs::read_to_string(out.join(folder).join("traces.csv")).unwrap(), traces);
        let windows: Vec<bool> = rows_of(&store)[0].1.iter().map(|row| row.window_us().is_some()).collect();
        assert!(told & 8 == 0 || windows[0], "{traces}");
    }
}

#[test]
fn a_second_import_changes_nothing_and_parts_make_the_whole() {
    let dir = tempdir();
    let (whole, parts) = (dir.path().join("whole"), dir.path().join("parts"));
    import_into(&whole, &golden()).unwrap();
    let before = files_of(&whole);
    assert!(import_into(&whole, &golden().join("gather")).unwrap().cells.iter().all(|cell| cell.already_there));
    assert_eq!(files_of(&whole), before);

    let gather = golden().join("gather");
    import_into(&parts, &gather.join("dynamo-mq")).unwrap();
    for folder in ["eu-us__5__delay-0ms-20230915134647", "antipode__eu-us__4__delay-0ms-20230915140012"] {
        import_into(&parts, &gather.join("cache-sns").join(folder)).unwrap();
    }
    assert_eq!(rows_of(&parts), rows_of(&whole));
}

/// Names and sizes of a store's files, but for its lock and index.
fn files_of(store: &std::path::Path) -> Vec<(std::path::PathBuf, u64)> {
    let mut found = Vec::new();
    for part in ["objects", "cells", "attempts"] {
        let mut directories = vec![store.join(part)];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
                if entry.path().is_dir() {
                    directories.push(entry.path())
                } else {
                    found.push((entry.path(), entry.metadata().unwrap().len()))
                }
            }
        }
    }
    found.sort();
    found
}

#[test]
fn no_key_of_an_imported_cell_is_a_measured_ones() {
    let dir = tempdir();
    let store = dir.path().join("results");
    import_into(&store, &golden()).unwrap();
    for (record, _) in rows_of(&store) {
        let imported = Imported::of(&record.inputs).unwrap();
        let mut measured = record.inputs.clone();
        measured.fingerprint = matrix_plan::Fingerprint::new(&"services").unwrap();
        assert_eq!(Imported::of(&measured), None);
        assert_ne!(matrix_plan::Cell::new(measured).unwrap().key, record.key);
        assert!(imported.gathered().is_some());
    }
}
