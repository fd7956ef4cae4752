//! Documents as Markdown. The author's own text keeps its markup, but HTML is text; everything else is escaped.

use pulldown_cmark::{Event, Options, Parser};

use super::document::{Block, Span, Style};

/// How often HTML is looked for in the author's text; honest text has none after the first time.
const PASSES: usize = 8;

/// Writes a document.
pub(super) fn write(blocks: &[Block]) -> String {
    let mut text = String::new();
    put(blocks, &mut text, "");
    text.trim_start().to_owned()
}

fn put(blocks: &[Block], text: &mut String, indent: &str) {
    for block in blocks {
        match block {
            Block::Heading(level, heading) => {
                text.push_str(&format!("\n{} {}\n", "#".repeat(*level), escape(heading)));
            }
            Block::Paragraph(spans) => text.push_str(&format!("\n{indent}{}\n", line(spans))),
            Block::List(numbered, items) => {
                text.push('\n');
                for (number, item) in items.iter().enumerate() {
                    let mark = if *numbered { format!("{}. ", number + 1) } else { "- ".to_owned() };
                    let inside = format!("{indent}{}", " ".repeat(mark.len()));
                    let mut inner = String::new();
                    put(item, &mut inner, &inside);
                    text.push_str(&format!("{indent}{mark}{}\n", inner.trim()));
                }
            }
            Block::Code(lines) => {
                let longest = lines.iter().flat_map(|line| line.split(|letter| letter != '`')).map(str::len).max();
                let fence = "`".repeat(longest.unwrap_or(0).max(2) + 1);
                text.push_str(&format!("\n{indent}{fence}console\n"));
                lines.iter().for_each(|line| text.push_str(&format!("{indent}{}\n", one_line(line))));
                text.push_str(&format!("{indent}{fence}\n"));
            }
            Block::Prose(markdown) => text.push_str(&format!("\n{}\n", harmless(markdown.trim()))),
        }
    }
}

/// The author's text, in which nothing is HTML, moves the cursor of a terminal or turns the direction of writing.
fn harmless(markdown: &str) -> String {
    let is_bad = |letter: char| {
        (letter.is_control() && letter != '\n' && letter != '\t')
            || matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut text = markdown.replace("\r\n", "\n").replace(is_bad, "\u{fffd}");
    // Without a tag, what is behind it may be read in another way: as code, or as another tag.
    for _ in 0..PASSES {
        let tags: Vec<_> = Parser::new_ext(&text, Options::empty())
            .into_offset_iter()
            .filter_map(|(event, range)| matches!(event, Event::Html(_) | Event::InlineHtml(_)).then_some(range))
            .collect();
        if tags.is_empty() {
            return text;
        }
        for range in tags.into_iter().rev() {
            let tag = text[range.clone()].replace('<', "&lt;");
            text.replace_range(range, &tag);
        }
    }
    text.replace('<', "&lt;")
}

fn line(spans: &[Span]) -> String {
    let span = |span: &Span| match span.style {
        Style::Plain => escape(&span.text),
        // Blanks within the marks would make them text.
        Style::Emphasis => marked("*", &span.text),
        Style::Strong => marked("**", &span.text),
        Style::Code => {
            let text = one_line(&span.text);
            let longest = text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0);
            let fence = "`".repeat(longest + 1);
            if longest == 0 { format!("`{text}`") } else { format!("{fence} {text} {fence}") }
        }
    };
    spans.iter().map(span).collect()
}

fn marked(mark: &str, text: &str) -> String {
    let inner = text.trim_end();
    format!("{mark}{}{mark}{}", escape(inner), &text[inner.len()..])
}

fn one_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

/// A text in which nothing is markup.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for letter in one_line(text).chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' | '>' => escaped.extend(['\\', letter]),
            // Only at the beginning do these begin a list.
            '-' | '+' if escaped.is_empty() => escaped.extend(['\\', letter]),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::super::document::plain;
    use super::*;
    use crate::appendix::prose;

    #[test]
    fn the_authors_text_keeps_its_markup_and_has_no_html() {
        let honest = "# We\tmeasure *two* `<T>` engines\n\n1. a < b & c > d, see <https://example.org>\n\n```\n#include <stdio.h>\n```\n\n![x](y.png) gr\u{fc}n \u{1f469}\u{200d}\u{1f4bb}";
        assert_eq!(harmless(honest), honest);
        assert_eq!(harmless("a\r\nb"), "a\nb");
        for hostile in [
            "<script>alert(1)</script>",
            "a <img src=x onerror=alert(1)> b",
            "<!-- ` --> `<script>`",
            "- <div\n  onclick='x'>\n\n> <iframe src=x>",
            "<![CDATA[ <b> ]]> <?php x ?> <!DOCTYPE html>",
            "`a <!-- ` --> `<b>` -->",
        ] {
            let text = harmless(hostile);
            let is_html = |event: Event<'_>| matches!(event, Event::Html(_) | Event::InlineHtml(_));
            assert!(!Parser::new_ext(&text, Options::all()).any(is_html), "{text}");
        }
        let text = harmless("a\u{1b}[31mb\u{7}c\rd\u{9b}e\u{202e}f");
        assert_eq!(text, "a\u{fffd}[31mb\u{fffd}c\u{fffd}d\u{fffd}e\u{fffd}f");
    }

    #[test]
    fn hostile_words_are_words() {
        for hostile in ["**b** _i_ `c` [l](x) <img src=x> # h", "- a", "![x](y) | ~~s~~", "&lt; \\"] {
            let text = write(&[Block::Paragraph(vec![plain(hostile)])]);
            assert_eq!(prose::blocks(&text), [Block::Paragraph(vec![plain(hostile)])], "{text}");
        }
    }
}
