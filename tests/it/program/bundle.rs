//! Bundles of programs' results.

use super::kv;

#[test]
fn a_bundle_is_the_same_every_time_is_verified_and_read_like_a_store() {
    let bench = kv();
    bench.matrix(&["run", "kv.toml"]).code(0);
    bench.matrix(&["bundle", "create", "-o", "one.tar.zst"]).code(0);
    bench.matrix(&["bundle", "create", "-o", "two.tar.zst"]).code(0);
    assert!(std::fs::read(bench.path("one.tar.zst")).unwrap() == std::fs::read(bench.path("two.tar.zst")).unwrap());
    let verified = bench.matrix(&["verify", "one.tar.zst"]).code(0);
    assert!(verified.out.contains("sound: no fault found"), "{}", verified.out);
    assert!(verified.out.contains("claim: kv: C1: supported"), "{}", verified.out);

    // What the evaluator has: no file of the experiment, no program.
    std::fs::remove_file(bench.path("kv.toml")).unwrap();
    std::fs::remove_file(bench.path("bench")).unwrap();
    let checked = bench.matrix(&["check", "--results", "one.tar.zst"]).code(0);
    assert!(checked.out.contains("C1 (Fig. 1): supported"), "{}", checked.out);
    bench.matrix(&["plot", "--results", "one.tar.zst", "-o", "again"]).code(0);
    assert!(bench.read("again/scaling.csv").contains("fast,4,102,102,102,3\n"));
    bench.matrix(&["bundle", "extract", "one.tar.zst", "--as-store", "-o", "store"]).code(0);
    bench.matrix(&["verify", "store"]).code(0);
    bench.matrix(&["bundle", "extract", "one.tar.zst", "-o", "bag"]).code(0);
    let mut sums = std::process::Command::new("sha256sum");
    sums.args(["-c", "--quiet", "manifest-sha256.txt"]);
    assert!(sums.current_dir(bench.path("bag")).status().unwrap().success());

    bench.matrix(&["bundle", "create", "--results", "store", "--origin", "eval", "-o", "theirs.tar.zst"]).code(0);
    let verified = bench.matrix(&["verify", "theirs.tar.zst"]).code(0);
    assert!(verified.out.contains("sound: no fault found"), "{}", verified.out);
}

#[test]
fn a_store_with_an_altered_object_is_told() {
    let bench = kv();
    bench.matrix(&["run", "kv.toml", "--subset", "small"]).code(0);
    let objects = bench.path("results/objects");
    let object = crate::workbench::walk(&objects).into_iter().find(|path| path.is_file()).unwrap();
    let mut bytes = std::fs::read(&object).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&object, bytes).unwrap();
    bench.matrix(&["verify"]).code(5);
}

#[test]
fn an_incomplete_bundle_has_to_be_allowed() {
    let bench = kv();
    bench.matrix(&["run", "kv.toml", "--subset", "small"]).code(0);
    bench.matrix(&["bundle", "create", "-o", "part.tar.zst"]).code(2);
    bench.matrix(&["bundle", "create", "--allow-incomplete", "-o", "part.tar.zst"]).code(0);
    bench.matrix(&["verify", "part.tar.zst"]).code(0);
}
