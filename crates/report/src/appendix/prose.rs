//! The author's own text: `[artifact]` of the experiment's file, and `appendix.d/*.md` beside it.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use matrix_core::nearest;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::document::{Block, Span, Style, plain};

/// The folder beside an experiment's file that has the author's text.
const FOLDER: &str = "appendix.d";

/// Most bytes of a file of it.
const LONGEST: u64 = 1 << 20;

/// How deep lists may lie in each other: LaTeX allows no more. What lies deeper becomes paragraphs.
const DEEPEST: usize = 4;

matrix_core::named! {
    /// A section that the author writes, by its name in `[artifact]`, and without `.md` in `appendix.d`.
    pub(super) enum Section: name {
        Abstract = "abstract",
        Access = "access",
        Hardware = "hardware",
        Software = "software",
        Benchmarks = "benchmarks",
        Warnings = "warnings",
        Installation = "installation",
        Customisation = "customisation",
        Notes = "notes",
    }
}

/// The author's text by section, in Markdown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prose {
    sections: BTreeMap<Section, String>,
    experiments: BTreeMap<String, String>,
}

/// Why the author's text could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProseError {
    /// A file could not be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file that belongs to no section and no experiment.
    #[error("{}: there is no section and no experiment of that name{}", path.display(), near.as_ref().map(|near| format!("; did you mean {near}.md?")).unwrap_or_default())]
    Unknown {
        /// The file.
        path: PathBuf,
        /// The name that was probably meant.
        near: Option<String>,
    },
}

impl ProseError {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        let names: Vec<String> = Section::NAMES.iter().map(|name| format!("{name}.md")).collect();
        match self {
            Self::Read { .. } => None,
            Self::Unknown { .. } => {
                Some(format!("files are called {}, or as a [[matrix]] with .md behind its name", names.join(", ")))
            }
        }
    }
}

impl Prose {
    /// Takes a section's text from `[artifact]`; whether there is a section of that name.
    pub fn take(&mut self, name: &str, text: &str) -> bool {
        // One word for the same in two spellings.
        let name = if name == "customization" { "customisation" } else { name };
        let Some(section) = Section::ALL.into_iter().find(|section| section.name() == name) else { return false };
        add(self.sections.entry(section).or_default(), text);
        true
    }

    /// Reads `appendix.d/*.md` in a folder, if there are any. Each is called like a section, or like one of these
    /// experiments.
    ///
    /// # Errors
    /// When a file cannot be read, or has another name.
    pub fn read(&mut self, folder: &Path, experiments: &[&str]) -> Result<(), ProseError> {
        let place = folder.join(FOLDER);
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| ProseError::Read { path, source }
        };
        if !place.is_dir() {
            return Ok(());
        }
        let entries = std::fs::read_dir(&place).map_err(failed(&place))?;
        let mut files =
            entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, _>>().map_err(failed(&place))?;
        files.retain(|path| path.extension().is_some_and(|ending| ending == "md"));
        files.sort();
        for path in files {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let text = text_of(&path).map_err(failed(&path))?;
            if self.take(&name, &text) {
                continue;
            }
            if !experiments.contains(&name.as_str()) {
                let known: Vec<&str> = Section::NAMES.into_iter().chain(experiments.iter().copied()).collect();
                let near = nearest(&name, &known).map(str::to_owned);
                return Err(ProseError::Unknown { path, near });
            }
            add(self.experiments.entry(name).or_default(), &text);
        }
        Ok(())
    }

    /// Adds another's text behind this one's.
    pub(super) fn extend(&mut self, other: Self) {
        for (section, text) in other.sections {
            add(self.sections.entry(section).or_default(), &text);
        }
        for (name, text) in other.experiments {
            add(self.experiments.entry(name).or_default(), &text);
        }
    }

    pub(super) fn of(&self, section: Section) -> Option<&str> {
        self.sections.get(&section).map(String::as_str)
    }

    pub(super) fn of_experiment(&self, name: &str) -> Option<&str> {
        self.experiments.get(name).map(String::as_str)
    }
}

/// The text of a file, without a byte order mark.
fn text_of(path: &Path) -> io::Result<String> {
    // To open a pipe would wait for somebody who writes.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut text = String::new();
    let length = std::fs::File::open(path)?.take(LONGEST + 1).read_to_string(&mut text)?;
    if length as u64 > LONGEST {
        return Err(io::Error::other(format!("it has more than {LONGEST} bytes")));
    }
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// Adds a text as paragraphs of its own, unless it stands there already.
fn add(all: &mut String, text: &str) {
    let text = text.trim();
    if text.is_empty() || all.contains(text) {
        return;
    }
    if !all.is_empty() {
        all.push_str("\n\n");
    }
    all.push_str(text);
}

/// The blocks of a Markdown text. Pictures are their descriptions, HTML is text.
pub(super) fn blocks(markdown: &str) -> Vec<Block> {
    let mut reader = Reader { events: Parser::new_ext(markdown, Options::empty()), style: Vec::new(), depth: 0 };
    reader.blocks(None)
}

struct Reader<'a> {
    events: Parser<'a>,
    style: Vec<Style>,
    /// How many lists the current place is in.
    depth: usize,
}

impl Reader<'_> {
    /// Blocks up to an end; text that stands in none is a paragraph.
    fn blocks(&mut self, until: Option<TagEnd>) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut loose = Vec::new();
        // Items of lists that lie too deep.
        let mut deeper = 0_usize;
        while let Some(event) = self.events.next() {
            match event {
                Event::Start(Tag::Item) => {
                    flush(&mut loose, &mut blocks);
                    deeper += 1;
                }
                Event::End(TagEnd::Item) if deeper > 0 => {
                    flush(&mut loose, &mut blocks);
                    deeper -= 1;
                }
                Event::End(end) if Some(end) == until => break,
                Event::Start(Tag::Paragraph) => {
                    flush(&mut loose, &mut blocks);
                    let spans = self.spans(TagEnd::Paragraph);
                    blocks.push(Block::Paragraph(spans));
                }
                Event::Start(Tag::Heading { level, .. }) => {
                    flush(&mut loose, &mut blocks);
                    let spans = self.spans(TagEnd::Heading(level));
                    // The author's headings stand below the appendix's own.
                    blocks.push(Block::Heading(4, spans.into_iter().map(|span| span.text).collect()));
                }
                Event::Start(Tag::List(start)) if self.depth < DEEPEST => {
                    flush(&mut loose, &mut blocks);
                    self.depth += 1;
                    let mut items = Vec::new();
                    while let Some(Event::Start(Tag::Item)) = self.events.next() {
                        items.push(self.blocks(Some(TagEnd::Item)));
                    }
                    self.depth -= 1;
                    blocks.push(Block::List(start.is_some(), items));
                }
                Event::Start(Tag::CodeBlock(_)) => {
                    flush(&mut loose, &mut blocks);
                    let text: String = self.spans(TagEnd::CodeBlock).into_iter().map(|span| span.text).collect();
                    blocks.push(Block::Code(text.lines().map(str::to_owned).collect()));
                }
                Event::Start(Tag::List(_) | Tag::BlockQuote(_) | Tag::HtmlBlock) | Event::Rule => {
                    flush(&mut loose, &mut blocks);
                }
                event => self.span(event, &mut loose),
            }
        }
        flush(&mut loose, &mut blocks);
        blocks
    }

    fn spans(&mut self, until: TagEnd) -> Vec<Span> {
        let mut spans = Vec::new();
        while let Some(event) = self.events.next() {
            if event == Event::End(until) {
                break;
            }
            self.span(event, &mut spans);
        }
        joined(spans)
    }

    fn span(&mut self, event: Event<'_>, spans: &mut Vec<Span>) {
        let style = self.style.last().copied().unwrap_or_default();
        match event {
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => {
                spans.push(Span { style, text: text.into_string() });
            }
            Event::Code(text) => spans.push(Span { style: Style::Code, text: text.into_string() }),
            Event::SoftBreak | Event::HardBreak => spans.push(Span { style, text: " ".to_owned() }),
            Event::Start(Tag::Emphasis) => self.style.push(Style::Emphasis),
            Event::Start(Tag::Strong) => self.style.push(Style::Strong),
            Event::Start(Tag::Link { dest_url, .. }) => {
                let inner = self.spans(TagEnd::Link);
                let same = inner.iter().map(|span| span.text.as_str()).collect::<String>() == *dest_url;
                if !same {
                    spans.extend(inner);
                    spans.push(plain(" ("));
                }
                spans.push(Span { style: Style::Code, text: dest_url.into_string() });
                if !same {
                    spans.push(plain(")"));
                }
            }
            Event::End(TagEnd::Emphasis | TagEnd::Strong) => drop(self.style.pop()),
            _ => {}
        }
    }
}

fn flush(loose: &mut Vec<Span>, blocks: &mut Vec<Block>) {
    if !loose.is_empty() {
        blocks.push(Block::Paragraph(joined(std::mem::take(loose))));
    }
}

/// Neighbours of one style as one.
fn joined(spans: Vec<Span>) -> Vec<Span> {
    let mut joined: Vec<Span> = Vec::new();
    for span in spans {
        match joined.last_mut() {
            Some(last) if last.style == span.style => last.text.push_str(&span.text),
            _ => joined.push(span),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(blocks: &[Block]) -> Vec<String> {
        let text = |block: &Block| match block {
            Block::Paragraph(spans) => spans.iter().map(|span| span.text.as_str()).collect(),
            Block::Code(lines) => format!("code {}", lines.join("|")),
            Block::List(_, items) => {
                format!("[{}]", items.iter().map(|item| texts(item).join("; ")).collect::<Vec<_>>().join(" / "))
            }
            other => format!("{other:?}"),
        };
        blocks.iter().map(text).collect()
    }

    #[test]
    fn what_stands_in_an_item_stays_in_its_order() {
        let text = "- run this:\n  ```\n  make\n  ```\n- then\n  > look\n\n  - a\n  - b\n";
        assert_eq!(texts(&blocks(text)), ["[run this:; code make / then; look; [a / b]]"]);
        // Emphasis ends where it ends, in items too.
        let emphasis = Span { style: Style::Emphasis, text: "a".to_owned() };
        assert_eq!(blocks("- *a* b"), [Block::List(false, vec![vec![Block::Paragraph(vec![emphasis, plain(" b")])]])]);
    }

    #[test]
    fn lists_lie_no_deeper_in_each_other_than_latex_allows() {
        let nested =
            |depth: usize| (0..depth).map(|level| format!("{}- {level}\n", "  ".repeat(level))).collect::<String>();
        assert_eq!(texts(&blocks(&nested(4))), ["[0; [1; [2; [3]]]]"]);
        assert_eq!(texts(&blocks(&(nested(6) + "- next\n"))), ["[0; [1; [2; [3; 4; 5]]] / next]"]);
        // Nor does any depth end the program.
        let deep = blocks(&format!("{}x", "- ".repeat(20_000)));
        assert_eq!(texts(&deep), ["[[[[x]]]]"]);
        assert_eq!(texts(&blocks(&format!("{}x", "> ".repeat(20_000)))), ["x"]);
    }

    #[test]
    #[cfg(unix)]
    fn a_file_without_end_is_refused_and_a_byte_order_mark_is_no_text() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join(FOLDER);
        std::fs::create_dir(&place).unwrap();
        std::fs::write(place.join("abstract.md"), "\u{feff}# Ours").unwrap();
        let mut prose = Prose::default();
        prose.read(folder.path(), &[]).unwrap();
        assert_eq!(prose.of(Section::Abstract), Some("# Ours"));
        std::os::unix::fs::symlink("/dev/zero", place.join("notes.md")).unwrap();
        let error = prose.read(folder.path(), &[]).unwrap_err().to_string();
        assert!(error.ends_with("notes.md: it is no file"), "{error}");
        std::fs::remove_file(place.join("notes.md")).unwrap();
        std::fs::write(place.join("notes.md"), vec![b' '; LONGEST as usize + 1]).unwrap();
        let error = prose.read(folder.path(), &[]).unwrap_err().to_string();
        assert!(error.ends_with("it has more than 1048576 bytes"), "{error}");
    }
}
