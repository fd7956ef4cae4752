//! Walking the file: reads entries, and notes everything that is wrong with them instead of stopping at the first.

use matrix_plan::nearest;
use matrix_yaml::{Entry, Node};

use super::form::{Form, is_region};
use super::model::ByRegion;
use super::problem::{Guide, Problem};

/// Names of a table that have a region in them, such as `host__<region>__writer`: what stands before and after it.
pub(super) type Pattern = (&'static str, &'static str);

/// What a table may hold.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    /// Plain names.
    pub(super) names: &'static [&'static str],
    /// Names with a region.
    pub(super) patterns: &'static [Pattern],
}

/// Names and values of one place in the file.
pub(super) struct Entries<'a> {
    /// The names above, with a point at the end; empty at the top.
    above: String,
    /// The line of the table itself.
    line: u64,
    entries: &'a [Entry],
    guide: Guide,
}

impl<'a> Entries<'a> {
    /// The top of the file.
    pub(super) fn top(root: &'a Node, shape: Shape, problems: &mut Vec<Problem>) -> Option<Self> {
        let entries = root.entries();
        if entries.is_none() {
            let (entry, line) = (String::new(), Some(root.place.line));
            problems.push(Problem {
                entry,
                line,
                what: "the file must hold names and values".into(),
                guide: Guide::File,
            });
        }
        let top = Self { above: String::new(), line: root.place.line, entries: entries?, guide: Guide::File };
        top.check_names(shape, problems);
        Some(top)
    }

    /// The same entries, explained by another section of the documentation.
    pub(super) fn about(&self, guide: Guide) -> Self {
        Self { above: self.above.clone(), guide, ..*self }
    }

    /// The names and values under a name, if there are any.
    pub(super) fn table(
        &self,
        name: &str,
        guide: Guide,
        shape: Shape,
        problems: &mut Vec<Problem>,
    ) -> Option<Entries<'a>> {
        let entry = self.find(name)?;
        let table = self.open(entry, guide, problems)?;
        table.check_names(shape, problems);
        Some(table)
    }

    /// The table of each region under this one.
    pub(super) fn tables(&self, shape: Shape, problems: &mut Vec<Problem>) -> Vec<(String, Entries<'a>)> {
        let mut tables = Vec::new();
        for entry in self.entries.iter().filter(|entry| is_region(&entry.name)) {
            if let Some(table) = self.open(entry, self.guide, problems) {
                table.check_names(shape, problems);
                tables.push((entry.name.clone(), table));
            }
        }
        tables
    }

    fn open(&self, entry: &'a Entry, guide: Guide, problems: &mut Vec<Problem>) -> Option<Entries<'a>> {
        let above = format!("{}{}.", self.above, entry.name);
        if entry.node.is_nothing() {
            return None;
        }
        let Some(entries) = entry.node.entries() else {
            self.fault(entry, "must hold names and values", problems);
            return None;
        };
        Some(Entries { above, line: entry.place.line, entries, guide })
    }

    fn check_names(&self, shape: Shape, problems: &mut Vec<Problem>) {
        for entry in self.entries {
            let name = entry.name.as_str();
            if shape.names.contains(&name) || shape.patterns.iter().any(|pattern| region_of(name, *pattern).is_some()) {
                continue;
            }
            let region = name.split("__").find(|part| is_region(part)).unwrap_or("<region>");
            let known: Vec<String> = shape.names.iter().map(|name| (*name).to_owned()).collect();
            let with_region = shape.patterns.iter().map(|(before, after)| format!("{before}{region}{after}"));
            let known: Vec<String> = known.into_iter().chain(with_region).collect();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            self.fault(
                entry,
                &match nearest(name, &known) {
                    Some(near) => format!("is unknown: did you mean `{near}`?"),
                    None => format!("is unknown; known: {}", known.join(", ")),
                },
                problems,
            );
        }
    }

    fn find(&self, name: &str) -> Option<&'a Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    /// The text of a name, if it is there and not empty.
    pub(super) fn optional(&self, name: &str, form: Form, problems: &mut Vec<Problem>) -> Option<String> {
        self.text(self.find(name)?, form, None, problems)
    }

    /// The text of a name; its absence is a problem.
    pub(super) fn required(&self, name: &str, form: Form, problems: &mut Vec<Problem>) -> Option<String> {
        let entry = self.present(name, problems)?;
        self.text(entry, form, None, problems)
    }

    /// The text of a name as `read` understands it; its absence is a problem.
    pub(super) fn parsed<T>(
        &self,
        name: &str,
        read: impl Fn(&str) -> Result<T, String>,
        problems: &mut Vec<Problem>,
    ) -> Option<T> {
        let entry = self.present(name, problems)?;
        let read = read(&self.text(entry, Form::Text, None, problems)?);
        read.map_err(|what| self.fault(entry, &what, problems)).ok()
    }

    /// A TCP port; its absence is a problem.
    pub(super) fn port(&self, name: &str, problems: &mut Vec<Problem>) -> Option<u16> {
        let port = |text: &str| text.parse().ok().filter(|port| *port > 0);
        self.parsed(name, |text| port(text).ok_or_else(|| "must be a port: a number from 1 to 65535".into()), problems)
    }

    /// True or false, as YAML 1.1 writes them; its absence is a problem.
    pub(super) fn flag(&self, name: &str, problems: &mut Vec<Problem>) -> Option<bool> {
        let flag = |text: &str| match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => Ok(true),
            "false" | "no" | "off" => Ok(false),
            _ => Err("must be true or false".to_owned()),
        };
        self.parsed(name, flag, problems)
    }

    /// The values of the names with a region, by region.
    pub(super) fn by_region(&self, pattern: Pattern, form: Form, problems: &mut Vec<Problem>) -> ByRegion<String> {
        let mut values = ByRegion::new();
        for entry in self.entries {
            if let Some(region) = region_of(&entry.name, pattern)
                && let Some(value) = self.text(entry, form, Some(region), problems)
            {
                values.insert(region.to_owned(), value);
            }
        }
        values
    }

    /// Notes what is wrong with the value of a name that is there.
    pub(super) fn wrong(&self, name: &str, what: &str, problems: &mut Vec<Problem>) {
        if let Some(entry) = self.find(name) {
            self.fault(entry, what, problems);
        }
    }

    fn present(&self, name: &str, problems: &mut Vec<Problem>) -> Option<&'a Entry> {
        let found = self.find(name).filter(|entry| !entry.node.is_nothing());
        if found.is_none() {
            let line = self.find(name).map_or(self.line, |entry| entry.place.line);
            let entry = format!("{}{name}", self.above);
            problems.push(Problem { entry, line: Some(line), what: "is missing".to_owned(), guide: self.guide });
        }
        found
    }

    fn text(&self, entry: &Entry, form: Form, region: Option<&str>, problems: &mut Vec<Problem>) -> Option<String> {
        if entry.node.is_nothing() {
            return None;
        }
        let Some(scalar) = entry.node.scalar() else {
            self.fault(entry, "must be a single value", problems);
            return None;
        };
        if scalar.text.trim().is_empty() {
            self.fault(entry, "is empty", problems);
            return None;
        }
        if let Some(what) = form.fault(&scalar.text, region) {
            self.fault(entry, &what, problems);
            return None;
        }
        Some(scalar.text.clone())
    }

    fn fault(&self, entry: &Entry, what: &str, problems: &mut Vec<Problem>) {
        problems.push(Problem {
            entry: format!("{}{}", self.above, entry.name),
            line: Some(entry.place.line),
            what: what.to_owned(),
            guide: self.guide,
        });
    }
}

/// The region in a name.
fn region_of(name: &str, (before, after): Pattern) -> Option<&str> {
    name.strip_prefix(before)?.strip_suffix(after).filter(|region| is_region(region))
}
