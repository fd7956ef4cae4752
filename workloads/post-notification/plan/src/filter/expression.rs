//! Filters and what they match.

use std::cmp::Ordering;

use crate::axes::{NotificationStorage, PostStorage, RegionPair};
use crate::point::Axes;
use crate::problem::Problems;
use crate::regions::Regions;

/// A filter: comparisons of fields with values, joined by `and`, `or`, `not` and parentheses.
///
/// Fields are `post_storage`, `notification_storage`, `regions`, `delay_ms`, `antipode` (`on`/`off` or `true`/`false`)
/// and `round`. All can be compared by `=` and `!=`, `delay_ms` and `round` also by `<`, `<=`, `>` and `>=`.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    text: String,
    expression: Expression,
}

/// What a filter asks.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expression {
    /// A comparison.
    Compare(Field, Operator),
    /// Not so.
    Not(Box<Expression>),
    /// All of them.
    All(Vec<Expression>),
    /// Any of them.
    Any(Vec<Expression>),
}

/// A field and the value it is compared with.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Field {
    /// `post_storage`
    PostStorage(PostStorage),
    /// `notification_storage`
    NotificationStorage(NotificationStorage),
    /// `regions`
    Regions(RegionPair),
    /// `delay_ms`
    DelayMs(u64),
    /// `antipode`
    Antipode(bool),
    /// `round`
    Round(u64),
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

impl Operator {
    /// Every operator with its spelling.
    pub(super) const ALL: [(&'static str, Self); 6] = [
        ("=", Self::Equal),
        ("!=", Self::NotEqual),
        ("<", Self::Less),
        ("<=", Self::AtMost),
        (">", Self::Greater),
        (">=", Self::AtLeast),
    ];

    /// Whether it needs values that have an order.
    pub(super) fn orders(self) -> bool {
        !matches!(self, Self::Equal | Self::NotEqual)
    }

    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
            Self::Less => ordering.is_lt(),
            Self::AtMost => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::AtLeast => ordering.is_ge(),
        }
    }
}

impl Filter {
    /// Reads a filter; `regions` are those that it may name.
    ///
    /// # Errors
    /// When it is no filter, with places in `text`.
    pub fn parse(text: &str, regions: &Regions) -> Result<Self, Problems> {
        let expression = super::parse::expression(text, regions).map_err(Problems::from)?;
        Ok(Self { text: text.to_owned(), expression })
    }

    /// The filter as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a cell passes.
    #[must_use]
    pub fn matches(&self, axes: &Axes, round: u32) -> bool {
        self.expression.matches(axes, round)
    }
}

impl Expression {
    fn matches(&self, axes: &Axes, round: u32) -> bool {
        match self {
            Self::Compare(field, operator) => operator.holds(field.compare(axes, round)),
            Self::Not(inner) => !inner.matches(axes, round),
            Self::All(parts) => parts.iter().all(|part| part.matches(axes, round)),
            Self::Any(parts) => parts.iter().any(|part| part.matches(axes, round)),
        }
    }
}

impl Field {
    /// How a cell's value stands to this one.
    fn compare(&self, axes: &Axes, round: u32) -> Ordering {
        match self {
            Self::PostStorage(value) => axes.combination.post_storage.cmp(value),
            Self::NotificationStorage(value) => axes.combination.notification_storage.cmp(value),
            Self::Regions(value) => axes.combination.regions.cmp(value),
            Self::DelayMs(value) => axes.delay_ms.cmp(value),
            Self::Antipode(value) => axes.antipode.cmp(value),
            Self::Round(value) => u64::from(round).cmp(value),
        }
    }
}
