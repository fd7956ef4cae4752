//! `matrix report`: pages, as a person and a browser meet them.

use std::process::Command;

use crate::program::{BENCH, EXPERIMENT, executable, with};
use crate::workbench::{Printed, SMALL, Workbench, here};

/// Opens pages in a real browser: `scripts/check-report`.
fn open(bench: &Workbench, pages: &[&str]) -> Printed {
    let pages = pages.iter().map(|page| bench.path(page));
    Workbench::printed(Command::new(here().join("scripts/check-report")).args(pages).output().unwrap())
}

#[test]
fn a_browser_finds_no_fault_in_pages_of_a_store_a_comparison_and_an_unfinished_run() {
    let bench = Workbench::small();
    bench.matrix(&["run", "small.toml"]).code(0);
    bench.matrix(&["report"]).code(0);
    let page = bench.read("report.html");
    bench.matrix(&["report", "-o", "again.html"]).code(0);
    assert_eq!(page, bench.read("again.html"), "the same results give the same bytes");
    for words in
        ["1 claim: 1 held.", "simulated", "12 cells planned = 12 done", "With antipode on, no reader misses its post"]
    {
        assert!(page.contains(words), "{words}");
    }

    bench.write("other.toml", &SMALL.replace("seed = 7", "seed = 8"));
    bench.matrix(&["run", "other.toml", "--results", "other"]).code(0);
    bench.matrix(&["bundle", "create", "--results", "other", "-o", "authors.tar.zst"]).code(0);
    bench.matrix(&["report", "--against", "authors.tar.zst", "-o", "against.html"]).code(0);
    let against = bench.read("against.html");
    assert!(against.contains("reproduced") && against.contains("authors.tar.zst"), "{against}");
    // Curves and dots stand in the same figure; a table beside the authors' one.
    assert!(against.contains("The authors&#39;: ") || against.contains("The authors': "), "{against}");
    assert_eq!(against.matches("<div class=\"pair\">").count(), 2, "storage overhead and the table of pairs");

    // Nothing in it but a plan, of which a filter leaves out nearly everything.
    bench.matrix(&["run", "small.toml", "--results", "part", "--filter", "delay_ms = 400"]).code(0);
    bench.matrix(&["report", "--results", "part", "-o", "part.html"]).code(0);
    let part = bench.read("part.html");
    assert!(part.contains("incomplete: 1 of 12 cells done") && part.contains("11 skipped"), "{part}");

    program(&bench);
    // A store in which both kinds of experiments ran.
    bench.write("kv.toml", EXPERIMENT);
    executable(&bench, "bench", BENCH);
    bench.matrix(&["run", "kv.toml"]).code(0);
    bench.matrix(&["report", "-o", "both.html"]).code(0);
    let both = bench.read("both.html");
    for words in ["<title>Results of kv, small</title>", "12 cells planned = 12 done", "18 cells planned = 18 done"] {
        assert!(both.contains(words), "{words}");
    }
    bench.matrix(&["report", "kv.toml", "-o", "one.html"]).code(0);
    let one = bench.read("one.html");
    assert!(one.contains("<title>Results of kv</title>") && !one.contains("12 cells planned"), "{one}");
    let pages = ["report.html", "against.html", "part.html", "program-against.html", "both.html"];
    let printed = open(&bench, &pages).code(0);
    assert_eq!(printed.out.matches("no message, no request, no fault of accessibility").count(), 5, "{printed:?}");
}

/// Pages of a program: one with a failed cell and skipped ones, alone and beside the authors' results.
fn program(bench: &Workbench) {
    let hostile = "<img src=x onerror=alert(1)>";
    let experiment = EXPERIMENT.to_owned()
        + &format!(
            "\n[[require]]\nwhere = \"threads = 4\"\ncpus = \"100000\"\nelse = \"needs a larger machine {hostile}\"\n\
             [[claim]]\nid = \"C3\"\npaper = \"Table 2\"\nsays = \"It scales\"\nuncovered = \"needs 36 cores\"\n"
        );
    let broken = format!("if [ $1$2 = 2fast ]; then echo '{hostile}' >&2; exit 3; fi\nthreads=$1");
    let fails = BENCH.replace("threads=$1", &broken);
    let theirs = with(&experiment, BENCH);
    theirs.matrix(&["run", "kv.toml"]);
    theirs.matrix(&["bundle", "create", "--allow-incomplete", "-o", "authors.tar.zst"]).code(0);
    let ours = with(&experiment, &fails);
    ours.matrix(&["run", "kv.toml"]).code(3);
    let to = |name: &str| bench.path(name).display().to_string();
    ours.matrix(&["report", "kv.toml", "-o", &to("program.html")]).code(0);
    let authors = theirs.path("authors.tar.zst").display().to_string();
    ours.matrix(&["report", "--against", &authors, "-o", &to("program-against.html")]).code(0);
    let page = bench.read("program.html");
    for words in [
        "18 cells planned = 9 done + 0 partial + 3 failed + 6 skipped + 0 pending",
        "it ended with exit code 3",
        "&lt;img src=x onerror=alert(1)&gt;",
        "needs a larger machine",
        "What cells require of the machine",
        "3 claims: ",
        "1 uncovered",
        "not covered: needs 36 cores",
        "Fig. 1: <a href=\"#kv-scaling\">scaling</a>",
        "DNF",
        "measured: programs that were run",
    ] {
        assert!(page.contains(words), "{words}");
    }
    assert!(!page.contains("<img"), "words of a program are no markup");
    let against = bench.read("program-against.html");
    assert!(against.contains("Slow (the authors"), "the authors' curves are in the same figure");
}

#[test]
fn words_of_an_experiment_are_no_markup_in_a_page() {
    let hostile = "</script><img src=x onerror=alert(1)>\\u001b[2J\\u202e\\\" onmouseover=\\\"alert(1)";
    let text = SMALL.replace(
        "says = \"With antipode on, no reader misses its post\"",
        &format!("says = \"{hostile}\"\nsource = \"{hostile}\""),
    );
    assert_ne!(text, SMALL);
    let bench = Workbench::with(&text);
    bench.matrix(&["run", "small.toml"]).code(0);
    bench.matrix(&["report", "--title", "<b>\"mine\"</b>"]).code(0);
    let page = bench.read("report.html");
    assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;") && page.contains("\\u{202e}"), "{page}");
    for markup in ["<img", "<b>", "\u{1b}", "\u{202e}", "\" onmouseover"] {
        assert!(!page.contains(markup), "{markup}");
    }
    open(&bench, &["report.html"]).code(0);
}

#[test]
fn a_page_of_what_is_not_there_is_an_error_and_no_file() {
    let bench = Workbench::small();
    let printed = bench.matrix(&["report"]).code(2);
    assert!(printed.err.contains("there is no store"), "{printed:?}");
    bench.matrix(&["run", "small.toml"]).code(0);
    bench.write("other.toml", &SMALL.replace("name = \"small\"", "name = \"other\""));
    let printed = bench.matrix(&["report", "other.toml"]).code(2);
    assert!(printed.err.contains("there are no results of other.toml"), "{printed:?}");
    assert!(!bench.path("report.html").exists());
}
