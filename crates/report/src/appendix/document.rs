//! From an appendix's contents to its sections, before there is a format.

use super::model::{Appendix, Claim, Experiment};
use super::prose::Section;

/// How a piece of text stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Style {
    /// As the text around it.
    #[default]
    Plain,
    /// Stressed.
    Emphasis,
    /// Stressed more.
    Strong,
    /// What is typed.
    Code,
}

/// A piece of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) style: Style,
    pub(super) text: String,
}

/// A part of a document.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Block {
    /// A heading, from 1 for the appendix itself.
    Heading(usize, String),
    /// Running text.
    Paragraph(Vec<Span>),
    /// A list, numbered or not.
    List(bool, Vec<Vec<Block>>),
    /// Lines as they are typed.
    Code(Vec<String>),
    /// The author's own Markdown.
    Prose(String),
}

pub(super) fn plain(text: impl Into<String>) -> Span {
    Span { style: Style::Plain, text: text.into() }
}

fn styled(style: Style, text: impl Into<String>) -> Span {
    Span { style, text: text.into() }
}

fn paragraph(text: impl Into<String>) -> Block {
    Block::Paragraph(vec![plain(text)])
}

/// The whole appendix.
pub(super) fn of(appendix: &Appendix) -> Vec<Block> {
    let mut blocks = vec![Block::Heading(1, "Artifact Appendix".to_owned())];
    let mut part = |level: usize, heading: &str, blocks_of: Vec<Block>| {
        blocks.push(Block::Heading(level, heading.to_owned()));
        blocks.extend(blocks_of);
    };
    part(2, "Abstract", prose(appendix, Section::Abstract));
    part(2, "Description & Requirements", facts(appendix));
    part(3, "How to access", prose(appendix, Section::Access));
    part(3, "Hardware dependencies", hardware(appendix));
    part(3, "Software dependencies", prose(appendix, Section::Software));
    part(3, "Benchmarks", or_none(prose_if_any(appendix, Section::Benchmarks)));
    let warnings = prose_if_any(appendix, Section::Warnings);
    if !warnings.is_empty() {
        part(3, "Warnings", warnings);
    }
    part(2, "Set-up", prose(appendix, Section::Installation));
    part(2, "Evaluation workflow", Vec::new());
    part(3, "Major Claims", claims(appendix));
    part(3, "Experiments", experiments(appendix));
    let uncovered = uncovered(appendix);
    if !uncovered.is_empty() {
        part(3, "What is not covered", uncovered);
    }
    part(2, "Notes on Reusability", or_none(prose_if_any(appendix, Section::Customisation)));
    let notes = prose_if_any(appendix, Section::Notes);
    if !notes.is_empty() {
        part(2, "General Notes", notes);
    }
    blocks
}

fn prose_if_any(appendix: &Appendix, section: Section) -> Vec<Block> {
    appendix.prose.of(section).map(|text| Block::Prose(text.to_owned())).into_iter().collect()
}

/// The author's text; where there is none, what to write where.
fn prose(appendix: &Appendix, section: Section) -> Vec<Block> {
    let text = prose_if_any(appendix, section);
    if !text.is_empty() {
        return text;
    }
    let (file, key) = (format!("appendix.d/{}.md", section.name()), section.name());
    vec![Block::Paragraph(vec![
        styled(Style::Strong, "To be written: "),
        styled(Style::Code, file),
        plain(", or "),
        styled(Style::Code, key),
        plain(" in [artifact] of an experiment of schema 2."),
    ])]
}

fn or_none(blocks: Vec<Block>) -> Vec<Block> {
    if blocks.is_empty() { vec![paragraph("None.")] } else { blocks }
}

fn facts(appendix: &Appendix) -> Vec<Block> {
    let item = |(name, value): &(String, String)| {
        vec![Block::Paragraph(vec![styled(Style::Emphasis, format!("{name}: ")), plain(value.clone())])]
    };
    if appendix.facts.is_empty() {
        return Vec::new();
    }
    vec![Block::List(false, appendix.facts.iter().map(item).collect())]
}

/// Names of experiments by their places: `E1, E2`.
fn experiment_names(places: &[usize]) -> String {
    let names: Vec<String> = places.iter().map(|place| format!("E{}", place + 1)).collect();
    names.join(", ")
}

fn hardware(appendix: &Appendix) -> Vec<Block> {
    let mut blocks = prose_if_any(appendix, Section::Hardware);
    if appendix.requires.is_empty() {
        blocks.push(paragraph("The experiments require nothing particular of the machine."));
    } else {
        let item = |(requirement, places): &(String, Vec<usize>)| {
            vec![paragraph(format!("{}: {requirement}", experiment_names(places)))]
        };
        blocks.push(paragraph("Required; cells whose requirement is not met are skipped, and the reason is printed:"));
        blocks.push(Block::List(false, appendix.requires.iter().map(item).collect()));
    }
    if !appendix.environments.is_empty() {
        blocks.push(paragraph("The authors' results were made on:"));
        let item = |line: &String| vec![paragraph(line.clone())];
        blocks.push(Block::List(false, appendix.environments.iter().map(item).collect()));
    }
    blocks
}

fn claims(appendix: &Appendix) -> Vec<Block> {
    let names = appendix.claim_names();
    let item = |(claim, name): (&Claim, &String)| {
        let mut spans = vec![styled(Style::Emphasis, format!("({name}): {}", sentence(&claim.says)))];
        if claim.id != *name {
            spans.push(plain(" Called "));
            spans.push(styled(Style::Code, claim.id.clone()));
            spans.push(plain(" in the results."));
        }
        if let Some(paper) = &claim.paper {
            spans.push(plain(format!(" Reported in {paper}.")));
        }
        spans.push(plain(match claim.backed_by.as_slice() {
            [] => " No experiment here is about it.".to_owned(),
            [_] => format!(" Proven by the experiment {}.", experiment_names(&claim.backed_by)),
            _ => format!(" Proven by the experiments {}.", experiment_names(&claim.backed_by)),
        }));
        vec![Block::Paragraph(spans)]
    };
    let covered = appendix.claims.iter().zip(&names).filter(|(claim, _)| claim.uncovered.is_none());
    let items: Vec<Vec<Block>> = covered.map(item).collect();
    if items.is_empty() {
        return vec![paragraph("The experiments claim nothing.")];
    }
    vec![Block::List(false, items)]
}

/// A text that ends as a sentence does.
fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.ends_with(['.', '!', '?']) || text.is_empty() { text.to_owned() } else { format!("{text}.") }
}

fn experiments(appendix: &Appendix) -> Vec<Block> {
    let names = appendix.claim_names();
    let mut blocks = Vec::new();
    for (place, experiment) in appendix.experiments.iter().enumerate() {
        let backed: Vec<(&Claim, &String)> = appendix
            .claims
            .iter()
            .zip(&names)
            .filter(|(claim, _)| claim.backed_by.contains(&place) && claim.uncovered.is_none())
            .collect();
        blocks.push(Block::Paragraph(vec![
            styled(
                Style::Emphasis,
                format!("Experiment (E{}): {} [{}]", place + 1, experiment.name, effort(experiment)),
            ),
            plain(format!(": {}", about(experiment, &backed))),
        ]));
        if let Some(text) = appendix.prose.of_experiment(&experiment.name) {
            blocks.push(Block::Prose(text.to_owned()));
        }
        if !experiment.prepare.is_empty() {
            blocks.push(Block::Paragraph(vec![
                styled(Style::Emphasis, "[Preparation]"),
                plain(" A part that shows within minutes that everything works:"),
            ]));
            blocks.push(Block::Code(experiment.prepare.clone()));
        }
        blocks.push(Block::Paragraph(vec![
            styled(Style::Emphasis, "[Execution]"),
            plain(" Interrupted however, the same command goes on:"),
        ]));
        blocks.push(Block::Code(experiment.run.clone()));
        blocks.push(Block::Paragraph(vec![styled(Style::Emphasis, "[Results]"), plain(" The authors' results:")]));
        let results = results(&backed);
        if results.is_empty() {
            blocks.pop();
            blocks.push(Block::Paragraph(vec![
                styled(Style::Emphasis, "[Results]"),
                plain(" No claim is about this experiment; its figures and tables are drawn."),
            ]));
        } else {
            blocks.push(Block::List(false, results));
        }
    }
    blocks
}

fn about(experiment: &Experiment, backed: &[(&Claim, &String)]) -> String {
    let names: Vec<&str> = backed.iter().map(|(_, name)| name.as_str()).collect();
    let mut text = match experiment.cells {
        1 => "1 cell".to_owned(),
        cells => format!("{cells} cells"),
    };
    if experiment.rounds > 1 {
        text.push_str(&format!(" ({} rounds)", experiment.rounds));
    }
    if !experiment.nature.is_empty() {
        text.push_str(&format!(", {}", experiment.nature));
    }
    if !names.is_empty() {
        text.push_str(&format!("; backs {}", names.join(", ")));
    }
    text.push('.');
    text
}

/// `10 human-minutes + 3.4 compute-minutes, 1.2 MB disk`.
fn effort(experiment: &Experiment) -> String {
    let human = experiment
        .human_minutes
        .map_or_else(|| "human-minutes not stated".to_owned(), |minutes| format!("{} human-minutes", short(minutes)));
    let measured = experiment.measured;
    if measured.cells == 0 {
        return format!("{human} + compute-minutes and disk not measured yet");
    }
    let so_far = if measured.cells < experiment.cells {
        format!("; measured for {} of {} cells", measured.cells, experiment.cells)
    } else {
        String::new()
    };
    format!("{human} + {} compute-minutes, {} disk{so_far}", short(measured.seconds / 60.0), bytes(measured.bytes))
}

/// A number of minutes with as many digits as matter.
fn short(minutes: f64) -> String {
    match minutes {
        minutes if minutes >= 10.0 || minutes == minutes.round() => format!("{minutes:.0}"),
        minutes if minutes >= 0.1 => format!("{minutes:.1}"),
        minutes => format!("{minutes:.3}"),
    }
}

fn bytes(bytes: u64) -> String {
    match bytes as f64 {
        bytes if bytes >= 1e9 => format!("{:.1} GB", bytes / 1e9),
        bytes if bytes >= 1e6 => format!("{:.1} MB", bytes / 1e6),
        bytes => format!("{:.0} kB", (bytes / 1e3).ceil()),
    }
}

fn results(backed: &[(&Claim, &String)]) -> Vec<Vec<Block>> {
    let item = |(claim, name): &(&Claim, &String)| {
        let Some(verdict) = &claim.verdict else {
            return vec![paragraph(format!("{name}: nothing is measured yet."))];
        };
        let found = if claim.found.is_empty() { String::new() } else { format!(" ({})", claim.found.join("; ")) };
        vec![paragraph(format!("{name} is {verdict}{found}."))]
    };
    backed.iter().map(item).collect()
}

fn uncovered(appendix: &Appendix) -> Vec<Block> {
    let names = appendix.claim_names();
    let item = |(claim, name): (&Claim, &String)| {
        let why = claim.uncovered.as_ref()?;
        let paper = claim.paper.as_ref().map(|paper| format!(" ({paper})")).unwrap_or_default();
        let says = if claim.says.is_empty() { claim.id.clone() } else { claim.says.clone() };
        Some(vec![Block::Paragraph(vec![
            styled(Style::Emphasis, format!("({name}): {}", sentence(&says))),
            plain(format!("{paper} Not covered: {why}")),
        ])])
    };
    let items: Vec<Vec<Block>> = appendix.claims.iter().zip(&names).filter_map(item).collect();
    if items.is_empty() { Vec::new() } else { vec![Block::List(false, items)] }
}
