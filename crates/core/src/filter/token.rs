//! The words of a filter.

use std::ops::Range;

use crate::problem::Problem;

/// What a word is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind<'a> {
    /// A bare word: a field, a value, `and`, `or`, `not`.
    Word(&'a str),
    /// A value in quotes.
    Quoted(&'a str),
    /// An operator.
    Operator(&'a str),
    /// `(`
    Open,
    /// `)`
    Close,
    /// The end of the filter.
    End,
}

/// A word and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// What it is.
    pub kind: Kind<'a>,
    /// Where it is.
    pub at: Range<usize>,
}

impl<'a> Token<'a> {
    /// The word as written.
    pub fn text(&self, filter: &'a str) -> &'a str {
        filter.get(self.at.clone()).unwrap_or_default()
    }
}

/// The words of a filter, then [`Kind::End`].
///
/// # Errors
/// When a quotation does not end, or a character has no meaning.
pub fn tokens(filter: &str) -> Result<Vec<Token<'_>>, Problem> {
    let mut tokens = Vec::new();
    let mut start = 0;
    while let Some(first) = filter[start..].chars().next() {
        let rest = &filter[start..];
        let (kind, length) = match first {
            _ if first.is_whitespace() => {
                start += first.len_utf8();
                continue;
            }
            '(' => (Kind::Open, 1),
            ')' => (Kind::Close, 1),
            '"' | '\'' => quoted(rest, first, start)?,
            '=' | '!' | '<' | '>' => {
                let length = rest.len() - rest.trim_start_matches(['=', '!', '<', '>']).len();
                (Kind::Operator(&rest[..length]), length)
            }
            _ => {
                let word = word(rest);
                if word.is_empty() {
                    let problem = Problem::new(format!("a filter has no `{first}`"));
                    return Err(problem.at(start..start + first.len_utf8()).label("not expected"));
                }
                (Kind::Word(word), word.len())
            }
        };
        tokens.push(Token { kind, at: start..start + length });
        start += length;
    }
    tokens.push(Token { kind: Kind::End, at: filter.len()..filter.len() });
    Ok(tokens)
}

fn quoted(rest: &str, quote: char, start: usize) -> Result<(Kind<'_>, usize), Problem> {
    match rest[1..].find(quote) {
        Some(end) => Ok((Kind::Quoted(&rest[1..=end]), end + 2)),
        None => {
            let problem = Problem::new("a quotation does not end").at(start..start + rest.len());
            Err(problem.label(format!("no closing {quote}")))
        }
    }
}

/// The bare word that `rest` begins with. `->` belongs to it, so that a text like `a->b` needs no quotes.
fn word(rest: &str) -> &str {
    let mut end = 0;
    while let Some(next) = rest[end..].chars().next() {
        if rest[end..].starts_with("->") {
            end += 2;
        } else if next.is_alphanumeric() || matches!(next, '_' | '-' | '.') {
            end += next.len_utf8();
        } else {
            break;
        }
    }
    &rest[..end]
}
