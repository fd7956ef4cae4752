//! Reading: plan, status, show, why and the summary, as a person sees them.

use crate::workbench::{SMALL, Workbench};

/// Output with what differs from run to run replaced.
fn steady(text: &str) -> String {
    let mut steady = String::new();
    for word in text.split_inclusive(char::is_whitespace) {
        let bare = word.trim_end();
        let is_time = bare.len() > 15 && bare.starts_with("20") && bare.contains('T') && bare.contains('Z');
        steady += &if is_time { word.replace(bare, "TIME") } else { word.to_owned() };
    }
    steady
}

#[test]
fn the_plan_of_a_new_experiment() {
    let bench = Workbench::small();
    let text = bench.matrix(&["plan", "small.toml"]).code(0).out;
    insta::assert_snapshot!(text);
    assert!(!bench.path("results").exists(), "a plan writes nothing");
    let cells = bench.matrix(&["plan", "small.toml", "--cells", "--filter", "post_storage=redis"]).code(0).out;
    insta::assert_snapshot!(cells);
}

#[test]
fn the_summary_of_a_run() {
    let bench = Workbench::small();
    let printed = bench.matrix(&["run", "small.toml"]).code(0);
    insta::assert_snapshot!(printed.out);
}

#[test]
fn show_tells_the_result_its_attempt_and_its_trace() {
    let bench = Workbench::ran();
    let plan = bench.json(&["plan", "small.toml"]);
    let on = |cell: &&serde_json::Value| cell["post_storage"] == "redis" && cell["antipode"] == true;
    let key = plan["cells"].as_array().unwrap().iter().find(on).unwrap()["key"].as_str().unwrap().to_owned();
    let text = bench.matrix(&["show", &key[..10]]).code(0).out;
    let result: Vec<&str> = text.lines().take_while(|line| !line.starts_with("attempt")).collect();
    insta::assert_snapshot!(result.join("\n"));
    assert!(text.contains("attempt ") && text.contains("by matrix"), "{text}");

    let trace = bench.matrix(&["show", &key, "--trace"]).code(0).out;
    assert_eq!(trace.lines().count(), 41);
    let json = bench.json(&["show", &key]);
    assert_eq!(json["records"][0]["key"], key.as_str());
    assert_eq!(json["records"][0]["simulated"], true);
    bench.matrix(&["show", "zzzz"]).code(2);
    bench.matrix(&["show", ""]).code(2);
}

#[test]
fn why_names_the_part_of_the_key_that_differs() {
    let bench = Workbench::ran();
    bench.write(
        "small.toml",
        &SMALL.replace("seed = 7", "seed = 8").replace("[[claim]]", "[barrier]\nmax_ms = 20\n[[claim]]"),
    );
    let plan = bench.json(&["plan", "small.toml"]);
    let key = plan["cells"][0]["key"].as_str().unwrap();
    let json = bench.json(&["why", key, "small.toml"]);
    assert_eq!(json["done"], false);
    let differs: Vec<&str> =
        json["differs"].as_array().unwrap().iter().map(|difference| difference["part"].as_str().unwrap()).collect();
    assert_eq!(differs, ["barrier.max_ms", "seed"]);
    bench.matrix(&["why", key, "small.toml"]).code(0).out_has("barrier.max_ms").out_has("50").out_has("20");
}

#[test]
fn status_lists_runs_and_says_how_far_they_are() {
    let bench = Workbench::small();
    bench.matrix(&["status"]).code(2);
    bench.matrix(&["run", "small.toml", "--filter", "delay_ms=0"]).code(0);
    bench.matrix(&["run", "small.toml"]).code(0);
    let text = bench.matrix(&["status", "small.toml"]).code(0).out;
    // Runs of one second have longer names, and these wider columns.
    let text: Vec<String> =
        steady(&text).lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    insta::assert_snapshot!(text.join("\n"));
}

#[test]
fn the_summary_can_be_printed_again_whole_or_in_part() {
    let bench = Workbench::small();
    bench.matrix(&["table", "small.toml"]).code(2);
    let ran = bench.matrix(&["run", "small.toml", "--plot"]).code(0).out;
    let table = bench.matrix(&["table", "small.toml"]).code(0).out;
    assert!(ran.contains(table.trim()), "{ran}\n{table}");
    let csv = bench.matrix(&["table", "--format", "csv"]).code(0).out;
    assert_eq!(csv, bench.read("plots/small/summary.csv"));
    let part = ["table", "small.toml", "--filter", "delay_ms>=400", "--format", "json"];
    let json = bench.matrix(&part).code(0).json();
    let delays: Vec<&serde_json::Value> =
        json["summary"].as_array().unwrap().iter().map(|row| &row["delay_ms"]).collect();
    assert_eq!((delays, &json["planned"]), (vec![&400.into(), &800.into()], &2.into()));
    bench.matrix(&["table", "small.toml", "--filter", "delay_ms=3"]).code(2).err_has("matches none");
}

#[test]
fn after_an_edit_it_is_said_what_is_new() {
    let bench = Workbench::ran();
    bench.write("small.toml", &SMALL.replace("[[claim]]", "[barrier]\nmax_ms = 20\n[[claim]]"));
    for command in ["plan", "check"] {
        let text = bench.matrix(&[command, "small.toml"]).code(0);
        text.out_has("12 cells differ from done ones only in barrier.max_ms 50 -> 20\n");
    }
    assert_eq!(bench.json(&["plan", "small.toml"])["edits"][0]["cells"], 12);
    // The store then has two versions: which one is read is said, and how the other differs.
    bench.matrix(&["run", "small.toml"]).code(0);
    bench.matrix(&["table"]).code(0).err_has("runs of 2 versions").err_has(": barrier.max_ms 50 -> 20");
    bench.matrix(&["bundle", "create", "-o", "two.tar.zst"]).code(0);
    bench.matrix(&["bundle", "extract", "two.tar.zst", "-o", "bag"]).code(0);
    let readme = bench.read("bag/data/README.md");
    assert!(readme.contains("small was run in 2 versions. The newest is `small-"), "{readme}");
    assert!(readme.contains(": barrier.max\\_ms 50 -> 20") || readme.contains(": barrier.max_ms 50 -> 20"), "{readme}");
}

#[test]
fn what_is_extrapolated_is_said_before_and_after() {
    let bench = Workbench::with(&SMALL.replace("eu->us", "us->sg"));
    let plan = bench.matrix(&["plan", "small.toml"]).code(0).out;
    assert!(plan.contains("extrapolated: us->sg (mysql, dynamo, s3, redis)"), "{plan}");
    let ran = bench.matrix(&["run", "small.toml"]).code(0);
    ran.err_has("note: extrapolated: us->sg (mysql, dynamo, s3, redis)");
    ran.out_has("us->sg[e]").out_has("[e] extrapolated: ");
    let json = bench.json(&["plan", "small.toml"]);
    let key = json["cells"][0]["key"].as_str().unwrap();
    bench.matrix(&["show", key]).code(0).out_has("(simulated, post storage extrapolated)");
}
