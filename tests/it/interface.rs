//! The interface: help, manual, completions. A change of it is seen in review.

use crate::workbench::{Workbench, ended};

#[test]
fn the_command_line_reference() {
    let bench = Workbench::new();
    let mut reference = bench.matrix(&["--help"]).code(0).out;
    let commands = "run,resume,plan,status,table,show,why,plot,check,verify,diff,bundle,bundle create,\
                    bundle extract,bundle merge,bundle replay,bundle sign,import,export,testbed,testbed up,\
                    testbed status,live,live run,live clean,aws,aws setup,aws doctor,aws clean,badge,gc,model fit,\
                    init,completions,man";
    for command in commands.split(',') {
        let words: Vec<&str> = command.split(' ').chain(["--help"]).collect();
        let help = bench.matrix(&words).code(0).out;
        reference += &format!("\n=== matrix {command}\n{help}");
    }
    insta::assert_snapshot!(reference);
}

#[test]
fn manual_and_completions_come_from_the_same_definition() {
    let bench = Workbench::new();
    let man = bench.matrix(&["man"]).code(0).out;
    assert!(man.contains(".TH") && man.contains("resume"), "{man}");
    bench.matrix(&["man", "--out", "pages"]).code(0);
    assert!(bench.read("pages/matrix-run.1").contains("filter"));
    for shell in ["bash", "zsh", "fish"] {
        let script = bench.matrix(&["completions", shell]).code(0).out;
        assert!(script.contains("resume") && script.contains("filter"), "{shell}");
    }
}

#[test]
fn usage_errors_end_with_2_and_a_closed_pipe_is_no_error() {
    let bench = Workbench::small();
    for bad in [&["rum"][..], &["run"], &["run", "small.toml", "--jobs", "0"], &["plot", "--format", "pdf"], &["show"]]
    {
        let printed = bench.matrix(bad).code(2);
        assert!(!printed.err.is_empty());
    }
    bench.matrix(&["run", "small.toml"]).code(0);
    let binary = env!("CARGO_BIN_EXE_matrix");
    let script = format!("{binary} plan small.toml --cells | true; echo ${{PIPESTATUS[0]}}");
    assert_eq!(
        ended(std::process::Command::new("bash").args(["-c", &script]).current_dir(bench.path(""))).out.trim(),
        "0"
    );
}

#[test]
fn init_writes_an_experiment_that_runs_and_never_overwrites() {
    let bench = Workbench::new();
    bench.matrix(&["init", "mine.toml"]).code(0);
    bench.matrix(&["plan", "mine.toml"]).code(0);
    bench.write("mine.toml", "precious");
    bench.matrix(&["init", "mine.toml"]).code(2);
    assert_eq!(bench.read("mine.toml"), "precious");
}
