//! Filters over any fields, as in `engine = rocksdb and threads >= 4`.
//!
//! ```text
//! any        = all { "or" all }
//! all        = not { "and" not }
//! not        = "not" not | "(" any ")" | comparison
//! comparison = field operator value
//! ```

pub mod token;

use std::cmp::Ordering;

use crate::Problem;
use crate::filter::token::{Kind as Word, Token, tokens};

use crate::value::{Kind, Value};

/// Deepest nesting of parentheses and `not`.
const MAX_DEPTH: usize = 100;

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
    expression: Expression,
}

#[derive(Clone, Debug, PartialEq)]
enum Expression {
    Compare(usize, Operator, Value),
    Not(Box<Expression>),
    All(Vec<Expression>),
    Any(Vec<Expression>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

impl Operator {
    const ALL: [(&'static str, Self); 6] = [
        ("=", Self::Equal),
        ("!=", Self::NotEqual),
        ("<", Self::Less),
        ("<=", Self::AtMost),
        (">", Self::Greater),
        (">=", Self::AtLeast),
    ];

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
    /// Reads a filter over these fields.
    ///
    /// # Errors
    /// What is wrong with it, with its place in `text`.
    pub fn parse(text: &str, fields: &[Field]) -> Result<Self, Problem> {
        let mut parser = Parser { text, fields, tokens: tokens(text)?, next: 0 };
        let expression = parser.any(0)?;
        let token = parser.peek();
        if token.kind != Word::End {
            let problem = Problem::new(format!("`{}` is not expected here", token.text(text))).at(token.at.clone());
            return Err(problem.label("expected `and`, `or` or the end"));
        }
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
        self.expression.fields(&mut fields);
        fields
    }

    /// Evaluates it over many rows at once.
    ///
    /// # Errors
    /// The first error of a comparison.
    pub fn fold<M: Masks>(&self, masks: &M) -> Result<M::Mask, M::Error> {
        self.expression.fold(masks)
    }

    /// Whether it holds, given the fields' values. A comparison with a value that is not there does not hold.
    pub fn matches<'v>(&self, value_of: &dyn Fn(usize) -> Option<&'v Value>) -> bool {
        self.expression.matches(value_of)
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

impl Expression {
    fn fields(&self, fields: &mut Vec<usize>) {
        match self {
            Self::Compare(field, ..) => fields.push(*field),
            Self::Not(inner) => inner.fields(fields),
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.fields(fields)),
        }
    }

    fn fold<M: Masks>(&self, masks: &M) -> Result<M::Mask, M::Error> {
        match self {
            Self::Compare(field, operator, value) => masks.compare(*field, &|ordering| operator.holds(ordering), value),
            Self::Not(inner) => Ok(masks.not(inner.fold(masks)?)),
            Self::All(parts) | Self::Any(parts) => {
                let all = matches!(self, Self::All(_));
                // The parser makes no list of fewer than two.
                let (first, rest) = parts.split_at(1.min(parts.len()));
                let mut joined = match first {
                    [first] => first.fold(masks)?,
                    _ => return Self::Not(Box::new(Self::All(Vec::new()))).fold(masks),
                };
                for part in rest {
                    joined = masks.join(joined, part.fold(masks)?, all);
                }
                Ok(joined)
            }
        }
    }

    fn matches<'v>(&self, value_of: &dyn Fn(usize) -> Option<&'v Value>) -> bool {
        match self {
            Self::Compare(field, operator, value) => {
                value_of(*field).is_some_and(|found| operator.holds(found.cmp(value)))
            }
            Self::Not(inner) => !inner.matches(value_of),
            Self::All(parts) => parts.iter().all(|part| part.matches(value_of)),
            Self::Any(parts) => parts.iter().any(|part| part.matches(value_of)),
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    fields: &'a [Field],
    tokens: Vec<Token<'a>>,
    next: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> &Token<'a> {
        &self.tokens[self.next.min(self.tokens.len() - 1)]
    }

    fn take(&mut self) -> Token<'a> {
        let token = self.peek().clone();
        self.next += 1;
        token
    }

    fn skip(&mut self, kind: &Word<'_>) -> bool {
        let there = self.peek().kind == *kind;
        self.next += usize::from(there);
        there
    }

    fn any(&mut self, depth: usize) -> Result<Expression, Problem> {
        let mut parts = vec![self.all(depth)?];
        while self.skip(&Word::Word("or")) {
            parts.push(self.all(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expression::Any(parts) })
    }

    fn all(&mut self, depth: usize) -> Result<Expression, Problem> {
        let mut parts = vec![self.not(depth)?];
        while self.skip(&Word::Word("and")) {
            parts.push(self.not(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expression::All(parts) })
    }

    fn not(&mut self, depth: usize) -> Result<Expression, Problem> {
        if depth > MAX_DEPTH {
            return Err(Problem::new("the filter is nested too deeply").at(self.peek().at.clone()));
        }
        if self.skip(&Word::Word("not")) {
            return Ok(Expression::Not(Box::new(self.not(depth + 1)?)));
        }
        let open = self.peek().at.clone();
        if !self.skip(&Word::Open) {
            return self.comparison();
        }
        let inner = self.any(depth + 1)?;
        if self.skip(&Word::Close) {
            return Ok(inner);
        }
        let found = self.peek();
        Err(match found.kind {
            Word::End => Problem::new("a parenthesis is not closed").at(open).label("opened here"),
            _ => self.unexpected(found).label("expected `and`, `or` or `)`"),
        })
    }

    fn unexpected(&self, token: &Token<'_>) -> Problem {
        Problem::new(match token.kind {
            Word::End => "the filter ends too early".to_owned(),
            _ => format!("`{}` is not expected here", self.text.get(token.at.clone()).unwrap_or_default()),
        })
        .at(token.at.clone())
    }

    fn comparison(&mut self) -> Result<Expression, Problem> {
        let token = self.take();
        let Word::Word(name) = token.kind else { return Err(self.unexpected(&token).label("expected a field")) };
        let Some(field) = self.fields.iter().position(|field| field.name == name) else {
            let known: Vec<&str> = self.fields.iter().map(|field| field.name.as_str()).collect();
            return Err(crate::read::unknown("field", name, token.at, &known));
        };
        let kind = self.fields[field].kind;
        let sign = self.take();
        let spelling = if let Word::Operator(spelling) = sign.kind { spelling } else { "" };
        let Some((_, operator)) = Operator::ALL.iter().find(|(known, _)| *known == spelling) else {
            let known = Operator::ALL.map(|(spelling, _)| spelling).join(" ");
            let label = if spelling == "==" { "did you mean `=`?" } else { "expected an operator" };
            return Err(self.unexpected(&sign).label(label).help(format!("operators: {known}")));
        };
        if kind == Kind::Boolean && !matches!(operator, Operator::Equal | Operator::NotEqual) {
            let problem = Problem::new(format!("`{name}` has no order")).at(sign.at);
            return Err(problem.label("use `=` or `!=`"));
        }
        let value = self.take();
        let (Word::Word(text) | Word::Quoted(text)) = value.kind else {
            return Err(self.unexpected(&value).label("expected a value"));
        };
        let Some(read) = Value::parse(text, kind) else {
            let problem = Problem::new(format!("`{name}` cannot be `{text}`")).at(value.at);
            return Err(problem.label(format!("expected {}", kind.name())));
        };
        Ok(Expression::Compare(field, *operator, read))
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
        `==` is not expected here [==] did you mean `=`?
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
