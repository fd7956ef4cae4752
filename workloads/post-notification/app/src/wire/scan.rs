//! Reads JSON of exactly the form that this crate writes: its fields, in its order, without spaces. A message of any other
//! form, good or bad, is left to `serde_json`; what both understand, they understand alike, which tests check.

use std::borrow::Cow;

use super::json::{self, EXACT};
use crate::time::Micros;

/// A place in a text. Methods that return `None` or `false` have found something else there.
pub(crate) struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn rest(&self) -> &'a [u8] {
        &self.text.as_bytes()[self.at..]
    }

    /// Goes beyond `literal`, if it stands here.
    pub(crate) fn literal(&mut self, literal: &str) -> bool {
        let found = self.rest().starts_with(literal.as_bytes());
        if found {
            self.at += literal.len();
        }
        found
    }

    /// Goes beyond `literal`, which must stand here.
    pub(crate) fn expect(&mut self, literal: &str) -> Option<()> {
        self.literal(literal).then_some(())
    }

    /// A field that may be missing: its value, if its name stands here.
    pub(super) fn optional<T>(&mut self, name: &str, value: impl Fn(&mut Self) -> Option<T>) -> Option<Option<T>> {
        if self.literal(name) { value(self).map(Some) } else { Some(None) }
    }

    /// Whether this is the end of the text.
    pub(crate) fn end(&self) -> Option<()> {
        self.rest().is_empty().then_some(())
    }

    /// A whole number.
    pub(super) fn number(&mut self) -> Option<u64> {
        let (number, digits) = self.digits(19)?;
        // JSON has no leading zeros.
        (digits == 1 || !self.text.as_bytes()[self.at - digits..].starts_with(b"0")).then_some(number)
    }

    /// Digits, one at least and no more than `most`, and how many they are.
    fn digits(&mut self, most: usize) -> Option<(u64, usize)> {
        let rest = self.rest();
        let count = rest.iter().take(most + 1).take_while(|byte| byte.is_ascii_digit()).count();
        if count == 0 || count > most {
            return None;
        }
        let number = rest[..count].iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
        self.at += count;
        Some((number, count))
    }

    /// A decimal fraction in `10^-places`, exactly.
    fn decimal(&mut self, places: usize) -> Option<u64> {
        let whole = self.number()?;
        self.expect(".")?;
        let (fraction, digits) = self.digits(places)?;
        let unit = |places: usize| 10u64.pow(places as u32);
        let parts = whole.checked_mul(unit(places))?.checked_add(fraction * unit(places - digits))?;
        // What follows could be an exponent: then it is not what it seems.
        (parts < EXACT && !matches!(self.rest().first(), Some(b'e' | b'E'))).then_some(parts)
    }

    /// Float seconds.
    pub(super) fn time(&mut self) -> Option<Micros> {
        self.decimal(6).map(|us| Micros(us as i64))
    }

    /// Float milliseconds.
    pub(super) fn milliseconds(&mut self) -> Option<f64> {
        self.decimal(3).map(|us| us as f64 / 1e3)
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self) -> Option<bool> {
        if self.literal("true") { Some(true) } else { self.expect("false").map(|()| false) }
    }

    /// A text in quotes.
    pub(crate) fn text(&mut self) -> Option<Cow<'a, str>> {
        self.expect("\"")?;
        let rest = self.rest();
        let plain = rest.iter().position(|byte| json::is_special(*byte))?;
        if rest[plain] == b'"' {
            let text = self.text.get(self.at..self.at + plain)?;
            self.at += plain + 1;
            return Some(Cow::Borrowed(text));
        }
        let (text, end) = json::unquoted(rest)?;
        self.at += end;
        self.expect("\"")?;
        Some(Cow::Owned(String::from_utf8(text).ok()?))
    }
}
