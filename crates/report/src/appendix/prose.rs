//! The author's own text: `[artifact]` of the experiment's file, and `appendix.d/*.md` beside it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use matrix_core::nearest;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::document::{Block, Span, Style, plain};

/// The folder beside an experiment's file that has the author's text.
const FOLDER: &str = "appendix.d";

/// A section that the author writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Section {
    Abstract,
    Access,
    Hardware,
    Software,
    Benchmarks,
    Warnings,
    Installation,
    Customisation,
    Notes,
}

const SECTIONS: [(&str, Section); 9] = [
    ("abstract", Section::Abstract),
    ("access", Section::Access),
    ("hardware", Section::Hardware),
    ("software", Section::Software),
    ("benchmarks", Section::Benchmarks),
    ("warnings", Section::Warnings),
    ("installation", Section::Installation),
    ("customisation", Section::Customisation),
    ("notes", Section::Notes),
];

impl Section {
    /// Its name in `[artifact]`, and without `.md` in `appendix.d`.
    pub(super) fn name(self) -> &'static str {
        SECTIONS.iter().find(|(_, section)| *section == self).map_or("", |(name, _)| name)
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
pub enum ProseError {
    /// A file could not be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
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
        let names: Vec<String> = SECTIONS.iter().map(|(name, _)| format!("{name}.md")).collect();
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
        let Some((_, section)) = SECTIONS.iter().find(|(known, _)| *known == name) else { return false };
        add(self.sections.entry(*section).or_default(), text);
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
            let text = std::fs::read_to_string(&path).map_err(failed(&path))?;
            if self.take(&name, &text) {
                continue;
            }
            if !experiments.contains(&name.as_str()) {
                let known: Vec<&str> =
                    SECTIONS.iter().map(|(name, _)| *name).chain(experiments.iter().copied()).collect();
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
    let mut reader = Reader { events: Parser::new_ext(markdown, Options::empty()), style: Vec::new() };
    reader.blocks(None)
}

struct Reader<'a> {
    events: Parser<'a>,
    style: Vec<Style>,
}

impl Reader<'_> {
    /// Blocks up to an end; text that stands in none is a paragraph.
    fn blocks(&mut self, until: Option<TagEnd>) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut loose = Vec::new();
        while let Some(event) = self.events.next() {
            match event {
                Event::End(end) if Some(end) == until => break,
                Event::Start(Tag::Paragraph) => {
                    let spans = self.spans(TagEnd::Paragraph);
                    blocks.push(Block::Paragraph(spans));
                }
                Event::Start(Tag::Heading { level, .. }) => {
                    let spans = self.spans(TagEnd::Heading(level));
                    // The author's headings stand below the appendix's own.
                    blocks.push(Block::Heading(4, spans.into_iter().map(|span| span.text).collect()));
                }
                Event::Start(Tag::List(start)) => {
                    let mut items = Vec::new();
                    while let Some(Event::Start(Tag::Item)) = self.events.next() {
                        items.push(self.blocks(Some(TagEnd::Item)));
                    }
                    flush(&mut loose, &mut blocks);
                    blocks.push(Block::List(start.is_some(), items));
                }
                Event::Start(Tag::CodeBlock(_)) => {
                    let text: String = self.spans(TagEnd::CodeBlock).into_iter().map(|span| span.text).collect();
                    blocks.push(Block::Code(text.lines().map(str::to_owned).collect()));
                }
                Event::Start(Tag::BlockQuote(_) | Tag::HtmlBlock) | Event::End(_) => {}
                Event::Rule => flush(&mut loose, &mut blocks),
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
