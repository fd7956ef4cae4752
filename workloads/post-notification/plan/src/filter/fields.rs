//! The fields of filters: the axes of a cell, and its round.

use matrix_core::filter::grammar::{Fields, Operator, Written};

use super::expression::Field;
use crate::problem::Problem;
use crate::regions::Regions;

const FIELDS: [&str; 6] = ["post_storage", "notification_storage", "regions", "delay_ms", "antipode", "round"];

/// The axes of cells between these regions.
pub(super) struct AxesOf<'a>(pub(super) &'a Regions);

impl Fields for AxesOf<'_> {
    type Comparison = (Field, Operator);

    fn unknown(&self, name: &str) -> Option<Problem> {
        let unknown = || Problem::new(format!("unknown field `{name}`")).unknown(name, "fields", &FIELDS);
        (!FIELDS.contains(&name)).then(unknown)
    }

    fn help(&self) -> Option<String> {
        Some(format!("fields: {}; as in `post_storage=s3 and delay_ms<1000`", FIELDS.join(", ")))
    }

    fn comparison(&self, written: &Written<'_>) -> Result<(Field, Operator), Problem> {
        let field = self.value(written.field, written.value).map_err(|problem| problem.at(written.value_at.clone()))?;
        if written.operator.orders() && !matches!(field, Field::DelayMs(_) | Field::Round(_)) {
            let help = "only delay_ms and round can be compared by `<`, `<=`, `>` and `>=`";
            return Err(written.without_order().help(help));
        }
        Ok((field, written.operator))
    }
}

impl AxesOf<'_> {
    fn value(&self, name: &str, text: &str) -> Result<Field, Problem> {
        let number = || {
            text.parse().map_err(|_| {
                let problem = Problem::new(format!("`{name}` cannot be `{text}`"));
                problem.label("expected a whole number, 0 or more")
            })
        };
        let known = |unknown: crate::axes::UnknownName| matrix_core::walk::unknown_name(&unknown);
        match name {
            "post_storage" => text.parse().map(Field::PostStorage).map_err(known),
            "notification_storage" => text.parse().map(Field::NotificationStorage).map_err(known),
            "regions" => self.0.pair(text).map(Field::Regions),
            "delay_ms" => number().map(Field::DelayMs),
            "round" => number().map(Field::Round),
            _ => match text {
                "on" | "true" => Ok(Field::Antipode(true)),
                "off" | "false" => Ok(Field::Antipode(false)),
                _ => {
                    let problem = Problem::new(format!("`antipode` cannot be `{text}`"));
                    Err(problem.unknown(text, "known", &["on", "off", "true", "false"]))
                }
            },
        }
    }
}
