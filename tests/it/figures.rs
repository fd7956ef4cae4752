//! Figures from the command line.

use crate::workbench::{SMALL, Workbench};

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

/// The small experiment in schema 2, with a figure of its own.
fn declared() -> Workbench {
    let figure = "\n[[figure]]\nname = \"own\"\nkind = \"bars\"\nx = \"post_storage\"\ny = \"window_p99_ms\"\n\
                  ratio_to = { antipode = false }\nwhere = { delay_ms = 0 }\n";
    let text =
        SMALL.replace("schema = 1", "schema = 2\nworkload = \"post-notification\"").replace("rounds = 1", "rounds = 3");
    Workbench::with(&(text + figure))
}

#[test]
fn schema_2_has_the_same_cells_and_figures_of_its_own() {
    let bench = declared();
    let keys = |name: &str| {
        let plan = bench.json(&["plan", name]);
        plan["cells"].as_array().unwrap().iter().map(|cell| cell["key"].to_string()).collect::<Vec<_>>()
    };
    bench.write("one.toml", &SMALL.replace("rounds = 1", "rounds = 3"));
    assert_eq!(keys("small.toml"), keys("one.toml"));
    bench.matrix(&["run", "small.toml", "--plot"]).code(0);
    let csv = bench.read("plots/small/own.csv");
    assert_eq!(csv.lines().next(), Some("post_storage,value,low,high,rounds"));
    assert_eq!(csv.lines().count(), 5, "{csv}");
    assert!(bench.read("plots/small/own.svg").contains("simulated"), "the figure says where its numbers come from");
    let again = bench.matrix(&["run", "one.toml"]).code(0);
    assert_eq!(again.out, "nothing to do: 36 of 36 cells are done\n");
    let drawn = bench.files("plots/small");
    bench.matrix(&["plot"]).code(0);
    assert_eq!(drawn, bench.files("plots/small"), "what the run saved has the figure as well");
    let args = ["plot", "small.toml", "--figure", "own", "--format", "svg", "--out", "elsewhere"];
    bench.matrix(&args).code(0);
    assert!(bench.path("elsewhere/own.svg").is_file() && !bench.path("elsewhere/inconsistencies.svg").exists());

    bench.matrix(&["bundle", "create", "-o", "small.tar.zst"]).code(0);
    bench.matrix(&["verify", "small.tar.zst"]).code(0);
    bench.matrix(&["plot", "--results", "small.tar.zst", "--figure", "own", "--out", "theirs"]).code(0);
    assert_eq!(bench.read("theirs/own.csv"), csv);
}

#[test]
fn a_figure_that_names_no_metric_is_told_with_its_place() {
    let bench = declared();
    bench.write("small.toml", &bench.read("small.toml").replace("window_p99_ms", "window_p98_ms"));
    let printed = bench.matrix(&["plan", "small.toml"]).code(2);
    printed.err_has("unknown metric `window_p98_ms`");
    printed.err_has("did you mean `window_p9");
    bench.write("small.toml", &SMALL.replace("[[claim]]", "[[figure]]\nname = \"own\"\n[[claim]]"));
    bench.matrix(&["plan", "small.toml"]).code(2).err_has("unknown key `figure`");
}
