//! No room: files beyond a size cannot be written, which the system tells like a full disk.

use std::process::Command;

use crate::workbench::{Printed, SMALL, Workbench, ended};

/// Runs the command where files above `kilobytes` cannot be written. Without `caught`, the signal that comes with it ends
/// whoever does not handle it.
fn cramped(bench: &Workbench, kilobytes: u32, caught: bool, args: &[&str]) -> Printed {
    let ignore = if caught { "trap '' XFSZ; " } else { "" };
    let script = format!("{ignore}ulimit -f {kilobytes}; exec \"$0\" \"$@\"");
    let binary = env!("CARGO_BIN_EXE_matrix");
    let mut shell = Command::new("bash");
    shell.args(["-c", &script, binary]).args(args).current_dir(bench.path("")).env("TMPDIR", bench.path("tmp"));
    ended(&mut shell)
}

/// A folder for temporary files, and results of which each trace has more bytes than ten for each request.
fn large(requests: u32) -> Workbench {
    let bench = Workbench::with(&SMALL.replace("requests = 40", &format!("requests = {requests}")));
    std::fs::create_dir(bench.path("tmp")).unwrap();
    bench
}

#[test]
fn a_full_disk_loses_nothing_that_was_done() {
    let bench = large(20_000);
    let there = ["--results", "my results"];
    let with = |args: &[&'static str]| [args, &there].concat();
    // The traces cannot be written, the small files can.
    let printed = cramped(&bench, 200, false, &with(&["run", "small.toml", "--jobs", "1"])).code(3);
    printed.err_has("File too large");
    // What goes on with it is told as a shell takes it.
    let resume = printed.err.split_once("When the cause is fixed: ").unwrap().1.lines().next().unwrap();
    assert!(bench.matrix(&with(&["status"])).code(0).out.contains(resume), "{resume}");
    let args = shlex::split(resume.strip_prefix("matrix ").unwrap()).unwrap();
    bench.matrix(&args.iter().map(String::as_str).collect::<Vec<_>>()).code(0);
    bench.matrix(&["verify", "my results"]).code(0);
}

#[test]
fn what_has_no_room_is_not_begun_and_not_half_there() {
    let bench = large(6_000);
    bench.matrix(&["run", "small.toml"]).code(0);
    bench.matrix(&["bundle", "create", "-o", "whole.tar.zst"]).code(0);
    bench.matrix(&["export", "--as", "gather", "original"]).code(0);
    let before = bench.files("");
    let commands: [(u32, &[&str]); 9] = [
        (50, &["bundle", "create", "-o", "other.tar.zst"]),
        (50, &["bundle", "extract", "whole.tar.zst", "-o", "bag"]),
        (50, &["bundle", "extract", "whole.tar.zst", "--as-store", "-o", "store"]),
        (50, &["bundle", "merge", "whole.tar.zst", "whole.tar.zst", "-o", "merged.tar.zst"]),
        (50, &["export", "--as", "gather", "again"]),
        (50, &["status", "--results", "whole.tar.zst"]),
        (50, &["verify", "whole.tar.zst"]),
        (4, &["plot", "--format", "svg", "--figure", "inconsistencies", "-o", "figures"]),
        (1, &["init", "fresh.toml"]),
    ];
    for (kilobytes, args) in commands {
        let printed = cramped(&bench, kilobytes, true, args).code(2);
        assert!(printed.err.contains("make room there and repeat the command"), "{args:?}: {}", printed.err);
        let mut now = bench.files("");
        // The figure's table is small enough, and whole.
        now.retain(|path, _| !path.ends_with("inconsistencies.csv"));
        assert!(
            now == before,
            "{args:?} left {:?}",
            now.keys().filter(|path| !before.contains_key(*path)).collect::<Vec<_>>()
        );
        bench.matrix(args).code(0);
        for made in ["other.tar.zst", "bag", "store", "merged.tar.zst", "again", "figures", "fresh.toml"] {
            let made = bench.path(made);
            _ = std::fs::remove_file(&made).or_else(|_| std::fs::remove_dir_all(&made));
        }
    }
    // An import keeps the cells that it finished.
    let import = ["import", "original/gather", "--results", "imported"];
    cramped(&bench, 50, true, &import).code(2);
    bench.matrix(&["verify", "imported"]).code(0);
    bench.matrix(&import).code(0);
    bench.matrix(&["verify", "imported"]).code(0);
}
