//! What makes a cell new, and what does not.

use super::{BENCH, EXPERIMENT, executable, executions, kv};

#[test]
fn a_changed_input_makes_every_cell_new_and_a_changed_parser_makes_none_run() {
    let bench = kv();
    bench.matrix(&["run", "kv.toml"]).code(0);
    // What is read of the rows is the cell's result, not its meaning: it is read again from what was kept.
    let other = EXPERIMENT.replace("found = { type", "noise = { type = \"text\" }\nfound = { type");
    bench.write("kv.toml", &other);
    for command in [&["check", "kv.toml"] as &[&str], &["table", "kv.toml"], &["plot", "kv.toml"]] {
        bench.matrix(command).code(2).err_has("read in another way").err_has("`matrix run FILE` reads them again");
    }
    bench.matrix(&["run", "kv.toml"]).code(0).err_has("rows of 18 cells were read again").err_has("saved it");
    assert_eq!(executions(&bench), 18);
    let key = bench.json(&["plan", "kv.toml"])["cells"][0]["key"].as_str().unwrap().to_owned();
    let shown = bench.matrix(&["show", &key]).code(0).out;
    assert!(!shown.contains("passed over"), "`noise` is declared now: {shown}");
    // What is read without a file is read as the rows were.
    bench.matrix(&["check"]).code(0).err_has("runs of 2 versions");
    bench.matrix(&["export", "--as", "csv", "--experiment", "kv.toml", "named.csv"]).code(0);
    bench.matrix(&["export", "--as", "csv", "all.csv"]).code(0);
    let all = bench.read("all.csv");
    assert_eq!(all, bench.read("named.csv"));
    assert!(all.lines().any(|line| line.starts_with("slow,1,1,local,") && line.ends_with(",1001,x,true")), "{all}");
    bench.matrix(&["verify"]).code(0);

    executable(&bench, "bench", &BENCH.replace("base=1000", "base=2000"));
    let plan = bench.json(&["plan", "kv.toml"]);
    let key = plan["cells"][0]["key"].as_str().unwrap().to_owned();
    bench.matrix(&["why", &key, "kv.toml"]).code(0).out_has("command.inputs.bench.sha256");
    bench.matrix(&["run", "kv.toml"]).code(0);
    assert_eq!(executions(&bench), 36);
    // Arguments, environment and names that are passed count; site, metrics, claims and the order of keys do not.
    let keys = |text: &str| {
        bench.write("other.toml", text);
        let plan = bench.json(&["plan", "other.toml"]);
        let mut keys: Vec<String> =
            plan["cells"].as_array().unwrap().iter().map(|cell| cell["key"].as_str().unwrap().to_owned()).collect();
        keys.sort();
        keys
    };
    let mine = keys(&other);
    let swapped =
        other.replace("inputs = [\"bench\"]\n", "").replace("rows = \"csv", "inputs = [\"bench\"]\nrows = \"csv");
    assert_eq!(keys(&swapped), mine);
    assert_eq!(keys(&other.replace("[[metric]]", "[site]\nx = \"1\"\n[[metric]]")), mine);
    assert_eq!(keys(&other.replace("better = \"lower\"\n", "")), mine);
    for (from, to) in [
        ("\"{engine}\",", "\"{engine}\", \"-v\","),
        ("COUNT = \"", "MORE = \"1\", COUNT = \""),
        ("inputs = [", "pass = [\"LANGUAGE\"]\ninputs = ["),
        ("inputs = [", "warmup = 1\ninputs = ["),
        ("inputs = [", "timeout_s = 5\ninputs = ["),
        ("inputs = [", "setup = [[\"true\"]]\ninputs = ["),
        ("seed = 7", "seed = 8"),
    ] {
        let changed = keys(&other.replacen(from, to, 1));
        assert!(changed.iter().all(|key| !mine.contains(key)), "{to}");
    }
    std::fs::write(bench.path("bench"), BENCH).unwrap();
    assert_ne!(keys(&other), mine, "the digest of an input counts");
}
