//! Filters over any fields, as in `engine = rocksdb and threads >= 4`.

pub mod grammar;
pub mod token;

use std::cmp::Ordering;

use crate::Problem;
use crate::filter::grammar::{Expression, Fields, Operator, Written};
use crate::value::{Kind, Value};

/// A field that filters may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// The type of its values.
    pub kind: Kind,
}

/// An expression over fields.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    text: String,
    expression: Expression<Comparison>,
}

/// A field by position, and the value that it is compared with.
#[derive(Clone, Debug, PartialEq)]
struct Comparison(usize, Operator, Value);

impl Filter {
    /// Reads a filter over these fields.
    ///
    /// # Errors
    /// What is wrong with it, with its place in `text`.
    pub fn parse(text: &str, fields: &[Field]) -> Result<Self, Problem> {
        let expression = grammar::parse(text, &Known(fields))?;
        Ok(Self { text: text.to_owned(), expression })
    }

    /// The filter as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The fields that it names, by position; some perhaps twice.
    #[must_use]
    pub fn fields(&self) -> Vec<usize> {
        let mut fields = Vec::new();
        self.expression.comparisons(&mut |Comparison(field, ..)| fields.push(*field));
        fields
    }

    /// Evaluates it over many rows at once.
    ///
    /// # Errors
    /// The first error of a comparison.
    pub fn fold<M: Masks>(&self, masks: &M) -> Result<M::Mask, M::Error> {
        fold(&self.expression, masks)
    }

    /// Whether it holds, given the fields' values. A comparison with a value that is not there does not hold.
    pub fn matches<'v>(&self, value_of: &dyn Fn(usize) -> Option<&'v Value>) -> bool {
        self.expression.holds(&|Comparison(field, operator, value)| {
            value_of(*field).is_some_and(|found| operator.holds(found.cmp(value)))
        })
    }
}

/// Filters of many rows at once: a mask says of each row whether it matches.
pub trait Masks {
    /// Says of each row whether it matches.
    type Mask;
    /// Why a field cannot be compared.
    type Error;

    /// The rows whose value of a field holds against `value`; a row without one does not.
    ///
    /// # Errors
    /// When the field cannot be read.
    fn compare(&self, field: usize, holds: &dyn Fn(Ordering) -> bool, value: &Value)
    -> Result<Self::Mask, Self::Error>;

    /// The other rows.
    fn not(&self, mask: Self::Mask) -> Self::Mask;

    /// The rows of both masks if `all`, else of any.
    fn join(&self, one: Self::Mask, other: Self::Mask, all: bool) -> Self::Mask;
}

fn fold<M: Masks>(expression: &Expression<Comparison>, masks: &M) -> Result<M::Mask, M::Error> {
    let (parts, all) = match expression {
        Expression::Compare(Comparison(field, operator, value)) => {
            return masks.compare(*field, &|ordering| operator.holds(ordering), value);
        }
        Expression::Not(inner) => return Ok(masks.not(fold(inner, masks)?)),
        Expression::All(parts) => (parts, true),
        Expression::Any(parts) => (parts, false),
    };
    // The parser makes no list of fewer than two.
    let [first, rest @ ..] = parts.as_slice() else {
        return fold(&Expression::Not(Box::new(Expression::All(Vec::new()))), masks);
    };
    let mut joined = fold(first, masks)?;
    for part in rest {
        joined = masks.join(joined, fold(part, masks)?, all);
    }
    Ok(joined)
}

/// Fields whose values have one of the types of axes and columns.
struct Known<'a>(&'a [Field]);

impl Fields for Known<'_> {
    type Comparison = Comparison;

    fn unknown(&self, name: &str) -> Option<Problem> {
        let known: Vec<&str> = self.0.iter().map(|field| field.name.as_str()).collect();
        (!known.contains(&name)).then(|| crate::read::unknown("field", name, 0..0, &known))
    }

    fn help(&self) -> Option<String> {
        None
    }

    fn comparison(&self, written: &Written<'_>) -> Result<Comparison, Problem> {
        let Written { field: name, operator, value, value_at, .. } = written;
        let field = self.0.iter().position(|field| field.name == *name).unwrap_or_default();
        let kind = self.0[field].kind;
        if kind == Kind::Boolean && operator.orders() {
            return Err(written.without_order());
        }
        let Some(read) = Value::parse(value, kind) else {
            let problem = Problem::new(format!("`{name}` cannot be `{value}`")).at(value_at.clone());
            return Err(problem.label(format!("expected {}", kind.name())));
        };
        Ok(Comparison(field, *operator, read))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fields() -> Vec<Field> {
        [("engine", Kind::Text), ("threads", Kind::Whole), ("rate", Kind::Real), ("sync", Kind::Boolean)]
            .map(|(name, kind)| Field { name: name.to_owned(), kind })
            .to_vec()
    }

    proptest! {
        /// Against evaluation by hand of one shape of expression.
        #[test]
        fn filters_select_what_they_say(threads in -3i64..12, rate in -1.0f64..2.0, sync: bool, lmdb: bool) {
            let engine = if lmdb { "lmdb" } else { "rocksdb" };
            let point = [
                Value::Text(engine.to_owned()), Value::Whole(threads), Value::Real(rate), Value::Boolean(sync),
            ];
            let text = "engine=lmdb and (threads>=4 or not rate<0.5) and sync != true or threads = -1";
            let filter = Filter::parse(text, &fields()).unwrap();
            let wanted = (lmdb && (threads >= 4 || rate >= 0.5) && !sync) || threads == -1;
            prop_assert_eq!(filter.matches(&|field| point.get(field)), wanted);
        }
    }

    #[test]
    fn bad_filters_are_told_with_their_place() {
        let shown = |text: &str| {
            let problem = Filter::parse(text, &fields()).unwrap_err();
            let at = problem.span.clone().map(|span| text[span].to_owned()).unwrap_or_default();
            format!("{} [{at}] {}", problem.message, problem.label.unwrap_or_default())
        };
        insta::assert_snapshot!(
            ["thread = 4", "threads == 4", "threads = many", "sync > false", "(threads = 4", "threads = 4 engine"]
                .map(shown)
                .join("\n"),
            @r"
        unknown field `thread` [thread] did you mean `threads`?
        unknown operator `==` [==] did you mean `=`?
        `threads` cannot be `many` [many] expected a whole number
        `sync` has no order [>] use `=` or `!=`
        a parenthesis is not closed [(] opened here
        `engine` is not expected here [engine] expected `and`, `or` or the end
        "
        );
    }

    #[test]
    fn a_value_that_is_not_there_matches_nothing() {
        let filter = Filter::parse("threads != 4", &fields()).unwrap();
        assert!(!filter.matches(&|_| None));
    }
}
