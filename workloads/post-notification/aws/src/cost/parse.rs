//! Reading a file of prices.

use std::collections::BTreeMap;
use std::ops::Range;

use matrix_plan::{Problem, Problems};
use serde::Deserialize;
use toml::Spanned;

use super::item::Item;
use super::prices::{ANYWHERE, Price, Prices};

/// Version of the form.
const SCHEMA: u64 = 1;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: Spanned<u64>,
    date: Spanned<String>,
    price: Vec<Spanned<Entry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    item: Spanned<String>,
    class: Option<Spanned<String>>,
    region: Spanned<String>,
    usd: Spanned<f64>,
    per: Spanned<u64>,
    unit: Spanned<String>,
    source: Spanned<String>,
    date: Spanned<String>,
}

impl Prices {
    /// Reads a file of prices.
    ///
    /// # Errors
    /// Everything that is wrong with it, with places in `text`.
    pub fn parse(text: &str) -> Result<Self, Problems> {
        let file: File = toml::from_str(text).map_err(|error| {
            let problem = Problem::new(error.message().to_owned());
            let place = error.span().filter(|span| text.get(span.clone()).is_some());
            let problem = place.into_iter().fold(problem, Problem::at);
            Problems::from(problem.help("docs/guide.md shows the form of a file of prices"))
        })?;
        let mut problems = Vec::new();
        if *file.schema.get_ref() != SCHEMA {
            let what = format!("the prices are of schema {}", file.schema.get_ref());
            let newer = "a newer version of the program wrote or needs this file";
            problems.push(problem(what, file.schema.span(), &format!("this program reads {SCHEMA}")).help(newer));
            return Err(Problems(problems));
        }
        date(&file.date, &mut problems);
        let mut prices = BTreeMap::new();
        for spanned in &file.price {
            let Some((key, price)) = entry(spanned.get_ref(), &mut problems) else { continue };
            if prices.insert(key, price).is_some() {
                let what = "this price stands in the file twice".to_owned();
                problems.push(problem(what, spanned.get_ref().item.span(), "same item, class and region as above"));
            }
        }
        if problems.is_empty() { Ok(Self { date: file.date.into_inner(), prices }) } else { Err(Problems(problems)) }
    }
}

fn entry(entry: &Entry, problems: &mut Vec<Problem>) -> Option<(super::prices::Key, Price)> {
    let before = problems.len();
    let name = entry.item.get_ref();
    let item = Item::ALL.into_iter().find(|item| item.as_str() == name);
    if item.is_none() {
        let known = Item::ALL.map(Item::as_str);
        problems
            .push(Problem::new(format!("unknown item `{name}`")).at(entry.item.span()).unknown(name, "known", &known));
    }
    match (item, &entry.class) {
        (Some(item), None) if item.has_class() => {
            problems.push(problem(
                format!("a price of `{name}` needs a class"),
                entry.item.span(),
                "`class` is missing",
            ));
        }
        (Some(item), Some(class)) if !item.has_class() => {
            problems.push(problem(format!("`{name}` has no classes"), class.span(), "remove it"));
        }
        _ => {}
    }
    let region = entry.region.get_ref();
    if region != ANYWHERE && !crate::connection::is_region(region) {
        let label = "expected AWS's name, such as \"eu-central-1\", or \"*\"";
        problems.push(problem(format!("`{region}` is no region"), entry.region.span(), label));
    }
    let usd = *entry.usd.get_ref();
    if !(0.0..=1e6).contains(&usd) {
        problems.push(problem(format!("{usd} is no price"), entry.usd.span(), "must be from 0 to 1000000 dollars"));
    }
    let per = *entry.per.get_ref();
    if !(1..=1_000_000_000_000).contains(&per) {
        problems.push(problem(format!("`per` cannot be {per}"), entry.per.span(), "must be from 1 to 10^12"));
    }
    for (what, words) in [("unit", &entry.unit), ("source", &entry.source)] {
        if words.get_ref().trim().is_empty() {
            problems.push(problem(format!("`{what}` is empty"), words.span(), "expected words"));
        }
    }
    date(&entry.date, problems);
    let key = (item?, entry.class.as_ref().map(|class| class.get_ref().clone()), region.clone());
    let price = Price {
        usd,
        per,
        unit: entry.unit.get_ref().clone(),
        source: entry.source.get_ref().clone(),
        date: entry.date.get_ref().clone(),
    };
    (problems.len() == before).then_some((key, price))
}

fn date(date: &Spanned<String>, problems: &mut Vec<Problem>) {
    let text = date.get_ref();
    let shape = text.len() == 10
        && text.bytes().enumerate().all(|(at, b)| if at == 4 || at == 7 { b == b'-' } else { b.is_ascii_digit() });
    if !shape {
        problems.push(problem(format!("`{text}` is no date"), date.span(), "expected a day, such as \"2026-11-25\""));
    }
}

fn problem(what: String, span: Range<usize>, label: &str) -> Problem {
    Problem::new(what).at(span).label(label)
}
