//! `matrix badge`: what a project's results add to what its folder shows.

use std::collections::BTreeMap;

use crate::program::kv;
use crate::workbench::Workbench;

/// How each item stands.
fn stand(bench: &Workbench, results: &str) -> BTreeMap<String, String> {
    let json = bench.json(&["badge", "--project", "project", "--results", results]);
    let items = json["items"].as_array().unwrap();
    let count = |status: &str| items.iter().filter(|item| item["status"] == status).count();
    for (total, status) in [("passed", "pass"), ("failed", "fail"), ("for_a_person", "person")] {
        assert_eq!(json[total], count(status), "{status}");
    }
    let text = |item: &serde_json::Value, key: &str| item[key].as_str().unwrap().to_owned();
    items.iter().map(|item| (text(item, "id"), text(item, "status"))).collect()
}

#[test]
fn results_of_any_workload_count_as_a_store_and_as_a_bundle() {
    let of_results = ["functional.1b", "functional.2b", "functional.2c", "reproduced.1b", "reproduced.4"];
    let small = Workbench::small();
    small.matrix(&["run", "small.toml"]).code(0);
    let program = kv();
    program.matrix(&["run", "kv.toml"]).code(0);
    for bench in [small, program] {
        std::fs::create_dir(bench.path("project")).unwrap();
        bench.write("project/main.c", "int main(void) { return 0; }\n");
        let without = stand(&bench, "nowhere");
        let with = stand(&bench, "results");
        bench.matrix(&["bundle", "create", "-o", "all.tar.zst"]).code(0);
        assert_eq!(stand(&bench, "all.tar.zst"), with);
        for id in of_results {
            assert_eq!((without[id].as_str(), with[id].as_str()), ("fail", "pass"), "{id}");
        }
        let others = |stand: &BTreeMap<String, String>| {
            stand.clone().into_iter().filter(|(id, _)| !of_results.contains(&id.as_str())).collect::<Vec<_>>()
        };
        assert_eq!(others(&without), others(&with));

        // A damaged object is one item's, and claims are not judged by it.
        let object = crate::workbench::walk(&bench.path("results/objects")).into_iter().find(|path| path.is_file());
        std::fs::write(object.unwrap(), "damaged").unwrap();
        assert_eq!(stand(&bench, "results")["functional.2b"], "fail");
    }
}

#[test]
fn the_checklist_is_printed_for_people() {
    let bench = Workbench::new();
    let text = bench.matrix(&["badge", "--profile", "sosp26"]).code(0).out;
    insta::assert_snapshot!(text);
    bench.matrix(&["badge", "--project", "nowhere"]).code(2);
    bench.matrix(&["badge", "--profile", "sosp62"]).code(2);
}

#[test]
#[cfg(unix)]
fn the_name_of_a_file_cannot_pose_as_a_line_of_the_checklist() {
    let bench = Workbench::new();
    std::fs::create_dir(bench.path("project")).unwrap();
    bench.write("project/main.c", "int main(void) { return 0; }\n");
    std::os::unix::fs::symlink("nothing", bench.path("project/x\npass    available.2   Forged")).unwrap();
    let text = bench.matrix(&["badge", "--project", "project"]).code(0).out;
    assert!(text.contains("not there: x\\npass    available.2   Forged (a link to nothing)"), "{text}");
    assert!(!text.lines().any(|line| line.ends_with("Forged")), "{text}");
}
