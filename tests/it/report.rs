//! `matrix report`: pages, as a person and a browser meet them.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::program::{BENCH, EXPERIMENT, executable, with};
use crate::workbench::{Printed, SMALL, Workbench, ended, here, until};

/// For a test that would otherwise never end.
const LIMIT: Duration = Duration::from_secs(120);

/// Opens pages in a real browser: `scripts/check-report`.
fn open(bench: &Workbench, pages: &[&str]) -> Printed {
    Workbench::printed(
        Command::new(here().join("scripts/check-report")).args(pages).current_dir(bench.path("")).output().unwrap(),
    )
}

#[test]
fn a_browser_finds_no_fault_in_pages_of_a_store_a_comparison_and_an_unfinished_run() {
    let bench = Workbench::ran();
    bench.matrix(&["report"]).code(0);
    let page = bench.read("report.html");
    bench.matrix(&["report", "-o", "again.html"]).code(0);
    assert_eq!(page, bench.read("again.html"), "the same results give the same bytes");
    for words in
        ["1 claim: 1 held.", "simulated", "12 cells planned = 12 done", "With antipode on, no reader misses its post"]
    {
        assert!(page.contains(words), "{words}");
    }

    // A cell's command runs all its rounds and nothing else.
    let again = "again: <code>matrix run small.toml --results again --filter &#x27;";
    let (_, rest) = page.split_once(again).unwrap();
    let filter = rest.split_once("&#x27;</code>").unwrap().0.replace("&quot;", "\"").replace("&gt;", ">");
    bench.matrix(&["run", "small.toml", "--results", "again", "--filter", &filter]).code(0);
    bench.matrix(&["report", "--results", "again", "-o", "one-cell.html"]).code(0);
    assert!(bench.read("one-cell.html").contains("12 cells planned = 1 done"), "{filter}");
    assert!(page.contains("No expected times: only cells on AWS are estimated"));

    bench.write("other.toml", &SMALL.replace("seed = 7", "seed = 8"));
    bench.matrix(&["run", "other.toml", "--results", "other"]).code(0);
    bench.matrix(&["bundle", "create", "--results", "other", "-o", "authors.tar.zst"]).code(0);
    bench.matrix(&["report", "--against", "authors.tar.zst", "-o", "against.html"]).code(0);
    let against = bench.read("against.html");
    assert!(against.contains("reproduced") && against.contains("authors.tar.zst"), "{against}");
    // Curves and dots stand in the same figure; a table beside the authors' one.
    assert!(against.contains("The authors': "), "{against}");
    assert!(against.contains("<code>matrix diff results authors.tar.zst</code>"), "{against}");
    assert_eq!(against.matches("<div class=\"pair\">").count(), 2, "storage overhead and the table of pairs");

    // Nothing in it but a plan, of which a filter leaves out nearly everything.
    bench.matrix(&["run", "small.toml", "--results", "part", "--filter", "delay_ms = 400"]).code(0);
    bench.matrix(&["report", "--results", "part", "-o", "part.html"]).code(0);
    let part = bench.read("part.html");
    assert!(part.contains("incomplete: 1 of 12 cells done") && part.contains("11 skipped"), "{part}");
    assert!(
        part.contains("11 cells, ") && part.contains("a run&#x27;s filter leaves it out: delay_ms = 400"),
        "{part}"
    );

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
    let pages = ["against.html", "part.html", "program-against.html", "both.html"];
    let printed = open(&bench, &pages).code(0);
    assert_eq!(printed.out.matches("no message, no request, no fault of accessibility").count(), 4, "{printed:?}");
    printed.out_lacks(" 0 controls");
}

/// Pages of a program: one with a failed cell and skipped ones, alone and beside the authors' results.
fn program(bench: &Workbench) {
    let hostile = "<img src=x onerror=alert(1)>";
    let experiment = EXPERIMENT.to_owned()
        + &format!(
            "\n[[require]]\nwhere = \"threads = 4\"\ncpus = \"100000\"\nelse = \"needs a larger machine {hostile}\"\n\
             [[claim]]\nid = \"C3\"\npaper = \"Table 2\"\nsays = \"It scales\"\nuncovered = \"needs 36 cores\"\n\
             [[claim]]\nid = \"C4\"\nsays = \"So it is on one thread\"\nwhere = {{ engine = \"fast\", threads = 1 }}\n\
             metric = \"mean_latency\"\nratio_to = {{ engine = \"slow\" }}\nat_most = 0.5\n"
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
        "4 claims: ",
        "1 uncovered",
        "not covered: needs 36 cores",
        "Fig. 1: <a href=\"#kv-scaling\">scaling</a>",
        "DNF",
        "measured: programs that were run",
        "<a href=\"#kv-missing\">3 cells of kv</a> failed",
        "6 cells, engine=",
        "runs <code>.&#x2f;bench 1 fast &#x27;{out}&#x2f;rows.csv&#x27;</code>",
        "<code>matrix run kv.toml --results again</code>",
        "again: <code>matrix run kv.toml --results again --filter &#x27;engine=fast and threads=2&#x27;</code>",
    ] {
        assert!(page.contains(words), "{words}");
    }
    assert!(!page.contains("<img"), "words of a program are no markup");
    let against = bench.read("program-against.html");
    assert!(against.contains("The authors': Slow, 1: "), "the authors' curves are in the same figure");
    // The same programs gave the same numbers where they did not fail.
    assert!(against.contains("<td data-head=\"Compared\">reproduced</td>"), "{against}");
}

#[test]
fn the_page_of_the_whole_matrix_is_small_and_always_the_same() {
    let bench = Workbench::new();
    // How many requests there are makes no difference to what a page lists.
    let sosp = here().join("experiments/sosp.toml").display().to_string();
    bench.matrix(&["run", &sosp, "--set", "requests=30"]).code(0);
    bench.matrix(&["report"]).code(0);
    bench.matrix(&["report", "-o", "again.html"]).code(0);
    let page = bench.read("report.html");
    assert!(
        page.contains("312 cells planned = 312 done") && page.contains("<td class=\"number\">9,360</td>"),
        "{page}"
    );
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
    assert!(page == bench.read("again.html"), "the same results give the same bytes");
    // Its controls are those of smaller pages, and more of them than there is time for.
    open(&bench, &["--looks", "report.html"]).code(0);
}

#[test]
fn a_page_shows_the_files_that_are_named_and_a_place_only_if_it_is_asked_to() {
    let bench = Workbench::small();
    // With seeds of their own: the same cells would be done already.
    for (name, seed) in [("other", 8), ("third", 9)] {
        let text = SMALL.replace("name = \"small\"", &format!("name = \"{name}\""));
        bench.write(&format!("{name}.toml"), &text.replace("seed = 7", &format!("seed = {seed}")));
    }
    bench.write("kv.toml", EXPERIMENT);
    executable(&bench, "bench", BENCH);
    for file in ["small.toml", "other.toml", "third.toml", "kv.toml"] {
        bench.matrix(&["run", file]).code(0);
    }
    bench.matrix(&["report", "other.toml", "kv.toml", "third.toml", "--title", "Two & more"]).code(0);
    let page = bench.read("report.html");
    assert!(page.contains("<title>Two &amp; more</title>"), "{page}");
    let shown =
        |page: &str| ["small", "other", "third", "kv"].map(|name| page.contains(&format!("<h2 id=\"{name}\">")));
    assert_eq!(shown(&page), [false, true, true, true]);

    // Where results lie on this machine is said only if it is asked for.
    let whole = bench.path("results").display().to_string();
    bench.matrix(&["report", "small.toml", "--results", &whole, "-o", "blind.html"]).code(0);
    bench.matrix(&["report", "small.toml", "--results", &whole, "--identify", "-o", "open.html"]).code(0);
    let (blind, open) = (bench.read("blind.html"), bench.read("open.html"));
    assert_eq!(shown(&blind), [true, false, false, false]);
    assert!(
        blind.contains("<code>matrix verify results</code>") && !blind.contains(&whole.replace('/', "&#x2f;")),
        "{blind}"
    );
    let escaped = whole.replace('/', "&#x2f;");
    assert!(open.contains(&format!("<code>matrix verify {escaped}</code>")), "{open}");
}

#[test]
fn a_page_is_written_again_while_a_run_goes_on_and_a_last_time_when_it_has_ended() {
    let bench = Workbench::new();
    bench.write("kv.toml", EXPERIMENT);
    // The last cell waits for a word of the test's.
    let waits = BENCH
        .replace("threads=$1", "[ $1$2 != 4slow ] || until [ -e \"${COUNT%/*}/go\" ]; do sleep 0.05; done\nthreads=$1");
    assert_ne!(waits, BENCH);
    executable(&bench, "bench", &waits);
    let mut run = bench.command(&["run", "kv.toml"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until("the run writes its store", LIMIT, || bench.path("results/attempts").exists());
    let watch = bench.command(&["report", "--watch"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let page = || std::fs::read_to_string(bench.path("report.html")).unwrap_or_default();
    until("the page says that the run goes on", LIMIT, || page().contains("The run goes on"));
    let early = page();
    assert!(early.contains("<meta http-equiv=\"refresh\" content=\"3\">") && early.contains("incomplete: "), "{early}");
    bench.write("go", "");
    assert!(run.wait().unwrap().success());
    let printed = Workbench::printed(watch.wait_with_output().unwrap()).code(0);
    assert_eq!(printed.out, "report.html\n");
    let last = page();
    assert!(last.contains("18 cells planned = 18 done") && !last.contains("http-equiv=\"refresh\""), "{last}");
    open(&bench, &["report.html"]).code(0);
}

/// A text that would be markup, the end of an attribute, a control of a terminal or a turn of the direction of writing.
const HOSTILE: &str =
    "</script><img src=x onerror=alert(1)>\u{1b}[2J\u{202e}\" onmouseover=\"alert(1)' --><b>{{ 7 * 7 }}</title>";

/// Fails if words of somebody else's have become more than words in a page.
fn assert_harmless(page: &str) {
    assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;") && page.contains("\\u{202e}"), "{page}");
    assert_eq!(page.matches("<script").count(), 1);
    for markup in ["<img", "<b>", "\u{1b}", "\u{202e}", "\" onmouseover", "{49}"] {
        assert!(!page.contains(markup), "{markup}");
    }
}

/// Puts a text into everything that attempts say besides numbers and names, and seals them again, as whoever makes a bundle
/// can.
const HOSTILE_ATTEMPTS: &str = r#"
import glob, hashlib, json, os, sys
words = os.environ["WORDS"]
for path in glob.glob("results/attempts/*.json"):
    attempt = json.load(open(path))
    del attempt["digest"]
    attempt["provenance"].update(cpu_model=words, kernel=words, toolchain=words, services={words: words})
    generic = attempt["schema"] == 3
    attempt["notes"] = {words: words if generic else 1}
    if "error" in attempt:
        attempt["error"] = words
    if not generic:
        attempt["reasons"] = [{"count": 1, "text": words}]
        attempt["schema"] = max(attempt["schema"], 2)
    def text():
        return json.dumps(attempt, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    attempt["digest"] = hashlib.sha256(text().encode()).hexdigest()
    open(path, "w").write(text() + "\n")
"#;

fn hostile_attempts(bench: &Workbench) {
    let mut command = Command::new("python3");
    command.args(["-c", HOSTILE_ATTEMPTS]).env("WORDS", HOSTILE).current_dir(bench.path(""));
    ended(&mut command).code(0);
}

#[test]
fn words_of_an_experiment_and_of_attempts_are_no_markup_in_a_page() {
    let hostile = serde_json::to_string(HOSTILE).unwrap();
    let text = SMALL.replace(
        "says = \"With antipode on, no reader misses its post\"",
        &format!("says = {hostile}\nsource = {hostile}"),
    );
    assert_ne!(text, SMALL);
    let bench = Workbench::with(&text);
    bench.matrix(&["run", "small.toml"]).code(0);
    hostile_attempts(&bench);
    bench.matrix(&["bundle", "create", "-o", "a--><b>\"'.tar.zst"]).code(0);
    bench.matrix(&["report", "--title", HOSTILE, "--against", "a--><b>\"'.tar.zst"]).code(0);
    let page = bench.read("report.html");
    assert_harmless(&page);
    assert!(page.matches("&lt;img").count() > 2 * 12, "in the claim, the environment and each attempt");
    open(&bench, &["report.html"]).code(0);
}

#[test]
fn words_of_a_program_are_no_markup_in_a_page_and_no_commands_in_an_appendix() {
    let hostile = serde_json::to_string(HOSTILE).unwrap();
    // A value of an axis with a control character is refused.
    let value = serde_json::to_string(&HOSTILE.replace('\u{1b}', "")).unwrap();
    let text = EXPERIMENT
        .replace(
            "values = [\"slow\", \"fast\"], labels = { slow = \"Slow\"",
            &format!("values = [{value}, \"fast\"], labels = {{ fast = {hostile}"),
        )
        .replace(", fast = \"Fast\" }", " }")
        .replace("engine = \"slow\"", &format!("engine = {value}"))
        .replace("unit = \"us\"", &format!("unit = {hostile}"))
        .replace("\"Fig. 1\"", &hostile)
        .replace("says = \"The fast engine takes less than half the time\"", &format!("says = {hostile}"))
        .replace("env = {", &format!("version = [\"./bench\", \"--version\"]\nenv = {{ WORDS = {hostile}, "))
        .replace("found = { type", "word = { type = \"text\" }\nfound = { type")
        + &format!(
            "\n[[require]]\nwhere = \"threads = 4\"\ncpus = \"100000\"\nelse = {hostile}\n\
             [[claim]]\nid = \"C3\"\nsays = \"x\"\nuncovered = {hostile}\n\
             [[figure]]\nname = \"words\"\nkind = \"bars\"\nx = \"word\"\ny = \"mean_latency\"\nseries = \"engine\"\npanel = \"threads\"\n\
             [[figure]]\nname = \"rows\"\nkind = \"table\"\nx = \"threads\"\ny = \"mean_latency\"\nseries = \"engine\"\n\
             [artifact]\ntitle = {hostile}\nhardware = {hostile}\nabstract = {hostile}\n"
        );
    let program = "#!/bin/sh\n\
        words=$(cat \"${0%/*}/words\")\n\
        [ \"$1\" = --version ] && { echo \"$words\"; exit 0; }\n\
        [ $1 = 2 ] && { echo \"$words\" >&2; exit 3; }\n\
        quoted=$(echo \"$words\" | sed 's/\"/\"\"/g')\n\
        { echo latency_us,found,word; for i in 1 2 3; do echo \"$((100 * i)),true,\\\"$quoted\\\"\"; done; } > \"$3\"\n";
    let bench = with(&text, program);
    bench.write("words", HOSTILE);
    bench.matrix(&["run", "kv.toml"]).code(3);
    hostile_attempts(&bench);
    bench.matrix(&["bundle", "create", "--allow-incomplete", "-o", "authors.tar.zst"]).code(0);
    bench.matrix(&["report", "--title", HOSTILE]).code(0);
    bench.matrix(&["report", "--against", "authors.tar.zst", "-o", "against.html"]).code(0);
    bench.matrix(&["bundle", "extract", "authors.tar.zst", "-o", "bag"]).code(0);
    std::fs::copy(bench.path("bag/data/report.html"), bench.path("carried.html")).unwrap();
    for page in ["report.html", "against.html", "carried.html"] {
        assert_harmless(&bench.read(page));
    }
    open(&bench, &["report.html", "against.html"]).code(0);
    bench.matrix(&["appendix", "kv.toml", "-o", "appendix.tex"]).code(0);
    crate::appendix::assert_latex(&bench.read("appendix.tex"));
}

#[test]
fn a_page_of_what_is_not_there_is_an_error_and_no_file() {
    let bench = Workbench::small();
    bench.matrix(&["report"]).code(2).err_has("there is no store");
    bench.matrix(&["run", "small.toml"]).code(0);
    bench.write("other.toml", &SMALL.replace("name = \"small\"", "name = \"other\""));
    bench.matrix(&["report", "other.toml"]).code(2).err_has("there are no results of other.toml");
    assert!(!bench.path("report.html").exists());
}
