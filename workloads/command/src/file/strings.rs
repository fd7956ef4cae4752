//! Texts with placeholders in an experiment's file.

use std::collections::BTreeMap;
use std::ops::Range;

use matrix_core::Problem;
use matrix_core::axes::AxisSet;
use matrix_core::placeholder::{Names, Segment, Template};
use matrix_core::read::{self, Reading, Value};
use matrix_core::{Filter, Point, claims, printable};

/// What texts of a file may name, and the file's own text for the places of problems.
pub(super) struct Strings<'a> {
    pub(super) source: &'a str,
    pub(super) axes: &'a AxisSet,
    pub(super) names: Names,
    /// The points of the experiment.
    pub(super) points: &'a [Point],
    pub(super) reading: Reading,
}

/// A text that has to be an amount at every point.
pub(super) struct Amount<'a> {
    /// What it is called in messages.
    pub(super) what: &'static str,
    pub(super) is_one: fn(&str) -> bool,
    /// How it is written.
    pub(super) help: &'static str,
    /// The points that it is for; all without a filter.
    pub(super) only: Option<&'a Filter>,
}

/// A text that no program can be given.
pub(super) fn nul(place: Range<usize>) -> Problem {
    let problem = Problem::new("a text has the character of number 0, which ends texts for the system").at(place);
    problem.label("no program can be given it")
}

impl Strings<'_> {
    /// Notes the first point of a file's experiment at which a text is no amount. What stands in `[site]`, for example, is not known here.
    pub(super) fn check(
        &self,
        template: &Template,
        place: Range<usize>,
        amount: &Amount<'_>,
        problems: &mut Vec<Problem>,
    ) {
        if self.reading == Reading::Saved {
            return;
        }
        let is_meant = |point: &&Point| amount.only.is_none_or(|filter| filter.matches(&|axis| point.get(axis)));
        for point in self.points.iter().filter(is_meant) {
            let Ok(text) = template.render(point, &|_| Err(())) else { return };
            if !(amount.is_one)(&text) {
                let problem =
                    Problem::new(format!("{} cannot be `{}`", amount.what, printable::one_line(&text))).at(place);
                let is_fixed = matches!(template.segments(), [Segment::Literal(_)]);
                let label = if is_fixed { "here".to_owned() } else { format!("at {}", self.axes.show(point)) };
                problems.push(problem.label(label).help(amount.help));
                return;
            }
        }
    }

    /// Reads a text with placeholders.
    pub(super) fn template(&self, value: &Value<'_>, what: &str, problems: &mut Vec<Problem>) -> Option<Template> {
        let text = read::text(value, what, problems)?;
        self.parse(text, &value.span(), problems)
    }

    pub(super) fn parse(&self, text: &str, place: &Range<usize>, problems: &mut Vec<Problem>) -> Option<Template> {
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
