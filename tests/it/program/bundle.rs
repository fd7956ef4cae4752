//! Bundles of programs' results.

use super::{EXPERIMENT, kv, with};
use crate::workbench::{SMALL, ended};

#[test]
fn a_bundle_is_the_same_every_time_is_verified_and_read_like_a_store() {
    let bench = kv();
    bench.matrix(&["run", "kv.toml"]).code(0);
    bench.matrix(&["bundle", "create", "-o", "one.tar.zst"]).code(0);
    bench.matrix(&["bundle", "create", "-o", "two.tar.zst"]).code(0);
    assert!(std::fs::read(bench.path("one.tar.zst")).unwrap() == std::fs::read(bench.path("two.tar.zst")).unwrap());
    let verified = bench.matrix(&["verify", "one.tar.zst"]).code(0);
    verified.out_has("sound: no fault found");
    verified.out_has("claim: kv: C1: supported");

    // What the evaluator has: no file of the experiment, no program.
    std::fs::remove_file(bench.path("kv.toml")).unwrap();
    std::fs::remove_file(bench.path("bench")).unwrap();
    bench.matrix(&["check", "--results", "one.tar.zst"]).code(0).out_has("C1 (Fig. 1): supported");
    bench.matrix(&["plot", "--results", "one.tar.zst", "-o", "again"]).code(0);
    assert!(bench.read("again/scaling.csv").contains("fast,4,102,102,102,3\n"));
    bench.matrix(&["bundle", "extract", "one.tar.zst", "--as-store", "-o", "store"]).code(0);
    bench.matrix(&["verify", "store"]).code(0);
    bench.matrix(&["bundle", "extract", "one.tar.zst", "-o", "bag"]).code(0);
    let mut sums = std::process::Command::new("sha256sum");
    sums.args(["-c", "--quiet", "manifest-sha256.txt"]);
    assert!(sums.current_dir(bench.path("bag")).status().unwrap().success());
    // Unpacked, and from a pipe, it is the same bundle.
    bench.matrix(&["verify", "bag"]).code(0).out_has("sound: no fault found").out_has("claim: kv: C1: supported");
    bench.matrix(&["check", "--results", "bag"]).code(0).out_has("C1 (Fig. 1): supported");
    let piped = std::fs::File::open(bench.path("one.tar.zst")).unwrap();
    let piped = ended(bench.command(&["verify", "-"]).stdin(std::process::Stdio::from(piped))).code(0);
    assert_eq!(piped.out, verified.out);

    bench.matrix(&["bundle", "create", "--results", "store", "--origin", "eval", "-o", "theirs.tar.zst"]).code(0);
    bench.matrix(&["verify", "theirs.tar.zst"]).code(0).out_has("sound: no fault found");
}

#[test]
fn an_altered_object_is_told_and_what_verify_advises_makes_the_store_sound() {
    let bench = kv();
    bench.matrix(&["run", "kv.toml", "--subset", "small"]).code(0);
    // Rows, and what programs printed.
    for object in crate::workbench::walk(&bench.path("results/objects")).into_iter().filter(|path| path.is_file()) {
        let mut bytes = std::fs::read(&object).unwrap();
        bytes.extend_from_slice(b"more");
        std::fs::write(&object, bytes).unwrap();
        let verified = bench.matrix(&["verify", "--format", "json"]).code(5).json();
        let cure = verified["faults"][0]["cure"].as_str().unwrap();
        let filter = cure.split('\'').nth(1).unwrap_or_else(|| panic!("{cure}"));
        assert!(!cure.contains("rm ") && cure.contains("matrix run FILE --fresh --filter"), "{cure}");
        bench.matrix(&["run", "kv.toml", "--fresh", "--filter", filter]).code(0);
        bench.matrix(&["verify"]).code(0);
    }
}

#[test]
fn experiments_are_chosen_by_their_files() {
    let bench = kv();
    bench.write("other.toml", &EXPERIMENT.replace("\"kv\"", "\"other\"").replace("seed = 7", "seed = 8"));
    bench.write("third.toml", &EXPERIMENT.replace("\"kv\"", "\"third\""));
    bench.write("small.toml", SMALL);
    bench.write("small2.toml", &SMALL.replace("\"small\"", "\"small2\"").replace("seed = 7", "seed = 8"));
    for file in ["kv.toml", "other.toml", "small.toml", "small2.toml"] {
        bench.matrix(&["run", file]).code(0);
    }
    let made = |files: &[&str]| {
        let mut args = vec!["bundle", "create", "-o", "chosen.tar.zst", "--format", "json"];
        args.extend(files);
        let made = bench.matrix(&args).code(0).json();
        bench.matrix(&["verify", "chosen.tar.zst"]).code(0);
        (made["experiments"].to_string(), made["cells"]["done"].as_u64().unwrap())
    };
    assert_eq!(made(&["kv.toml"]), ("[\"kv\"]".to_owned(), 18));
    assert_eq!(made(&["kv.toml", "other.toml"]), ("[\"kv\",\"other\"]".to_owned(), 36));
    assert_eq!(made(&["small.toml"]), ("[\"small\"]".to_owned(), 12));
    assert_eq!(made(&["small.toml", "small2.toml"]), ("[\"small\",\"small2\"]".to_owned(), 24));
    let both = bench.matrix(&["bundle", "create", "kv.toml", "small.toml", "-o", "both.tar.zst"]).code(2);
    both.err_has("do not go into one bundle");
    for command in [&["bundle", "create", "third.toml", "-o", "third.tar.zst"][..], &["report", "third.toml"]] {
        bench.matrix(command).code(2).err_has("there are no results of third.toml");
    }
    let both = bench.json(&["diff", "results", "results"]);
    let identical: Vec<_> = both.as_array().unwrap().iter().map(|one| one["identical"].as_u64().unwrap()).collect();
    assert_eq!(identical, [18, 18, 24], "programs' experiments, then all of schema 1: {both}");
    let both = bench.matrix(&["diff", "results", "results"]).code(0);
    both.out_has("other: 18 results are the very same").out_has("24 results of the same cells: 24 identical");
    let one = bench.matrix(&["diff", "results", "chosen.tar.zst", "--format", "json"]).code(0);
    one.err_has("only in A: results of programs");
    assert_eq!(one.json()["identical"], 24);
    bench.matrix(&["report", "kv.toml", "small.toml", "-o", "two.html"]).code(0);
    let page = bench.read("two.html");
    assert!(
        page.contains(">kv<") && page.contains(">small<") && !page.contains(">other<") && !page.contains(">small2<")
    );
}

#[test]
fn tables_and_figures_are_the_same_bytes_with_one_thread_and_eight() {
    // Sums of these depend on the order in which they are added, and there are several blocks of them.
    let program = "#!/bin/sh\nawk 'BEGIN { srand(7); print \"latency_us,found\"; for (i = 0; i < 60000; i++) \
                   printf \"%.17g,true\\n\", (rand() - 0.5) * 10 ^ int(rand() * 16) }' > $3\n";
    let text = EXPERIMENT.replace("type = \"integer\"", "type = \"real\"");
    let text = text.replace("threads = { from = 1, to = 4, factor = 2 }", "threads = [1]");
    let text = text.replace(
        "[[claim]]\nid = \"C2\"",
        "[[metric]]\nname = \"p99\"\nis = \"p99(latency_us)\"\n\n[[claim]]\nid = \"C2\"",
    );
    let bench = with(&text, program);
    bench.matrix(&["run", "kv.toml"]).code(0);
    for threads in ["1", "8"] {
        let name = format!("{threads}.tar.zst");
        ended(bench.command(&["bundle", "create", "-o", &name]).env("POLARS_MAX_THREADS", threads)).code(0);
    }
    assert!(std::fs::read(bench.path("1.tar.zst")).unwrap() == std::fs::read(bench.path("8.tar.zst")).unwrap());
}
