//! Documents as Markdown. The author's own text stays as it is; everything else is escaped.

use super::document::{Block, Span, Style};

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
            Block::Prose(markdown) => text.push_str(&format!("\n{}\n", markdown.trim())),
        }
    }
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
    fn hostile_words_are_words() {
        for hostile in ["**b** _i_ `c` [l](x) <img src=x> # h", "- a", "![x](y) | ~~s~~", "&lt; \\"] {
            let text = write(&[Block::Paragraph(vec![plain(hostile)])]);
            assert_eq!(prose::blocks(&text), [Block::Paragraph(vec![plain(hostile)])], "{text}");
        }
    }
}
