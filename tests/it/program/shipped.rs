//! The shipped experiments of programs: each runs its first subset, and what that gives can be judged and bundled.

use crate::workbench::{Workbench, here, walk};

fn kick_the_tires(experiment: &str, cells: u64) {
    let bench = Workbench::new();
    for file in walk(&here().join("experiments")).into_iter().filter(|path| path.is_file()) {
        let copy = bench.path("experiments").join(file.strip_prefix(here().join("experiments")).unwrap());
        std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
        std::fs::copy(&file, copy).unwrap();
    }
    let file = format!("experiments/{experiment}");
    let ran = bench.json(&["run", &file, "--subset", "kick-the-tires"]);
    assert_eq!(ran["done"], cells, "{ran}");
    // With one round nothing is supported, and nothing may be contradicted.
    bench.matrix(&["check", &file]).code(0);
    bench.matrix(&["plot", &file]).code(0);
    bench.matrix(&["bundle", "create", "--allow-incomplete", "-o", "bundle.tar.zst"]).code(0);
    bench.matrix(&["verify", "bundle.tar.zst"]).code(0);
}

#[test]
fn compress_runs_its_first_subset() {
    kick_the_tires("compress.toml", 6);
}

#[test]
fn redis_persistence_runs_its_first_subset() {
    kick_the_tires("redis-persistence.toml", 4);
}

#[test]
fn fio_runs_its_first_subset() {
    kick_the_tires("fio.toml", 3);
}

#[test]
fn loom_runs_its_first_subset() {
    kick_the_tires("loom/loom.toml", 6);
}
