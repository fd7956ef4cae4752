//! What experiments on AWS are estimated to cost, and what may be spent.

use crate::workbench::Workbench;

/// Eight cells on AWS.
const AWS: &str = r#"
schema = 1
name = "small"
platform = "aws"
requests = 1000

[[matrix]]
name = "pairs"
post_storage = ["redis", "s3"]
notification_storage = ["sns", "dynamo"]
regions = ["eu->us"]
delay_ms = [0]
antipode = [false, true]
"#;

/// What was complained of, its lines joined.
fn told(err: &str) -> String {
    err.split_whitespace().filter(|word| *word != "|").collect::<Vec<_>>().join(" ")
}

/// Prices a thousand times as high: all zeros of `per` less.
fn dear_prices() -> String {
    let prices = include_str!("../../workloads/post-notification/aws/prices/2026-11.toml");
    prices
        .replace("per = 1000\n", "per = 1\n")
        .replace("per = 1000000\n", "per = 1000\n")
        .replace("2026-11-25", "2030-01-01")
}

#[test]
fn a_plan_of_the_whole_matrix_says_what_it_costs() {
    let bench = Workbench::with(include_str!("../../experiments/aws.toml"));
    bench.write(
        "connection_info.yaml",
        include_str!("../../workloads/post-notification/aws/tests/original/connection_info.yaml"),
    );
    insta::assert_snapshot!(bench.matrix(&["plan", "small.toml"]).code(0).out);
}

#[test]
fn a_plan_of_cells_says_what_each_costs_and_what_is_missing() {
    let bench = Workbench::with(AWS);
    insta::assert_snapshot!(bench.matrix(&["plan", "small.toml", "--cells"]).code(0).out);
    bench.write("connection_info.yaml", "datastores:\n  cache: {vpc_required: true, port: many, password: hunter2}\n");
    let wrong = bench.matrix(&["plan", "small.toml"]).code(0);
    wrong.out_has("connection_info.yaml: line 2: datastores.cache.port must be a port");
    wrong.out_lacks("hunter2");
}

#[test]
fn a_plan_as_json_adds_up() {
    let bench = Workbench::with(AWS);
    let plan = bench.matrix(&["plan", "small.toml", "--format", "json", "--filter", "antipode=true"]).code(0).json();
    let cells = plan["cells"].as_array().unwrap();
    let sum = |key: &str| {
        let running = cells.iter().filter(|cell| cell["runs"] == true);
        running.map(|cell| cell["estimate"][key].as_f64().unwrap()).sum::<f64>()
    };
    assert_eq!(plan["to_run"], 4);
    let total = &plan["estimate"]["total"];
    for key in ["requests", "bytes_between_regions", "barrier_polls", "minutes", "dollars"] {
        assert!((total[key].as_f64().unwrap() - sum(key)).abs() < 1e-6, "{key}: {total}");
    }
    let services = total["dollars_by_service"].as_object().unwrap().values();
    let services: f64 = services.map(|dollars| dollars.as_f64().unwrap()).sum();
    assert!((total["dollars"].as_f64().unwrap() - services).abs() < 1e-6);
    assert_eq!(plan["estimate"]["prices_of"], "2026-11-25");
    assert!(cells.iter().all(|cell| cell["estimate"]["dollars"].as_f64().unwrap() > 0.0), "those that do not run, too");
    // Elsewhere nothing is said of costs.
    let plan = bench.matrix(&["plan", "small.toml", "--format", "json", "--platform", "sim"]).code(0).json();
    assert!(plan.get("estimate").is_none() && plan["cells"][0].get("estimate").is_none());
}

#[test]
fn more_than_may_be_spent_is_refused_before_anything_is_made() {
    let bench = Workbench::with(AWS);
    let refused = bench.matrix(&["run", "small.toml", "--max-cost", "0.01"]).code(2);
    assert!(told(&refused.err).contains("8 cells to run are estimated to cost"), "{}", refused.err);
    assert!(told(&refused.err).contains("with prices of 2026-11-25, and --max-cost is 0.01"), "{}", refused.err);
    assert!(!bench.path("results").exists(), "nothing was written");
    // A part that is cheaper is not refused for its cost.
    let part = bench.matrix(&[
        "run",
        "small.toml",
        "--max-cost",
        "0.30",
        "--filter",
        "post_storage=redis and antipode=false and notification_storage=sns",
    ]);
    assert!(!told(&part.err).contains("--max-cost"), "{}", part.err);
    assert!(told(&part.err).contains("estimate for 1 cell: 1000 requests"), "{}", part.err);
}

#[test]
fn other_prices_can_be_used_and_bad_ones_are_pointed_at() {
    let bench = Workbench::with(AWS);
    bench.write("dear.toml", &dear_prices());
    let refused = bench.matrix(&["run", "small.toml", "--max-cost", "20", "--prices", "dear.toml"]).code(2);
    assert!(told(&refused.err).contains("with prices of 2030-01-01, and --max-cost is 20.00"), "{}", refused.err);
    let plan = bench.matrix(&["plan", "small.toml", "--prices", "dear.toml"]).code(0);
    plan.out_has("dollars with prices of 2030-01-01");

    bench.write("bad.toml", &dear_prices().replacen("lambda.request", "lambda.requests", 1));
    let bad = bench.matrix(&["plan", "small.toml", "--prices", "bad.toml"]).code(2);
    assert!(
        told(&bad.err).contains("unknown item `lambda.requests`") && told(&bad.err).contains("bad.toml:"),
        "{}",
        bad.err
    );
    let few = dear_prices();
    let (few, _) = few.split_at(few.find("[[price]]\nitem = \"sqs.request\"").unwrap());
    bench.write("few.toml", few);
    let few = bench.matrix(&["plan", "small.toml", "--prices", "few.toml"]).code(2);
    assert!(told(&few.err).contains("the prices of 2030-01-01 have none of sqs.request in us-east-1"), "{}", few.err);
    assert!(bench.matrix(&["plan", "small.toml", "--prices", "none.toml"]).code(2).err.contains("none.toml"));
}

#[test]
fn money_means_nothing_where_nothing_costs_anything() {
    let bench = Workbench::small();
    for args in [&["run", "small.toml", "--max-cost", "1"][..], &["plan", "small.toml", "--prices", "dear.toml"]] {
        let refused = bench.matrix(args).code(2);
        assert!(told(&refused.err).contains("means nothing on platform `sim`"), "{}", refused.err);
    }
    for bad in ["-1", "lots", "inf", "nan"] {
        let refused = bench.matrix(&["run", "small.toml", &format!("--max-cost={bad}")]).code(2);
        assert!(told(&refused.err).contains("write dollars"), "{}", refused.err);
    }
}
