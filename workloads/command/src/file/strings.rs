//! Texts with placeholders in an experiment's file.

use std::collections::BTreeMap;

use matrix_core::Problem;
use matrix_core::axes::AxisSet;
use matrix_core::placeholder::{Names, Template};
use matrix_core::read::{self, Value};
use matrix_core::{Filter, claims};

/// What texts of a file may name, and the file's own text for the places of problems.
pub(super) struct Strings<'a> {
    pub(super) source: &'a str,
    pub(super) axes: &'a AxisSet,
    pub(super) names: Names,
}

/// A text that no program can be given.
pub(super) fn nul(place: std::ops::Range<usize>) -> Problem {
    let problem = Problem::new("a text has the character of number 0, which ends texts for the system").at(place);
    problem.label("no program can be given it")
}

impl<'a> Strings<'a> {
    pub(super) fn new(source: &'a str, axes: &'a AxisSet, names: Names) -> Self {
        Self { source, axes, names }
    }

    /// Reads a text with placeholders.
    pub(super) fn template(&self, value: &Value<'_>, what: &str, problems: &mut Vec<Problem>) -> Option<Template> {
        let text = read::text(value, what, problems)?;
        self.parse(text, &value.span(), problems)
    }

    pub(super) fn parse(
        &self,
        text: &str,
        place: &std::ops::Range<usize>,
        problems: &mut Vec<Problem>,
    ) -> Option<Template> {
        if text.contains('\0') {
            problems.push(nul(place.clone()));
            return None;
        }
        let template = Template::parse(text, self.axes, &self.names);
        read::noted(template, text, self.source, place, problems)
    }

    /// Reads an argument list: the program, then its arguments.
    pub(super) fn arguments(
        &self,
        value: &Value<'_>,
        what: &str,
        problems: &mut Vec<Problem>,
    ) -> Option<Vec<Template>> {
        if value.get_ref().as_str().is_some() {
            let problem = Problem::new(format!("{what} must be a list of arguments, not one text")).at(value.span());
            problems.push(problem.label("there is no shell").help("write [\"./bench\", \"--threads\", \"{threads}\"]"));
            return None;
        }
        let items = read::items(value, what, problems)?;
        if items.is_empty() {
            problems.push(Problem::new(format!("{what} is empty")).at(value.span()).label("expected a program"));
            return None;
        }
        if let Some(program) = items.first().filter(|item| item.get_ref().as_str() == Some("")) {
            let problem = Problem::new(format!("the program of {what} has no name")).at(program.span());
            problems
                .push(problem.label("expected a program").help("write [\"./bench\", \"--threads\", \"{threads}\"]"));
            return None;
        }
        let templates: Vec<Option<Template>> =
            items.iter().map(|item| self.template(item, &format!("an argument of {what}"), problems)).collect();
        templates.into_iter().collect()
    }

    /// Reads what `{axis:args}` stands for.
    pub(super) fn axis_args(&self, problems: &mut Vec<Problem>) -> BTreeMap<(usize, String), Vec<Template>> {
        let mut found = BTreeMap::new();
        for (position, axis) in self.axes.axes.iter().enumerate() {
            for (value, texts) in axis.args.iter().flatten() {
                let templates = texts.iter().filter_map(|(text, place)| {
                    let template = self.parse(text, place, problems)?;
                    if template.args_of().is_some() {
                        let problem = Problem::new("`args` cannot stand for the `args` of an axis").at(place.clone());
                        problems.push(problem.label("write the arguments themselves"));
                    }
                    Some(template)
                });
                found.insert((position, value.clone()), templates.collect());
            }
        }
        found
    }

    /// Reads a filter over axes.
    pub(super) fn filter(&self, value: &Value<'_>, what: &str, problems: &mut Vec<Problem>) -> Option<Filter> {
        let text = read::text(value, what, problems)?;
        let filter = Filter::parse(text, &claims::fields(self.axes));
        read::noted(filter, text, self.source, &value.span(), problems)
    }
}
