//! Badges: each item that a machine checks depends on files of its own.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use crate::workbench::{Workbench, here, walk};

/// A copy of the project's files that badges look at, and in `results` what its small experiment gives.
fn project() -> Workbench {
    let bench = Workbench::new();
    let here = here();
    let all = [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "CITATION.cff",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "Cargo.toml",
        "Cargo.lock",
        "build.rs",
        "src",
        "crates",
        "docs",
        "experiments",
        "lambdas",
        "workloads",
        "plots",
        "scripts",
        ".ci",
    ];
    for path in all.iter().flat_map(|name| walk(&here.join(name))).filter(|path| path.is_file()) {
        let to = bench.path("project").join(path.strip_prefix(&here).unwrap());
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(&path, to).unwrap();
    }
    bench.write(
        "project/experiments/quick.toml",
        &bench.read("project/experiments/quick.toml").replace("requests = 50", "requests = 20"),
    );
    bench.matrix(&["run", "project/experiments/quick.toml"]).code(0);
    bench
}

/// How each item stands.
fn stand(bench: &Workbench) -> BTreeMap<String, String> {
    let json = bench.matrix(&["badge", "--project", "project", "--format", "json"]).code(0).json();
    let items = json["items"].as_array().unwrap();
    let count = |status: &str| items.iter().filter(|item| item["status"] == status).count();
    for (total, status) in [("passed", "pass"), ("failed", "fail"), ("for_a_person", "person")] {
        assert_eq!(json[total], count(status), "{status}");
    }
    for item in items {
        assert_eq!(item["status"] == "fail", item["mend"].is_string(), "a mend for what fails: {item}");
    }
    let text = |item: &serde_json::Value, key: &str| item[key].as_str().unwrap().to_owned();
    items.iter().map(|item| (text(item, "id"), text(item, "status"))).collect()
}

fn first(bench: &Workbench, folder: &str) -> PathBuf {
    let found = walk(&bench.path(folder)).into_iter().filter(|path| path.is_file());
    found.min().unwrap()
}

#[test]
fn removing_the_file_behind_an_item_flips_exactly_that_item() {
    let bench = project();
    let whole = stand(&bench);
    let failing: Vec<_> = whole.iter().filter(|(_, status)| *status == "fail").collect();
    assert!(failing.is_empty(), "{failing:?}");
    let file = |name: &str| bench.path("project").join(name);
    // A run's whole folder.
    let run = first(&bench, "results/runs").parent().unwrap().to_owned();
    let behind: Vec<(&str, Vec<PathBuf>)> = vec![
        ("available.1b", vec![file("CITATION.cff")]),
        ("available.2", vec![file("LICENSE-MIT"), file("LICENSE-APACHE")]),
        ("available.3", vec![file("README.md")]),
        ("functional.1a", vec![file("ARCHITECTURE.md")]),
        ("functional.1b", vec![first(&bench, "results/attempts")]),
        (
            "functional.2a",
            vec![
                file("Cargo.toml"),
                file("workloads/post-notification/plan/Cargo.toml"),
                file("workloads/post-notification/sim/src/lib.rs"),
                file("crates/report/src/derive/replan_check.rs"),
                file("workloads/post-notification/live/src/cloud/stacks/mod.rs"),
                file("build.rs"),
                file("src/cli/init.toml"),
                file("crates/figures/fonts/DejaVuSans.ttf"),
                file("workloads/post-notification/aws/prices/2026-11.toml"),
                file("workloads/post-notification/sim"),
                file("workloads/post-notification/package"),
            ],
        ),
        ("functional.2b", vec![first(&bench, "results/objects")]),
        ("functional.2c", vec![file("experiments/sosp.toml")]),
        ("functional.2d", vec![file("scripts/test")]),
        ("functional.3", vec![file("docs/formats.md")]),
        ("functional.4a", vec![file("docs/guide.md")]),
        ("functional.4b", vec![file("CONTRIBUTING.md")]),
        ("functional.5a", vec![file("Cargo.lock")]),
        ("functional.5b", vec![file("scripts/install-test-needs")]),
        ("functional.6a", vec![file("experiments/quick.toml")]),
        ("functional.6b", vec![file("experiments/models/aws-2021.toml")]),
        ("functional.7a", vec![file(".ci/run")]),
        ("reproduced.1", vec![first(&bench, "results/cells"), run]),
        (
            "reproduced.2a",
            vec![
                file("plots/sosp/consistency_window.svg"),
                file("plots/sosp/inconsistencies.csv"),
                file("plots/sosp"),
                file("plots/local"),
                file("plots"),
            ],
        ),
    ];
    let by_machine: Vec<&String> = whole.iter().filter(|(_, status)| *status == "pass").map(|(id, _)| id).collect();
    let mut covered: Vec<&str> = behind.iter().map(|(id, _)| *id).collect();
    covered.push("reproduced.4");
    covered.sort_unstable();
    assert_eq!(by_machine, covered, "every item that a machine checks is tried here");

    for (id, files) in behind {
        for path in files {
            let away = bench.path("away");
            std::fs::rename(&path, &away).unwrap();
            let now = stand(&bench);
            std::fs::rename(&away, &path).unwrap();
            let flipped: Vec<&String> =
                now.iter().filter(|(id, status)| whole[*id] != **status).map(|(id, _)| id).collect();
            assert_eq!(flipped, [id], "without {}", path.display());
        }
    }
    assert_eq!(stand(&bench), whole);
}

#[test]
fn contents_count_not_only_names() {
    let bench = project();
    let whole = stand(&bench);
    let flips = |name: &str, from: &str, to: &str| {
        let path = format!("project/{name}");
        let text = bench.read(&path);
        assert!(text.contains(from), "{from} in {name}");
        bench.write(&path, &text.replace(from, to));
        let now = stand(&bench);
        bench.write(&path, &text);
        now.into_iter().filter(|(id, status)| whole[id] != *status).map(|(id, _)| id).collect::<Vec<_>>()
    };
    assert_eq!(flips("README.md", "Enforcing Cross-Service", "Enforcing"), ["available.3"]);
    assert_eq!(flips("LICENSE-MIT", "Permission is hereby granted", "Nothing is granted"), ["available.2"]);
    assert_eq!(flips("CITATION.cff", "version: 0.2.0", "version: 0.0.9"), ["available.1b"]);
    assert_eq!(flips("ARCHITECTURE.md", "workloads/post-notification/gather", "crates/other"), ["functional.1a"]);
    assert_eq!(flips("docs/formats.md", "`barrier_polls`", "`polls`"), ["functional.3"]);
    assert_eq!(flips("docs/guide.md", "`concurrency`", "`clients`"), ["functional.4a"]);
    assert_eq!(flips("experiments/quick.toml", "\"redis\"", "\"rediss\""), ["functional.6a"]);
    assert_eq!(flips("experiments/models/aws-2021.toml", "schema = 1", "schema = 7"), ["functional.6b"]);
    let claim = "every_row = \"consistent\"";
    let never = "metric = \"window_mean_ms\"\nat_least = 1000000";
    assert_eq!(flips("experiments/quick.toml", claim, never), ["reproduced.4"]);
    assert_eq!(flips("plots/sosp/inconsistencies.svg", "<svg", "<gvs"), ["reproduced.2a"]);

    let chmod = |mode: &str| {
        let done = Command::new("chmod").args([mode, "project/scripts/test"]).current_dir(bench.path("")).status();
        assert!(done.unwrap().success());
    };
    chmod("-x");
    assert_eq!(stand(&bench)["functional.2d"], "fail");
    chmod("+x");
    assert_eq!(stand(&bench), whole);
}

#[test]
fn without_results_only_what_results_show_fails() {
    let bench = project();
    let text = bench.matrix(&["badge", "--project", "project", "--profile", "sosp26"]).code(0).out;
    assert!(text.contains("20 pass, 0 fail, 8 are a person's to judge"), "{text}");
    bench.matrix(&["bundle", "create", "-o", "quick.tar.zst"]).code(0);
    let args = ["badge", "--project", "project", "--results", "quick.tar.zst", "--format", "json"];
    assert_eq!(bench.matrix(&args).code(0).json()["failed"], 0);
    let failing = || -> Vec<String> {
        stand(&bench).into_iter().filter(|(_, status)| status == "fail").map(|(id, _)| id).collect()
    };
    // A folder that is no store is as good as none.
    std::fs::remove_file(bench.path("results/store.toml")).unwrap();
    assert_eq!(failing(), ["functional.1b", "functional.2b", "reproduced.1", "reproduced.4"]);
    std::fs::remove_dir_all(bench.path("results")).unwrap();
    assert_eq!(failing(), ["functional.1b", "functional.2b", "reproduced.1", "reproduced.4"]);
    bench.matrix(&["badge", "--project", "nowhere"]).code(2);
    bench.matrix(&["badge", "--profile", "sosp62"]).code(2);
}
