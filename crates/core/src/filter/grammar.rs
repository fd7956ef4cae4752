//! The grammar of filters, by recursive descent, whatever is compared with what:
//!
//! ```text
//! any        = all { "or" all }
//! all        = not { "and" not }
//! not        = "not" not | "(" any ")" | comparison
//! comparison = field operator value
//! ```

use std::cmp::Ordering;
use std::ops::Range;

use super::token::{Kind, Token, tokens};
use crate::{Problem, nearest};

/// Deepest nesting of `not` and parentheses: far beyond what a person writes, well within the stack.
const MAX_DEPTH: usize = 100;

/// An expression over comparisons.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression<C> {
    /// A comparison.
    Compare(C),
    /// Not so.
    Not(Box<Self>),
    /// All of them.
    All(Vec<Self>),
    /// Any of them.
    Any(Vec<Self>),
}

impl<C> Expression<C> {
    /// Whether it holds, given which comparisons do.
    pub fn holds(&self, compare: &impl Fn(&C) -> bool) -> bool {
        match self {
            Self::Compare(comparison) => compare(comparison),
            Self::Not(inner) => !inner.holds(compare),
            Self::All(parts) => parts.iter().all(|part| part.holds(compare)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(compare)),
        }
    }

    /// Calls `each` with every comparison.
    pub fn comparisons<'e>(&'e self, each: &mut impl FnMut(&'e C)) {
        match self {
            Self::Compare(comparison) => each(comparison),
            Self::Not(inner) => inner.comparisons(each),
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.comparisons(each)),
        }
    }
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
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
    const ALL: [(&'static str, Self); 6] = [
        ("=", Self::Equal),
        ("!=", Self::NotEqual),
        ("<", Self::Less),
        ("<=", Self::AtMost),
        (">", Self::Greater),
        (">=", Self::AtLeast),
    ];

    /// Whether it needs values that have an order.
    #[must_use]
    pub fn orders(self) -> bool {
        !matches!(self, Self::Equal | Self::NotEqual)
    }

    /// Whether it holds between two values that stand to each other like this.
    #[must_use]
    pub fn holds(self, ordering: Ordering) -> bool {
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

/// A comparison as it was written.
#[derive(Clone, Debug)]
pub struct Written<'a> {
    /// The field.
    pub field: &'a str,
    /// How it is compared.
    pub operator: Operator,
    /// Where that is written.
    pub operator_at: Range<usize>,
    /// What it is compared with.
    pub value: &'a str,
    /// Where that is written.
    pub value_at: Range<usize>,
}

impl Written<'_> {
    /// The problem of an operator that needs an order, and a field that has none.
    #[must_use]
    pub fn without_order(&self) -> Problem {
        Problem::new(format!("`{}` has no order", self.field)).at(self.operator_at.clone()).label("use `=` or `!=`")
    }
}

/// Which fields there are, and what is compared.
pub trait Fields {
    /// A comparison that was understood.
    type Comparison;

    /// The problem of a field that there is not; nothing if there is one of that name.
    fn unknown(&self, name: &str) -> Option<Problem>;

    /// The message for something else where a field is expected.
    fn help(&self) -> Option<String>;

    /// Understands a comparison, whose field there is.
    ///
    /// # Errors
    /// When the field has no such value, or no order.
    fn comparison(&self, written: &Written<'_>) -> Result<Self::Comparison, Problem>;
}

/// Reads a filter.
///
/// # Errors
/// What is wrong with it, with its place in `text`.
pub fn parse<F: Fields>(text: &str, fields: &F) -> Result<Expression<F::Comparison>, Problem> {
    let mut parser = Parser { text, fields, tokens: tokens(text)?, next: 0 };
    let expression = parser.any(0)?;
    let token = parser.peek();
    if token.kind == Kind::End {
        return Ok(expression);
    }
    let near = nearest(token.text(text), &["and", "or"]);
    let label = near.map_or("expected `and`, `or` or the end".to_owned(), |near| format!("did you mean `{near}`?"));
    Err(parser.unexpected(token).label(label))
}

struct Parser<'a, F> {
    text: &'a str,
    fields: &'a F,
    tokens: Vec<Token<'a>>,
    next: usize,
}

impl<'a, F: Fields> Parser<'a, F> {
    /// The next token. The last, [`Kind::End`], is never passed.
    fn peek(&self) -> &Token<'a> {
        &self.tokens[self.next.min(self.tokens.len() - 1)]
    }

    fn take(&mut self) -> Token<'a> {
        let token = self.peek().clone();
        self.next += 1;
        token
    }

    fn skip(&mut self, kind: &Kind<'_>) -> bool {
        let there = self.peek().kind == *kind;
        self.next += usize::from(there);
        there
    }

    fn any(&mut self, depth: usize) -> Result<Expression<F::Comparison>, Problem> {
        let mut parts = vec![self.all(depth)?];
        while self.skip(&Kind::Word("or")) {
            parts.push(self.all(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expression::Any(parts) })
    }

    fn all(&mut self, depth: usize) -> Result<Expression<F::Comparison>, Problem> {
        let mut parts = vec![self.not(depth)?];
        while self.skip(&Kind::Word("and")) {
            parts.push(self.not(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expression::All(parts) })
    }

    fn not(&mut self, depth: usize) -> Result<Expression<F::Comparison>, Problem> {
        if depth > MAX_DEPTH {
            return Err(Problem::new("the filter is nested too deeply").at(self.peek().at.clone()));
        }
        if self.skip(&Kind::Word("not")) {
            return Ok(Expression::Not(Box::new(self.not(depth + 1)?)));
        }
        let open = self.peek().at.clone();
        if !self.skip(&Kind::Open) {
            return self.comparison().map(Expression::Compare);
        }
        let inner = self.any(depth + 1)?;
        if self.skip(&Kind::Close) {
            return Ok(inner);
        }
        Err(match self.peek() {
            Token { kind: Kind::End, .. } => Problem::new("a parenthesis is not closed").at(open).label("opened here"),
            found => self.unexpected(found).label("expected `and`, `or` or `)`"),
        })
    }

    fn unexpected(&self, token: &Token<'_>) -> Problem {
        let what = match token.kind {
            Kind::End => "the filter ends too early".to_owned(),
            _ => format!("`{}` is not expected here", self.text.get(token.at.clone()).unwrap_or_default()),
        };
        Problem::new(what).at(token.at.clone())
    }

    fn comparison(&mut self) -> Result<F::Comparison, Problem> {
        let token = self.take();
        let Kind::Word(field) = token.kind else {
            let problem = self.unexpected(&token).label("expected a field");
            return Err(match self.fields.help() {
                Some(help) => problem.help(help),
                None => problem,
            });
        };
        if let Some(problem) = self.fields.unknown(field) {
            return Err(problem.at(token.at));
        }
        let token = self.take();
        let operator = self.operator(&token)?;
        let value = self.take();
        let (Kind::Word(text) | Kind::Quoted(text)) = value.kind else {
            let problem = Problem::new(format!("`{field}` is compared with nothing")).at(value.at);
            return Err(problem.label("expected a value"));
        };
        let written = Written { field, operator, operator_at: token.at, value: text, value_at: value.at };
        self.fields.comparison(&written)
    }

    fn operator(&self, token: &Token<'_>) -> Result<Operator, Problem> {
        let help = || format!("operators: {}", Operator::ALL.map(|(spelling, _)| spelling).join(" "));
        let Kind::Operator(text) = token.kind else {
            return Err(self.unexpected(token).label("expected an operator").help(help()));
        };
        let found = Operator::ALL.iter().find(|(spelling, _)| *spelling == text);
        found.map(|(_, operator)| *operator).ok_or_else(|| {
            let near = match text {
                "==" => "did you mean `=`?",
                "<>" => "did you mean `!=`?",
                "=<" => "did you mean `<=`?",
                "=>" => "did you mean `>=`?",
                _ => "no such operator",
            };
            Problem::new(format!("unknown operator `{text}`")).at(token.at.clone()).label(near).help(help())
        })
    }
}
