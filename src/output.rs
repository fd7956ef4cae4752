//! Printing: results to standard output, everything else to standard error.

mod files;

use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;

use matrix_plan::printable;
pub(crate) use matrix_report::table;
use matrix_run::Observer;
pub(crate) use matrix_run::wording::{RESULTS, interval, on_store, path, resume, word};
use miette::Report;
use textwrap::core::Word;
use textwrap::{WordSeparator, WordSplitter};

#[cfg(feature = "live")]
pub(crate) use self::files::{check_folder, write_private_file};
pub(crate) use self::files::{keep_file, make_folder, new_file, place_of, unwritable, write_file};
use crate::exit::{Exit, Failure};

/// The terminal, for what the library remarks.
pub(crate) struct Terminal;

impl Observer for Terminal {
    fn note(&self, text: std::fmt::Arguments<'_>) {
        note(text);
    }
}

/// The first error of standard output. Nothing is printed after it, and the command goes on: what it finds out, and its
/// exit code, do not depend on who reads.
static LOST: OnceLock<io::Error> = OnceLock::new();

/// Prints a text and a line end to standard output. What a terminal would take for a command is escaped.
pub(crate) fn line(text: impl std::fmt::Display) -> Result<(), Failure> {
    print(format!("{}\n", printable::lines(&text.to_string())).as_bytes())
}

/// Prints the bytes of a file to standard output: as they are into a pipe or file, escaped on a terminal.
pub(crate) fn bytes(bytes: &[u8]) -> Result<(), Failure> {
    if io::stdout().is_terminal() {
        return print(printable::lines(&String::from_utf8_lossy(bytes)).as_bytes());
    }
    print(bytes)
}

fn print(bytes: &[u8]) -> Result<(), Failure> {
    if LOST.get().is_none() {
        keep_error(io::stdout().lock().write_all(bytes));
    }
    Ok(())
}

fn keep_error(written: io::Result<()>) {
    if let Err(error) = written {
        // Only the first one counts.
        let _ = LOST.set(error);
    }
}

/// Prints what the parser of the command line has to say: help to standard output, a mistake to standard error.
pub(crate) fn usage(error: &clap::Error) {
    let rendered = error.render();
    if error.use_stderr() {
        let text = if io::stderr().is_terminal() { rendered.ansi().to_string() } else { rendered.to_string() };
        let _ = io::stderr().lock().write_all(styled(&text, io::stderr().is_terminal()).as_bytes());
    } else {
        let terminal = io::stdout().is_terminal();
        let text = if terminal { rendered.ansi().to_string() } else { rendered.to_string() };
        keep_error(io::stdout().lock().write_all(styled(&text, terminal).as_bytes()));
    }
}

/// How the command ends when everything is printed. A reader that has gone away (`| head -1`) is no error, and changes no
/// exit code. What could not be written otherwise is told, and is an error where there is no graver one.
pub(crate) fn close(exit: Exit) -> Exit {
    if LOST.get().is_none() {
        keep_error(io::stdout().lock().flush());
    }
    match LOST.get() {
        Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let what = if matrix_store::is_full(error) { "no space left writing" } else { "cannot write" };
            let help = "what was printed is incomplete; what was stored is not affected";
            let failure = Failure::usage(format!("{what} standard output: {error}"), help);
            failure.reports.iter().for_each(complain);
            if exit == Exit::Ok { failure.exit } else { exit }
        }
        _ => exit,
    }
}

/// Prints a value as indented JSON. What JSON allows in strings and a terminal would act on is escaped as JSON does.
pub(crate) fn json<T: serde::Serialize>(value: &T) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::new(Exit::Internal, error.to_string()))?;
    line(escaped_json(&text))
}

fn escaped_json(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter != '\n' && printable::is_unprintable(letter) {
            let mut units = [0; 2];
            escaped.extend(letter.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            escaped.push(letter);
        }
    }
    escaped
}

/// Says something to the person, beside the output proper. A closed standard error is no reason to stop.
pub(crate) fn note(text: impl std::fmt::Display) {
    let _ = writeln!(io::stderr().lock(), "{}", printable::lines(&text.to_string()));
}

/// Columns of the terminal that standard output goes to; none where it is no terminal.
pub(crate) fn width() -> Option<usize> {
    let (width, _) = terminal_size::terminal_size_of(io::stdout())?;
    Some(usize::from(width.0))
}

/// Makes diagnostics plain where they are not read on a terminal: there they are not wrapped either.
pub(crate) fn set_up_diagnostics() {
    let terminal = io::stderr().is_terminal();
    // A second call fails; there is none.
    let _ = miette::set_hook(Box::new(move |_| {
        let options = miette::MietteHandlerOpts::new()
            .terminal_links(false)
            .wrap_lines(terminal)
            .break_words(false)
            .word_separator(WordSeparator::Custom(words))
            .word_splitter(WordSplitter::NoHyphenation);
        Box::new(if terminal { options } else { options.color(false).unicode(false) }.build())
    }));
}

/// The pieces between which a line may end: words, but a command or name in backticks is one piece.
fn words(text: &str) -> Box<dyn Iterator<Item = Word<'_>> + '_> {
    let (mut pieces, mut start, mut quoted, mut space) = (Vec::new(), 0, false, false);
    for (at, letter) in text.char_indices() {
        if space && letter != ' ' {
            pieces.push(Word::from(&text[start..at]));
            start = at;
            space = false;
        }
        match letter {
            '`' => quoted = !quoted && text[at + 1..].contains('`'),
            ' ' => space = !quoted,
            _ => {}
        }
    }
    if start < text.len() {
        pieces.push(Word::from(&text[start..]));
    }
    Box::new(pieces.into_iter())
}

/// Prints a diagnostic to standard error.
pub(crate) fn complain(report: &Report) {
    let text = format!("{report:?}");
    let _ = io::stderr().lock().write_all(styled(&text, io::stderr().is_terminal()).as_bytes());
}

/// A text of ours with colours, if it may have them: everything else that a terminal would act on is escaped.
fn styled(text: &str, colours: bool) -> String {
    if !colours {
        return printable::lines(text).into_owned();
    }
    let mut shown = String::with_capacity(text.len());
    for (n, piece) in text.split("\u{1b}[").enumerate() {
        let style = piece.find('m').filter(|end| piece[..*end].bytes().all(|b| b.is_ascii_digit() || b == b';'));
        match style {
            _ if n == 0 => shown += &printable::lines(piece),
            Some(end) => {
                shown += "\u{1b}[";
                shown += &piece[..end];
                shown += &printable::lines(&piece[end..]);
            }
            None => shown += &format!("\\u{{1b}}[{}", printable::lines(piece)),
        }
    }
    shown
}

/// Paths in JSON: what is not UTF-8 in them is replaced, where the library would give up.
pub(crate) mod lossy {
    use std::path::PathBuf;

    pub(crate) use matrix_store::lossy_path as path;
    use serde::Serializer;

    /// Writes a list of paths.
    pub(crate) fn paths<S: Serializer>(paths: &[PathBuf], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(paths.iter().map(|path| path.to_string_lossy()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_never_ends_within_a_command_an_option_or_a_path() {
        let text =
            "to go on: `matrix resume --run 20261122T130000Z-a-b --results 'my results'`, or a/long-path/to-it a`b";
        let options = textwrap::Options::new(20)
            .break_words(false)
            // The other one comes only with a feature that other crates may ask for.
            .wrap_algorithm(textwrap::WrapAlgorithm::FirstFit)
            .word_separator(WordSeparator::Custom(words))
            .word_splitter(WordSplitter::NoHyphenation);
        assert_eq!(
            textwrap::wrap(text, options),
            [
                "to go on:",
                "`matrix resume --run 20261122T130000Z-a-b --results 'my results'`,",
                "or a/long-path/to-it",
                "a`b"
            ]
        );
        assert_eq!(words(text).map(|word| format!("{}{}", word.word, word.whitespace)).collect::<String>(), text);
    }

    #[test]
    fn only_colours_of_ours_pass() {
        let text = "\u{1b}[1;31mred\u{1b}[0m \u{1b}[2J\u{1b}]0;title\u{7} \u{202e}x\n";
        assert_eq!(styled(text, true), "\u{1b}[1;31mred\u{1b}[0m \\u{1b}[2J\\u{1b}]0;title\\u{7} \\u{202e}x\n");
        assert!(!styled(text, false).contains('\u{1b}'));
    }

    #[test]
    fn json_holds_the_same_text_without_what_a_terminal_acts_on() {
        let text = "a\u{9b}2J\u{7f}\u{202e}\u{e0041}\u{1b}\"\\";
        let json = escaped_json(&serde_json::to_string_pretty(&[text]).unwrap());
        assert!(!json.chars().any(|letter| letter != '\n' && printable::is_unprintable(letter)), "{json:?}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&json).unwrap(), [text]);
    }
}
