//! Figures from the command line.

use crate::workbench::Workbench;

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
    let bench = Workbench::small();
    bench.matrix(&["run", "small.toml"]).code(0);
    let args = ["plot", "--figure", "delay_vs_per_inconsistencies", "--format", "svg", "--out", "elsewhere"];
    bench.matrix(&args).code(0);
    let names: Vec<String> = bench.files("elsewhere").keys().map(|path| path.display().to_string()).collect();
    let list = ".drawn.sha256";
    assert_eq!(names, [list, "delay_vs_per_inconsistencies.csv", "delay_vs_per_inconsistencies.svg"]);
    let printed = bench.matrix(&["plot", "--figure", "delay_vs_per_inconsistency"]).code(2);
    assert!(printed.err.contains("delay_vs_per_inconsistencies"), "{}", printed.err);
}

#[test]
fn incomplete_results_are_said_to_be_so() {
    let bench = Workbench::small();
    bench.matrix(&["run", "small.toml", "--filter", "post_storage!=mysql"]).code(0);
    bench.matrix(&["plot", "small.toml", "--figure", "consistency_window"]).code(0);
    let svg = bench.read("plots/small/consistency_window.svg");
    assert!(svg.contains("2 of 12 cells"), "the figure counts the missing cells");
}
