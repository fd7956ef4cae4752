//! Output that cannot be written, and text of others in it.

use std::process::Command;

use crate::workbench::{Printed, SMALL, Workbench, ended};

/// Runs a script of bash in the folder; `$m` is the command.
fn script(bench: &Workbench, script: &str) -> Printed {
    let mut bash = Command::new("bash");
    bash.args(["-c", script]).current_dir(bench.path("")).env("m", env!("CARGO_BIN_EXE_matrix"));
    ended(&mut bash)
}

/// A store with a claim that is contradicted, and a copy of it with a damaged object.
fn contradicted() -> Workbench {
    let claim = "\n[[claim]]\nid = \"wrong\"\nsays = \"s\"\nwhere = { post_storage = \"s3\", antipode = false }\nevery_row = \"consistent\"\n";
    let bench = Workbench::with(&format!("{SMALL}{claim}"));
    bench.matrix(&["run", "small.toml"]).code(0);
    script(&bench, "cp -r results damaged").code(0);
    let object = bench.files("damaged").into_keys().find(|path| path.starts_with("objects")).unwrap();
    let path = bench.path("damaged").join(object);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    std::fs::write(&path, bytes).unwrap();
    bench
}

#[test]
fn a_closed_pipe_changes_no_verdict() {
    let bench = contradicted();
    bench.matrix(&["bundle", "create", "-o", "b.tar.zst"]).code(0);
    for (code, args) in [
        (4, "check small.toml"),
        (4, "check small.toml --format json"),
        (4, "check --results b.tar.zst"),
        (5, "verify damaged"),
        (5, "verify damaged --format json"),
        (5, "plot small.toml --results damaged -o figures"),
        (0, "verify"),
        (0, "plan small.toml --cells"),
        (0, "--help"),
        (0, "man"),
        (0, "completions bash"),
        (2, "plan missing.toml"),
        (2, "plan small.toml --nonsense"),
    ] {
        for reader in ["true", "head -c 1 >/dev/null"] {
            let printed = script(&bench, &format!("\"$m\" {args} | {reader}; echo ${{PIPESTATUS[0]}}"));
            assert_eq!(printed.out.trim(), code.to_string(), "{args} | {reader}: {}", printed.err);
        }
    }
}

#[test]
fn an_output_without_room_is_named_and_hides_no_verdict() {
    let bench = contradicted();
    for (code, args) in [
        (2, "run small.toml --set seed=8 --results other"),
        (2, "status"),
        (2, "plan small.toml --format json"),
        (2, "--help"),
        (4, "check small.toml"),
        (5, "verify damaged"),
    ] {
        let printed = script(&bench, &format!("\"$m\" {args} > /dev/full")).code(code);
        assert!(printed.err.contains("no space left writing standard output"), "{args}: {}", printed.err);
    }
    // What was executed is done all the same.
    bench.matrix(&["run", "small.toml", "--set", "seed=8", "--results", "other"]).code(0).out_has("nothing to do");
    script(&bench, "\"$m\" status 2> /dev/full").code(0);
}

const EVIL: &str = r"fine\u001b[2J\u001b[31m\nx: supported\r\u009b2J\u202e\u200b";

/// What a terminal would act on, but for line ends.
fn acts(text: &str) -> bool {
    text.chars().any(|c| c.is_control() && c != '\n' || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'))
}

#[test]
fn text_of_others_does_not_act_on_a_terminal_or_pose_as_ours() {
    let text = SMALL
        .replace("With antipode on, no reader misses its post", EVIL)
        .replace("every_row = \"consistent\"", &format!("every_row = \"consistent\"\nsource = \"{EVIL}\""));
    let bench = Workbench::with(&text);
    bench.matrix(&["run", "small.toml"]).code(0);
    bench.matrix(&["bundle", "create", "-o", "b.tar.zst"]).code(0);
    bench.matrix(&["bundle", "extract", "b.tar.zst", "-o", "bag"]).code(0);
    for args in [
        &["check", "--results", "b.tar.zst"][..],
        &["check", "--results", "b.tar.zst", "--format", "json"],
        &["verify", "b.tar.zst"],
        &["status", "--results", "b.tar.zst"],
    ] {
        let printed = bench.matrix(args).code(0);
        assert!(!acts(&printed.out) && !acts(&printed.err), "{args:?}: {printed:?}");
        assert!(!printed.out.lines().any(|line| line.starts_with("x: supported")), "{args:?}: {}", printed.out);
    }
    let json = bench.json(&["check"]);
    assert_eq!(json["claims"][0]["says"], "fine\u{1b}[2J\u{1b}[31m\nx: supported\r\u{9b}2J\u{202e}\u{200b}");
    assert!(!acts(&bench.read("bag/data/README.md")));

    // Lines of a file that is quoted, words of the command line, and names of files.
    bench.write("evil.toml", "schema = 1\nname = \"\u{1b}[31m\u{202e}\"\n");
    std::fs::write(bench.path("results/cells/a\u{1b}[2J\nFAULT: x"), "").unwrap();
    for (code, args) in [
        (2, &["plan", "evil.toml"][..]),
        (2, &["plan", "small.toml", "--filter", "\u{1b}[2J=1"]),
        (2, &["show", "\u{1b}[2J"]),
        (2, &["\u{1b}[2J"]),
        (0, &["verify"]),
    ] {
        let printed = bench.matrix(args).code(code);
        assert!(!acts(&printed.out) && !acts(&printed.err), "{args:?}: {printed:?}");
        assert!(!printed.out.lines().any(|line| line.starts_with("FAULT")), "{args:?}: {}", printed.out);
    }
}

#[test]
fn hints_are_whole_where_they_are_not_read_on_a_terminal() {
    let bench = Workbench::small();
    let long = "a-folder-with-a-long-name/".repeat(8) + "missing-experiment.toml";
    bench.matrix(&["plan", &long]).code(2).err_has(&long);
}

#[test]
fn a_signal_that_was_ignored_stays_ignored() {
    let bench = Workbench::with(&SMALL.replace("requests = 40", "requests = 8000"));
    for signal in ["HUP", "INT", "TERM", "QUIT"] {
        let run = format!(
            "trap '' {signal}; \"$m\" run small.toml --results {signal} >/dev/null 2>&1 & p=$!; \
             until [ -d {signal}/runs ]; do kill -0 $p || exit; sleep 0.01; done; kill -{signal} $p; wait $p; echo $?"
        );
        assert_eq!(script(&bench, &run).out.trim(), "0", "{signal}");
    }
}
