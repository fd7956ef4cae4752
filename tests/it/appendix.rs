//! `matrix appendix`: what an author submits, as LaTeX takes it and as a person reads it.

use crate::program::{EXPERIMENT, kv, with};
use crate::workbench::Workbench;

/// Words that would be commands, tables or ends of environments if they were not escaped.
const HOSTILE: &str = r"50 % of \input{/etc/passwd} & $x_1^2$ \end{itemize} {a} #1 ~ --flag `b` “ü” ≤ 中";

/// The experiment with a matrix of each kind, requirements, a hostile claim and one that nothing covers.
fn experiment() -> String {
    let more = format!(
        r#"
[[matrix]]
name = "both"
human_minutes = 10
threads = [1, 2]

[[matrix]]
name = "wide"
threads = [4]

[[require]]
where = "threads >= 4"
cpus = "1"
memory = "{{threads}} MiB"
else = "needs as many processors as threads"

[[claim]]
id = "wide"
says = '{HOSTILE}'
where = {{ threads = 4 }}
metric = "mean_latency"
at_most = 0.1

[[claim]]
id = "C9"
paper = "Table 3"
says = "It scales to 36 cores"
uncovered = "needs 36 cores"

[artifact]
title = "KV & co"
abstract = "What it is. `a_b` and *c*."
warnings = "It fills the disk_s."
"#
    );
    format!("{EXPERIMENT}{more}")
}

/// Fails unless a text is LaTeX of the few commands that are expected: environments and braces are balanced, and nothing
/// that LaTeX acts on stands bare.
pub(crate) fn assert_latex(text: &str) {
    const COMMANDS: &str = "section subsection subsubsection paragraph begin end item textit textbf texttt ttfamily \
        raggedright mbox ldots ensuremath leq geq times rightarrow mu textbackslash \
        textasciitilde textasciicircum textasciigrave textless textgreater textbar textendash \
        textemdash textquoteleft textquoteright textquotedblleft textquotedblright";
    let (mut environments, mut braces) = (Vec::new(), 0);
    for line in text.lines().filter(|line| !line.starts_with('%')) {
        let mut rest = line;
        while let Some(letter) = rest.chars().next() {
            rest = &rest[letter.len_utf8()..];
            match letter {
                '\\' => {
                    let end = rest.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(rest.len());
                    let (command, after) = rest.split_at(end);
                    if command.is_empty() {
                        assert!(rest.starts_with(['{', '}', '$', '&', '#', '_', '%', '\\']), "{line}");
                        rest = &rest[1..];
                        continue;
                    }
                    assert!(COMMANDS.split(' ').any(|known| known == command), "\\{command} in {line}");
                    rest = after;
                    if ["begin", "end"].contains(&command) {
                        let (name, after) = after[1..].split_once('}').unwrap();
                        match command {
                            "begin" => environments.push(name),
                            _ => assert_eq!(environments.pop(), Some(name), "{line}"),
                        }
                        rest = after;
                    }
                }
                '{' => braces += 1,
                '}' => braces -= 1,
                letter => assert!(!"&#$_^%".contains(letter), "a bare {letter} in {line}"),
            }
            assert!(braces >= 0, "{line}");
        }
        assert_eq!(braces, 0, "a brace goes on behind {line}");
    }
    assert_eq!(environments, [""; 0]);
}

#[test]
fn an_appendix_of_a_program_has_claims_experiments_times_and_the_authors_words() {
    let bench = with(&experiment(), crate::program::BENCH);
    // Before anything is measured.
    let early = bench.matrix(&["appendix", "kv.toml"]).code(0).out;
    assert_latex(&early);
    assert!(early.contains("10 human-minutes + compute-minutes and disk not measured yet"), "{early}");
    assert!(early.contains("human-minutes not stated") && early.contains("appendix.d/installation.md"), "{early}");

    bench.matrix(&["run", "kv.toml"]).code(0);
    std::fs::create_dir(bench.path("appendix.d")).unwrap();
    bench.write(
        "appendix.d/installation.md",
        "## By hand\n\n1. `make all_of_it`\n2. see <https://example.org/a_b>\n\n```\n  make & run\n```\n",
    );
    bench.write("appendix.d/wide.md", "Best on an **idle** machine.");
    bench.matrix(&["appendix", "kv.toml", "-o", "appendix.tex"]).code(0);
    let latex = bench.read("appendix.tex");
    assert_latex(&latex);
    bench.matrix(&["appendix", "kv.toml", "-o", "appendix.tex"]).code(0);
    assert_eq!(bench.read("appendix.tex"), latex, "it is the same when it is written again");
    let markdown = bench.matrix(&["appendix", "kv.toml", "--format", "markdown"]).code(0).out;
    insta::assert_snapshot!("appendix_latex", elsewhere(&latex));
    insta::assert_snapshot!("appendix_markdown", elsewhere(&markdown));
}

/// The text without what differs from one machine to the next: times, and what they were measured on.
fn elsewhere(text: &str) -> String {
    let line = |line: &str| {
        if let Some((mark, _)) = line.split_once("matrix 0.") {
            return format!("{mark}ENVIRONMENT\n");
        }
        match (line.split_once(" + "), line.split_once(" disk")) {
            (Some((before, _)), Some((_, after))) => format!("{before} + N compute-minutes, N disk{after}\n"),
            _ => format!("{line}\n"),
        }
    };
    // Other work may have disturbed cells.
    let undisturbed = |line: &str| match line.split_once(" disturbed by other work") {
        Some((before, after)) => format!("{}{after}", before.rsplit_once("; ").map_or(before, |(before, _)| before)),
        None => line.to_owned(),
    };
    text.lines().map(|text| line(&undisturbed(text))).collect()
}

#[test]
fn an_appendix_of_the_built_in_workload_says_which_matrix_backs_which_claim() {
    let bench = Workbench::ran();
    let latex = bench.matrix(&["appendix", "small.toml"]).code(0).out;
    assert_latex(&latex);
    for words in [
        "(C1): With antipode on, no reader misses its post.",
        "Proven by the experiment E1.",
        "Experiment (E1): baseline [human-minutes not stated + ",
        "8 cells, simulated",
        "Experiment (E2): delay [",
        "matrix run small.toml -{}-plot",
        "C1 is held (simulated",
    ] {
        assert!(latex.contains(words), "{words}\n{latex}");
    }
    // Both files in one: experiments are numbered through.
    let program = kv();
    program.write("small.toml", &bench.read("small.toml"));
    let both = program.matrix(&["appendix", "small.toml", "kv.toml", "--format", "markdown"]).code(0);
    both.out_has("Experiment (E3): kv").out_has("experiment E3");
}

#[test]
fn a_text_that_belongs_nowhere_is_an_error_with_the_nearest_name() {
    let bench = Workbench::small();
    std::fs::create_dir(bench.path("appendix.d")).unwrap();
    bench.write("appendix.d/abstrct.md", "What it is.");
    bench.matrix(&["appendix", "small.toml"]).code(2).err_has("abstrct.md").err_has("did you mean abstract.md?");
    bench.matrix(&["appendix", "nowhere.toml"]).code(2);
}
