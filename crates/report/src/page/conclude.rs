//! What follows from all sections together: the verdict, what is missing, and commands to copy.

use std::collections::BTreeSet;

use matrix_core::CellKey;
use matrix_store::{Digest, Origin};

use super::model::{Commands, Label, Page};
use super::text::plain;

/// What a page is made with besides the results.
#[derive(Clone, Debug, Default)]
pub struct ReportOptions {
    /// The heading, where it is not to be the experiments' names.
    pub title: Option<String>,
    /// What the commands on the page call the results: a path in the shell's quotes, or a stand-in.
    pub place: String,
    /// Whether the results are a bundle.
    pub is_bundle: bool,
    /// Seconds after which the page loads itself again.
    pub refresh_s: Option<u32>,
}

/// What the commands on a bundle's own page call the bundle: it cannot know its file's name.
const BUNDLE: &str = "\"$BUNDLE\"";

impl ReportOptions {
    /// Those of the page that a bundle carries.
    #[must_use]
    pub fn in_bundle() -> Self {
        Self { place: BUNDLE.to_owned(), is_bundle: true, ..Self::default() }
    }
}

/// The subset of a program's experiment that shows within minutes that everything works.
pub const KICK_THE_TIRES: &str = "kick-the-tires";

/// Verdicts in the order in which the sentence counts them.
const VERDICTS: [&str; 9] = [
    "supported",
    "held",
    "met (one run)",
    "met (no interval)",
    "inconclusive",
    "unmet (one run)",
    "unmet (no interval)",
    "contradicted",
    "uncovered",
];

impl Page {
    /// Says what follows from the sections as they are now; to be called again when one is added.
    pub fn conclude(&mut self, options: &ReportOptions) {
        self.generator = concat!("matrix ", env!("CARGO_PKG_VERSION")).to_owned();
        let mut names: Vec<&str> = self.sections.iter().map(|section| section.experiment.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        self.title = plain(&options.title.clone().unwrap_or_else(|| format!("Results of {}", names.join(", "))));
        self.verdict =
            sentence(self.sections.iter().flat_map(|section| &section.claims).map(|claim| claim.verdict.as_str()));
        let done = |section: &super::Section| {
            section.states.iter().find(|state| state.state == "done").map_or(0, |state| state.count)
        };
        let (done, planned) = self
            .sections
            .iter()
            .fold((0, 0), |(all, planned), section| (all + done(section), planned + section.planned));
        self.labels.retain(|label| label.kind != "incomplete");
        if done < planned {
            let text = format!("incomplete: {done} of {planned} cells done");
            self.labels.push(Label { kind: "incomplete", text });
        }
        self.labels.sort_by(|a, b| (a.kind, &a.text).cmp(&(b.kind, &b.text)));
        self.labels.dedup();
        let simulated = self.labels.iter().any(|label| label.kind == "simulated");
        self.commands = self.commands(options, simulated, done < planned);
        self.refresh_s = options.refresh_s;
    }
}

/// One sentence: how many claims there are, and what became of them.
fn sentence<'a>(verdicts: impl Iterator<Item = &'a str>) -> String {
    let mut counts = [0_usize; VERDICTS.len()];
    for verdict in verdicts {
        if let Some(at) = VERDICTS.iter().position(|word| *word == verdict) {
            counts[at] += 1;
        }
    }
    let all: usize = counts.iter().sum();
    let parts: Vec<String> = counts
        .iter()
        .zip(VERDICTS)
        .filter(|(count, _)| **count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    match all {
        0 => "No claims.".to_owned(),
        1 => format!("1 claim: {}.", parts.join(", ")),
        all => format!("{all} claims: {}.", parts.join(", ")),
    }
}

impl Page {
    fn commands(&self, options: &ReportOptions, simulated: bool, incomplete: bool) -> Commands {
        let place = &options.place;
        let start = self.first_commands(options);
        let mut list = Vec::new();
        let mut add = |command: String, what: &str| list.push((command, what.to_owned()));
        add(format!("matrix verify {place}"), "checks every byte, and derives tables and figures again");
        if options.is_bundle {
            if simulated {
                let what = "runs the simulated cells again and compares every trace, byte for byte";
                add(format!("matrix bundle replay {place}"), what);
            } else {
                let what = "runs the programs again, after asking, and compares every metric; what real services gave is left out";
                add(format!("matrix bundle replay {place}"), what);
            }
            add(format!("matrix bundle extract {place} --as-store -o results"), "makes a store of it, to go on in");
        }
        add(format!("matrix check --results {place}"), "judges the claims");
        add(format!("matrix plot --results {place}"), "draws the figures");
        if !options.is_bundle {
            if incomplete {
                add("matrix resume".to_owned(), "goes on with an interrupted run");
            }
            for name in self.plain_names() {
                let what = "runs all of it again, into a store of its own; the file may have another name";
                add(format!("matrix run {name}.toml --results again"), what);
            }
            add(format!("matrix diff {place} again"), "compares the two, metric by metric");
        }
        if let Some(against) = self.against.as_deref().filter(|name| is_word(name)) {
            add(format!("matrix diff {place} {against}"), "compares with the authors', metric by metric");
        }
        Commands { start, list }
    }

    /// What comes first: the program, and what shows within minutes that all works.
    fn first_commands(&self, options: &ReportOptions) -> Vec<(String, String)> {
        let place = &options.place;
        let mut list = Vec::new();
        let mut add = |command: String, what: &str| list.push((command, what.to_owned()));
        let install = "installs matrix from a release's wheel, within seconds; a bundle may have it as data/bin/matrix";
        add("pip install matrix_runner-*.whl".to_owned(), install);
        if place == BUNDLE {
            let what = "names the file of the bundle that this page is in, for the commands of this page";
            add("BUNDLE=results.tar.zst".to_owned(), what);
        }
        let kick = self.sections.iter().any(|section| section.has_kick_the_tires);
        if kick && options.is_bundle {
            let what = "runs a small part again, after asking, and compares: minutes";
            add(format!("matrix bundle replay {place} --subset {KICK_THE_TIRES}"), what);
        } else if kick {
            for name in self.plain_names() {
                let what = "in the artifact's folder: runs a small part, minutes; the file may have another name";
                add(format!("matrix run {name}.toml --subset {KICK_THE_TIRES}"), what);
            }
        } else {
            add(format!("matrix check --results {place}"), "kick the tires: judges the claims, within seconds");
        }
        list
    }

    /// The names of the experiments, each once, that a shell takes as they are.
    fn plain_names(&self) -> BTreeSet<&str> {
        self.sections.iter().map(|section| section.experiment.as_str()).filter(|name| is_word(name)).collect()
    }
}

/// Whether a shell takes a text as one word that means itself.
pub(super) fn is_word(text: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-');
    text.starts_with(|letter: char| letter.is_ascii_alphanumeric()) && text.chars().all(plain)
}

/// The SHA-256 over some records: a line for each, its key, its origin and its own digest.
#[must_use]
pub fn records_digest<'a>(records: impl Iterator<Item = (CellKey, &'a Origin, Option<Digest>)>) -> String {
    let line = |(key, origin, digest): (CellKey, &Origin, Option<Digest>)| {
        format!("{key} {origin} {}\n", digest.map(|digest| digest.to_string()).unwrap_or_default())
    };
    Digest::of(records.map(line).collect::<String>().as_bytes()).to_string()
}
