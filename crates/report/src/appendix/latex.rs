//! Documents as LaTeX. Every text is escaped, so that it is printed and never executed.

use super::document::{Block, Span, Style};
use super::prose;

/// What stands at the top.
const HEAD: &str = "\
% Written by matrix appendix: change appendix.d/*.md and the experiment's file, then write it again.
% To be included: \\appendix \\input{appendix.tex}. It needs no package; letters with accents need \\usepackage[T1]{fontenc}.
";

/// Letters that LaTeX itself sets in the encoding T1.
const LETTERS: &str = "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿĂăĄąĆćČčĎďĐđĘęĚěĞğİıĹĺĽľŁłŃńŇňŐőŒœŔŕŘřŚśŞşŠšŤťŮůŰűŸŹźŻżŽž";

/// What other letters are written as.
const SYMBOLS: &[(char, &str)] = &[
    ('\\', "\\textbackslash{}"),
    ('{', "\\{"),
    ('}', "\\}"),
    ('$', "\\$"),
    ('&', "\\&"),
    ('#', "\\#"),
    ('_', "\\_"),
    ('%', "\\%"),
    ('~', "\\textasciitilde{}"),
    ('^', "\\textasciicircum{}"),
    ('<', "\\textless{}"),
    ('>', "\\textgreater{}"),
    ('|', "\\textbar{}"),
    ('`', "\\textasciigrave{}"),
    ('\u{a0}', "~"),
    ('–', "\\textendash{}"),
    ('—', "\\textemdash{}"),
    ('‘', "\\textquoteleft{}"),
    ('’', "\\textquoteright{}"),
    ('“', "\\textquotedblleft{}"),
    ('”', "\\textquotedblright{}"),
    ('…', "\\ldots{}"),
    ('×', "\\ensuremath{\\times}"),
    ('÷', "\\ensuremath{\\div}"),
    ('±', "\\ensuremath{\\pm}"),
    ('·', "\\ensuremath{\\cdot}"),
    ('°', "\\ensuremath{^{\\circ}}"),
    ('²', "\\ensuremath{^{2}}"),
    ('³', "\\ensuremath{^{3}}"),
    ('µ', "\\ensuremath{\\mu}"),
    ('μ', "\\ensuremath{\\mu}"),
    ('α', "\\ensuremath{\\alpha}"),
    ('β', "\\ensuremath{\\beta}"),
    ('γ', "\\ensuremath{\\gamma}"),
    ('δ', "\\ensuremath{\\delta}"),
    ('ε', "\\ensuremath{\\epsilon}"),
    ('λ', "\\ensuremath{\\lambda}"),
    ('π', "\\ensuremath{\\pi}"),
    ('σ', "\\ensuremath{\\sigma}"),
    ('τ', "\\ensuremath{\\tau}"),
    ('Δ', "\\ensuremath{\\Delta}"),
    ('Σ', "\\ensuremath{\\Sigma}"),
    ('Ω', "\\ensuremath{\\Omega}"),
    ('≤', "\\ensuremath{\\leq}"),
    ('≥', "\\ensuremath{\\geq}"),
    ('≈', "\\ensuremath{\\approx}"),
    ('≠', "\\ensuremath{\\neq}"),
    ('∞', "\\ensuremath{\\infty}"),
    ('→', "\\ensuremath{\\rightarrow}"),
    ('←', "\\ensuremath{\\leftarrow}"),
    ('−', "\\ensuremath{-}"),
];

/// Writes a document.
pub(super) fn write(blocks: &[Block]) -> String {
    let mut text = HEAD.to_owned();
    put(blocks, &mut text);
    text
}

fn put(blocks: &[Block], text: &mut String) {
    for block in blocks {
        match block {
            Block::Heading(level, heading) => {
                let command = match level {
                    1 => "section",
                    2 => "subsection",
                    3 => "subsubsection",
                    _ => "paragraph",
                };
                text.push_str(&format!("\n\\{command}{{{}}}\n", escape(heading)));
            }
            Block::Paragraph(spans) => text.push_str(&format!("\n{}\n", line(spans))),
            Block::List(numbered, items) => {
                let environment = if *numbered { "enumerate" } else { "itemize" };
                text.push_str(&format!("\n\\begin{{{environment}}}\n"));
                for item in items {
                    let mut inner = String::new();
                    put(item, &mut inner);
                    text.push_str(&format!("\\item{{}} {}\n", inner.trim()));
                }
                text.push_str(&format!("\\end{{{environment}}}\n"));
            }
            Block::Code(lines) => {
                text.push_str("\n\\begin{quote}\\ttfamily\\raggedright\n");
                let lines: Vec<String> = lines.iter().map(|line| typed(line)).collect();
                text.push_str(&lines.join(" \\\\{}\n"));
                text.push_str("\n\\end{quote}\n");
            }
            Block::Prose(markdown) => put(&prose::blocks(markdown), text),
        }
    }
}

fn line(spans: &[Span]) -> String {
    let span = |span: &Span| {
        let text = escape(&span.text);
        match span.style {
            Style::Plain => text,
            Style::Emphasis => format!("\\textit{{{text}}}"),
            Style::Strong => format!("\\textbf{{{text}}}"),
            Style::Code => format!("\\texttt{{{text}}}"),
        }
    };
    spans.iter().map(span).collect()
}

/// A line as it is typed: its first blanks stay, and an empty one has a height.
fn typed(line: &str) -> String {
    let rest = line.trim_start_matches(' ');
    let blanks = "~".repeat(line.len() - rest.len());
    if line.is_empty() { "\\mbox{}".to_owned() } else { format!("{blanks}{}", escape(rest)) }
}

/// A text that LaTeX prints as it is: nothing in it is a command, and no two letters of it become another sign. A letter
/// that LaTeX cannot set is printed by its number.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        match letter {
            '\n' | '\t' | '\r' => escaped.push(' '),
            // Not a dash, and no other quotation mark.
            '-' | ',' | '\'' if escaped.ends_with(letter) => escaped.extend(["{}".to_owned(), letter.to_string()]),
            letter => match SYMBOLS.iter().find(|(symbol, _)| *symbol == letter) {
                Some((_, written)) => escaped.push_str(written),
                None if matches!(letter, ' '..='~') || LETTERS.contains(letter) => escaped.push(letter),
                None => escaped.push_str(&format!("\\texttt{{U+{:04X}}}", u32::from(letter))),
            },
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The commands of an escaped text, and nothing else that LaTeX acts on: what a person reads, or what is wrong.
    fn read(escaped: &str) -> Result<String, String> {
        let commands = SYMBOLS.iter().map(|(symbol, written)| (*written, symbol.to_string()));
        let mut commands: Vec<(&str, String)> = commands.filter(|(written, _)| written.len() > 1).collect();
        commands.sort_by_key(|(written, _)| std::cmp::Reverse(written.len()));
        let mut rest = escaped;
        let mut text = String::new();
        while let Some(letter) = rest.chars().next() {
            if let Some(after) = rest.strip_prefix("\\texttt{U+") {
                let (number, after) = after.split_once('}').ok_or("an open brace")?;
                let letter = u32::from_str_radix(number, 16).ok().and_then(char::from_u32).ok_or("no letter")?;
                text.push(letter);
                rest = after;
            } else if let Some((written, symbol)) = commands.iter().find(|(written, _)| rest.starts_with(written)) {
                text.push_str(symbol);
                rest = &rest[written.len()..];
            } else if let Some(after) = rest.strip_prefix("{}") {
                rest = after;
            } else if "\\{}$&#_%^<>|`".contains(letter) {
                return Err(format!("a bare {letter} in {escaped}"));
            } else {
                text.push(if letter == '~' { '\u{a0}' } else { letter });
                rest = &rest[letter.len_utf8()..];
            }
        }
        Ok(text)
    }

    proptest! {
        #[test]
        fn every_text_is_printed_as_it_is_and_nothing_in_it_is_a_command(text in "\\PC{0,60}|[\\\\{}$&#_%~^<>|`',-]{0,20}") {
            // Two letters that look alike are one command.
            let text = text.replace('μ', "µ");
            prop_assert_eq!(read(&escape(&text)).map(|read| read.replace('μ', "µ")), Ok(text));
        }
    }

    #[test]
    fn no_two_letters_become_another_sign() {
        assert_eq!(escape("a --format ---,, ''"), "a -{}-format -{}-{}-,{}, '{}'");
        assert_eq!(
            escape("50 % of $x_1 \\input{/etc/passwd}"),
            "50 \\% of \\$x\\_1 \\textbackslash{}input\\{/etc/passwd\\}"
        );
        assert_eq!(escape("中\u{202e}\u{1b}"), "\\texttt{U+4E2D}\\texttt{U+202E}\\texttt{U+001B}");
    }
}
