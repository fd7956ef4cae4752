//! The grammar of filters, by recursive descent:
//!
//! ```text
//! any        = all { "or" all }
//! all        = not { "and" not }
//! not        = "not" not | "(" any ")" | comparison
//! comparison = field operator value
//! ```

use super::expression::{Expression, Field, Operator};
use crate::problem::Problem;
use crate::regions::Regions;
use matrix_core::filter::token::{Kind, Token, tokens};

const FIELDS: [&str; 6] = ["post_storage", "notification_storage", "regions", "delay_ms", "antipode", "round"];

/// Deepest nesting of `not` and parentheses: far beyond what a person writes, well within the stack.
const MAX_DEPTH: usize = 100;

/// Reads a filter.
pub(super) fn expression(text: &str, regions: &Regions) -> Result<Expression, Problem> {
    let mut parser = Parser { text, regions, tokens: tokens(text)?, next: 0 };
    let expression = parser.any(0)?;
    match parser.peek() {
        Token { kind: Kind::End, .. } => Ok(expression),
        token => {
            let text = token.text(text);
            let problem = Problem::new(format!("`{text}` is not expected here")).at(token.at.clone());
            let near = matrix_core::nearest(text, &["and", "or"]);
            Err(problem.label(
                near.map_or("expected `and`, `or` or the end".to_owned(), |near| format!("did you mean `{near}`?")),
            ))
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    regions: &'a Regions,
    tokens: Vec<Token<'a>>,
    next: usize,
}

impl<'a> Parser<'a> {
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

    fn any(&mut self, depth: usize) -> Result<Expression, Problem> {
        let mut parts = vec![self.all(depth)?];
        while self.skip(&Kind::Word("or")) {
            parts.push(self.all(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expression::Any(parts) })
    }

    fn all(&mut self, depth: usize) -> Result<Expression, Problem> {
        let mut parts = vec![self.not(depth)?];
        while self.skip(&Kind::Word("and")) {
            parts.push(self.not(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expression::All(parts) })
    }

    fn not(&mut self, depth: usize) -> Result<Expression, Problem> {
        if depth > MAX_DEPTH {
            return Err(Problem::new("the filter is nested too deeply").at(self.peek().at.clone()));
        }
        if self.skip(&Kind::Word("not")) {
            return Ok(Expression::Not(Box::new(self.not(depth + 1)?)));
        }
        let open = self.peek().at.clone();
        if !self.skip(&Kind::Open) {
            return self.comparison();
        }
        let inner = self.any(depth + 1)?;
        if self.skip(&Kind::Close) {
            return Ok(inner);
        }
        let found = self.peek();
        Err(match found.kind {
            Kind::End => Problem::new("a parenthesis is not closed").at(open).label("opened here"),
            _ => Problem::new(format!("`{}` is not expected here", found.text(self.text)))
                .at(found.at.clone())
                .label("expected `and`, `or` or `)`"),
        })
    }

    fn comparison(&mut self) -> Result<Expression, Problem> {
        let field = self.take();
        let Kind::Word(name) = field.kind else {
            let found = match field.kind {
                Kind::End => "the filter ends too early".to_owned(),
                _ => format!("`{}` is not expected here", field.text(self.text)),
            };
            return Err(Problem::new(found)
                .at(field.at)
                .label("expected a field")
                .help(format!("fields: {}; as in `post_storage=s3 and delay_ms<1000`", FIELDS.join(", "))));
        };
        if !FIELDS.contains(&name) {
            return Err(Problem::new(format!("unknown field `{name}`")).at(field.at).unknown(name, "fields", &FIELDS));
        }
        let operator_token = self.take();
        let operator = operator(&operator_token, self.text)?;
        let value = self.take();
        let field = self.value(name, &value)?;
        if operator.orders() && !matches!(field, Field::DelayMs(_) | Field::Round(_)) {
            return Err(Problem::new(format!("`{name}` has no order"))
                .at(operator_token.at)
                .label("use `=` or `!=`")
                .help("only delay_ms and round can be compared by `<`, `<=`, `>` and `>=`"));
        }
        Ok(Expression::Compare(field, operator))
    }

    fn value(&self, name: &str, token: &Token<'a>) -> Result<Field, Problem> {
        let (Kind::Word(text) | Kind::Quoted(text)) = token.kind else {
            let problem = Problem::new(format!("`{name}` is compared with nothing")).at(token.at.clone());
            return Err(problem.label("expected a value"));
        };
        let number = || {
            text.parse().map_err(|_| {
                let problem = Problem::new(format!("`{name}` cannot be `{text}`"));
                problem.label("expected a whole number, 0 or more")
            })
        };
        let known = |unknown: crate::axes::UnknownName| matrix_core::walk::unknown_name(&unknown);
        let field = match name {
            "post_storage" => text.parse().map(Field::PostStorage).map_err(known),
            "notification_storage" => text.parse().map(Field::NotificationStorage).map_err(known),
            "regions" => self.regions.pair(text).map(Field::Regions),
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
        };
        field.map_err(|problem| problem.at(token.at.clone()))
    }
}

fn operator(token: &Token<'_>, filter: &str) -> Result<Operator, Problem> {
    let known = || Operator::ALL.map(|(spelling, _)| spelling).join(" ");
    let Kind::Operator(text) = token.kind else {
        let problem = Problem::new(match token.kind {
            Kind::End => "the filter ends too early".to_owned(),
            _ => format!("`{}` is not expected here", token.text(filter)),
        });
        return Err(problem.at(token.at.clone()).label("expected an operator").help(format!("operators: {}", known())));
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
        let problem = Problem::new(format!("unknown operator `{text}`")).at(token.at.clone());
        problem.label(near).help(format!("operators: {}", known()))
    })
}
