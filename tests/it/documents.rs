//! Every command of README and guide is run, in order, in a fresh folder, and prints what the document says.
//!
//! A block of ```` ```console ```` holds commands (`$ …`) and what they print. A line `...` stands for any lines; times,
//! dates, digests and sizes of compressed files may differ. A comment before a block says what a test needs to know:
//! `<!-- not run: REASON -->`, or `<!-- ends with CODE -->` of its last command. `<!-- file: NAME -->` before any block makes
//! a file of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::workbench::{Workbench, here, walk};

/// A command of a document.
struct Step {
    line: usize,
    command: String,
    printed: Vec<String>,
    /// How it ends.
    code: i32,
    /// Why it is not run.
    left_out: Option<String>,
}

/// The commands of a document, in order.
fn steps(text: &str) -> Vec<Step> {
    let (mut steps, mut note, mut block): (Vec<Step>, Option<String>, Option<usize>) = (Vec::new(), None, None);
    let mut file: Option<(usize, String)> = None;
    for (line, content) in (1..).zip(text.lines()) {
        if let Some((start, mut command)) = file.take() {
            let _ = writeln!(command, "{}", if content == "```" { "END-OF-FILE" } else { content });
            match content {
                "```" => steps.push(Step { line: start, command, printed: Vec::new(), code: 0, left_out: None }),
                _ => file = Some((start, command)),
            }
            continue;
        }
        if let (true, Some(name)) =
            (content.starts_with("```"), note.as_deref().and_then(|note| note.strip_prefix("file: ")))
        {
            file = Some((line, format!("cat > {name} <<'END-OF-FILE'\n")));
            note = None;
            continue;
        }
        match (content.trim_end(), block) {
            ("```console", None) => block = Some(steps.len()),
            ("```", Some(first)) => {
                let note = note.take();
                if let Some(code) = note.as_deref().and_then(|note| note.strip_prefix("ends with ")) {
                    steps.last_mut().unwrap().code = code.parse().unwrap();
                }
                let reason = note.as_deref().and_then(|note| note.strip_prefix("not run: "));
                steps[first..].iter_mut().for_each(|step| step.left_out = reason.map(str::to_owned));
                block = None;
            }
            (content, Some(_)) => match (content.strip_prefix("$ "), steps.last_mut()) {
                (Some(command), _) => {
                    let command = command.to_owned();
                    steps.push(Step { line, command, printed: Vec::new(), code: 0, left_out: None });
                }
                (None, Some(step)) if step.printed.is_empty() && step.command.ends_with('\\') => {
                    step.command = format!("{}\n{content}", step.command);
                }
                (None, Some(step)) => step.printed.push(content.to_owned()),
                (None, None) => panic!("line {line}: a block begins without a command"),
            },
            (content, None) => {
                let found = content.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->"));
                if found.is_some() || !content.is_empty() {
                    note = found.map(str::to_owned);
                }
            }
        }
    }
    steps
}

/// A folder as a fresh clone is, as far as the documents' commands look at it, and what stands on the path.
fn clone() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let clone = folder.path().join("matrix");
    for kept in ["experiments", "results"] {
        for file in walk(&here().join(kept)).into_iter().filter(|path| path.is_file()) {
            let copy = clone.join(file.strip_prefix(here()).unwrap());
            std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
            std::fs::copy(&file, copy).unwrap();
        }
    }
    let path = folder.path().join("path");
    std::fs::create_dir(&path).unwrap();
    symlink(env!("CARGO_BIN_EXE_matrix"), path.join("matrix")).unwrap();
    // Cargo has built the binary for this test: `cargo run --` is that binary, and to install it is nothing.
    let cargo = "#!/bin/sh\ncase \"$1 $2\" in\n'run --') shift 2; exec matrix \"$@\" ;;\n'install --path') ;;\n*) exit 99 ;;\nesac\n";
    std::fs::write(path.join("cargo"), cargo).unwrap();
    std::fs::set_permissions(path.join("cargo"), PermissionsExt::from_mode(0o755)).unwrap();
    (folder, path)
}

/// Runs the steps in one shell, as a person would, and checks what they print. What does not agree.
fn differences(steps: &[Step]) -> Vec<String> {
    let (folder, path) = clone();
    let run: Vec<&Step> = steps.iter().filter(|step| step.left_out.is_none()).collect();
    let mut script = String::new();
    for step in &run {
        let _ = writeln!(script, "{{ {}\n}} 2>&1\nprintf '\\n@@@%s\\n' $?", step.command);
    }
    let paths = format!("{}:{}", path.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("bash");
    shell.args(["-c", &script]).current_dir(folder.path().join("matrix")).env("PATH", paths).stdin(Stdio::null());
    let output = shell.env("HOME", folder.path()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (mut printed, mut found): (Vec<&str>, Vec<(String, i32)>) = (Vec::new(), Vec::new());
    for line in text.lines() {
        match line.strip_prefix("@@@") {
            Some(code) => found.push((std::mem::take(&mut printed).join("\n"), code.parse().unwrap())),
            None => printed.push(line),
        }
    }
    assert_eq!(found.len(), run.len(), "the shell ended early: {printed:?}");
    let mut wrong = Vec::new();
    for (step, (printed, code)) in run.into_iter().zip(found) {
        let agrees = step.printed.is_empty() || matches(&step.printed, &printed);
        if code != step.code || !agrees {
            let Step { line, command, .. } = step;
            wrong.push(format!("line {line}: $ {command}\nended with {code}, and printed:\n{printed}"));
        }
    }
    wrong
}

/// Whether a document says what was printed.
fn matches(said: &[String], printed: &str) -> bool {
    let steady = |line: &str| steady(line);
    let printed: Vec<String> = printed.lines().map(steady).filter(|line| !line.is_empty()).collect();
    let said: Vec<String> = said.iter().map(|line| steady(line)).filter(|line| !line.is_empty()).collect();
    let mut rest = printed.as_slice();
    let mut anywhere = false;
    for (index, piece) in said.split(|line| line == "...").enumerate() {
        anywhere |= index > 0;
        if piece.is_empty() {
            continue;
        }
        let place = if anywhere { rest.windows(piece.len()).position(|lines| lines == piece) } else { None };
        let place = if anywhere { place } else { rest.starts_with(piece).then_some(0) };
        let Some(place) = place else { return false };
        rest = &rest[place + piece.len()..];
        anywhere = false;
    }
    rest.is_empty() || said.last().is_some_and(|line| line == "...")
}

/// A line with what differs from run to run replaced, and blanks made one.
fn steady(line: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    let sizes = line.contains(" bytes hold ") || line.contains("payload bytes");
    for word in line.split_whitespace() {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let is_digest = word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_time = word.len() > 15 && digits(&word[..4]) && word.contains('T') && word.contains('Z');
        let word = match word {
            _ if is_digest => "DIGEST",
            _ if is_time => "TIME",
            _ if sizes && digits(word) && word.len() > 3 => "BYTES",
            word => word,
        };
        words.push(word.to_owned());
    }
    let line = words.join(" ");
    match line.split_once(" done in ") {
        Some((cells, times)) => {
            let requests = times.split_once(": ").map_or("", |(_, rest)| rest.split(',').next().unwrap_or_default());
            format!("{cells} done in TIME: {requests}")
        }
        None => line,
    }
}

fn check(document: &str) {
    let text = std::fs::read_to_string(here().join(document)).unwrap();
    let steps = steps(&text);
    let mut left_out: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for step in &steps {
        if let Some(reason) = &step.left_out {
            left_out.entry(reason).or_default().push(&step.command);
        }
    }
    let run = steps.iter().filter(|step| step.left_out.is_none()).count();
    let mut tally = format!("{run} commands run\n");
    for (reason, commands) in left_out {
        let _ = writeln!(tally, "{} not run: {reason}\n  {}", commands.len(), commands.join("\n  "));
    }
    let wrong = differences(&steps);
    assert!(wrong.is_empty(), "{document} says otherwise:\n\n{}", wrong.join("\n\n"));
    insta::with_settings!({ snapshot_suffix => document.replace(['/', '.'], "_") }, { insta::assert_snapshot!(tally) });
}

#[test]
fn the_readme_prints_what_it_says() {
    check("README.md");
}

#[test]
fn the_guide_prints_what_it_says() {
    check("docs/guide.md");
}

#[test]
fn the_page_for_newcomers_prints_what_it_says() {
    check("docs/first-benchmark.md");
}

#[test]
fn the_page_for_evaluators_prints_what_it_says() {
    check("docs/evaluating.md");
}

/// Commands that a document names within its lines, and those of its blocks and workflows: the words behind `matrix`.
fn named(text: &str) -> Vec<Vec<String>> {
    let inline = text.split('`').skip(1).step_by(2).filter(|code| !code.contains('\n')).map(str::to_owned);
    let blocks = steps(text).into_iter().flat_map(|step| step.command.lines().map(str::to_owned).collect::<Vec<_>>());
    let workflows = text.lines().filter_map(|line| line.trim().strip_prefix("- run: ")).map(str::to_owned);
    let mut named = Vec::new();
    for code in inline.chain(blocks).chain(workflows) {
        let code = code.split(" #").next().unwrap_or_default().replace("cargo run -- ", "matrix ");
        for command in code.split("&&") {
            let words = shlex::split(command).unwrap_or_default();
            let place = words.iter().position(|word| word == "matrix" || word.ends_with("/matrix"));
            if let Some(place) = place.filter(|place| words.len() > place + 1 && (*place == 0 || words[0] == "sudo")) {
                named.push(words[place + 1..].to_vec());
            }
        }
    }
    named
}

#[test]
fn every_command_and_flag_that_a_document_names_exists() {
    let bench = Workbench::new();
    let mut help: BTreeMap<Vec<String>, String> = BTreeMap::new();
    let (mut checked, mut wrong) = (0, Vec::new());
    let documents =
        walk(&here().join("docs")).into_iter().filter(|path| path.extension().is_some_and(|end| end == "md"));
    for document in documents.chain([here().join("README.md")]) {
        for words in named(&std::fs::read_to_string(&document).unwrap()) {
            let command: Vec<String> =
                words.iter().take(2).take_while(|word| word.bytes().all(|b| b.is_ascii_lowercase())).cloned().collect();
            if command.is_empty() || command[0] == "help" {
                continue;
            }
            let text = help.entry(command.clone()).or_insert_with(|| {
                let args: Vec<&str> = command.iter().map(String::as_str).chain(["--help"]).collect();
                let printed = bench.matrix(&args);
                if printed.code == 0 { printed.out } else { String::new() }
            });
            let flags = words.iter().filter(|word| word.starts_with("--")).map(|flag| flag.split('=').next().unwrap());
            let unknown: Vec<&str> = flags.filter(|flag| !text.contains(flag)).collect();
            checked += 1;
            if text.is_empty() || !unknown.is_empty() {
                wrong.push(format!("{}: matrix {}", Path::new(&document).display(), words.join(" ")));
            }
        }
    }
    assert!(checked > 60 && wrong.is_empty(), "of {checked} commands these are not there:\n{}", wrong.join("\n"));
}
