//! Figures from the command line.

use crate::workbench::{SMALL, Workbench, here};

#[test]
fn plot_draws_every_figure_the_results_have_data_for() {
    let bench = Workbench::small();
    bench.matrix(&["run", "small.toml", "--plot"]).code(0);
    let drawn = bench.files("plots/small");
    for figure in [
        "consistency_window",
        "delay_vs_per_inconsistencies",
        "storage_overhead",
        "inconsistencies",
        "visibility_latency",
    ] {
        for ending in ["csv", "svg", "png"] {
            assert!(drawn.contains_key(std::path::Path::new(&format!("{figure}.{ending}"))), "{figure}.{ending}");
        }
        let svg = bench.read(&format!("plots/small/{figure}.svg"));
        assert!(svg.contains("simulated"), "{figure} says where its numbers come from");
    }
    bench.matrix(&["plot", "small.toml"]).code(0);
    assert_eq!(drawn, bench.files("plots/small"), "same results and same binary, same bytes");
}

#[test]
fn one_figure_in_one_format_somewhere_else() {
    let bench = Workbench::ran();
    let args = ["plot", "--figure", "delay_vs_per_inconsistencies", "--format", "svg", "--out", "elsewhere"];
    bench.matrix(&args).code(0);
    let names: Vec<String> = bench.files("elsewhere").keys().map(|path| path.display().to_string()).collect();
    let list = ".drawn.sha256";
    assert_eq!(names, [list, "delay_vs_per_inconsistencies.csv", "delay_vs_per_inconsistencies.svg"]);
    bench.matrix(&["plot", "--figure", "delay_vs_per_inconsistency"]).code(2).err_has("delay_vs_per_inconsistencies");
}

#[test]
fn incomplete_results_are_said_to_be_so() {
    let bench = Workbench::small();
    bench.matrix(&["run", "small.toml", "--filter", "post_storage!=mysql"]).code(0);
    bench.matrix(&["plot", "small.toml", "--figure", "consistency_window"]).code(0);
    let svg = bench.read("plots/small/consistency_window.svg");
    assert!(svg.contains("2 of 12 cells"), "the figure counts the missing cells");
}

/// `experiments/figures.toml`, an experiment of schema 2 with figures of its own, with fewer requests and rounds.
fn declared() -> Workbench {
    let bench = Workbench::new();
    let model = "models/aws-2021.toml";
    std::fs::create_dir(bench.path("models")).unwrap();
    std::fs::copy(here().join("experiments").join(model), bench.path(model)).unwrap();
    let text = std::fs::read_to_string(here().join("experiments/figures.toml")).unwrap();
    bench.write("figures.toml", &text.replace("requests = 400", "requests = 40").replace("rounds = 5", "rounds = 3"));
    bench
}

#[test]
fn schema_2_has_the_same_cells_and_figures_of_its_own() {
    let bench = declared();
    let keys = |name: &str| {
        let plan = bench.json(&["plan", name]);
        plan["cells"].as_array().unwrap().iter().map(|cell| cell["key"].to_string()).collect::<Vec<_>>()
    };
    let text = bench.read("figures.toml").replace("schema = 2\nworkload = \"post-notification\"", "schema = 1");
    bench.write("one.toml", text.split("[[figure]]").next().unwrap());
    assert_eq!(keys("figures.toml"), keys("one.toml"));
    bench.matrix(&["run", "figures.toml", "--plot"]).code(0);
    for figure in ["cost_of_waiting", "polls"] {
        let csv = bench.read(&format!("plots/figures/{figure}.csv"));
        assert_eq!(csv.lines().next(), Some("post_storage,delay_ms,value,low,high,rounds"));
        assert_eq!(csv.lines().count(), 1 + 3 * 6, "{csv}");
        let svg = bench.read(&format!("plots/figures/{figure}.svg"));
        assert!(svg.contains("simulated"), "{figure} says where its numbers come from");
    }
    let again = bench.matrix(&["run", "one.toml"]).code(0);
    assert_eq!(again.out, "nothing to do: 108 of 108 cells are done\n");
    let drawn = bench.files("plots/figures");
    bench.matrix(&["run", "figures.toml"]).code(0).err_has("the experiment's text has changed");
    bench.matrix(&["plot"]).code(0);
    assert_eq!(drawn, bench.files("plots/figures"), "what the run saved has the figures as well");
    let args = ["plot", "figures.toml", "--figure", "polls", "--format", "svg", "--out", "elsewhere"];
    bench.matrix(&args).code(0);
    assert!(bench.path("elsewhere/polls.svg").is_file() && !bench.path("elsewhere/inconsistencies.svg").exists());

    bench.matrix(&["bundle", "create", "-o", "figures.tar.zst"]).code(0);
    bench.matrix(&["verify", "figures.tar.zst"]).code(0);
    bench.matrix(&["plot", "--results", "figures.tar.zst", "--figure", "polls", "--out", "theirs"]).code(0);
    assert_eq!(bench.read("theirs/polls.csv"), bench.read("plots/figures/polls.csv"));

    bench.write("figures.toml", &bench.read("figures.toml").replace("\"polls\"", "\"looks\""));
    bench.matrix(&["plot", "figures.toml"]).code(0).err_has("removed from plots/figures: 3 files");
    assert!(bench.path("plots/figures/looks.svg").is_file() && !bench.path("plots/figures/polls.svg").exists());
}

#[test]
fn a_figure_that_names_no_metric_is_told_with_its_place() {
    let bench = declared();
    bench.write("figures.toml", &bench.read("figures.toml").replace("window_p99_ms", "window_p98_ms"));
    let printed = bench.matrix(&["plan", "figures.toml"]).code(2);
    printed.err_has("unknown metric `window_p98_ms`");
    printed.err_has("did you mean `window_p9");
    bench.write("small.toml", &SMALL.replace("[[claim]]", "[[figure]]\nname = \"own\"\n[[claim]]"));
    bench.matrix(&["plan", "small.toml"]).code(2).err_has("unknown key `figure`");
}
