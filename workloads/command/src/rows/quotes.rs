//! Quotes of CSV: a parser takes what RFC 4180 does not allow for something, and rows would be lost in a field without a
//! word.

use memchr::{memchr, memchr_iter};

/// Where a text of CSV has come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    /// The begin of a field.
    #[default]
    Field,
    /// In a field without quotes.
    Plain,
    /// In a field in quotes.
    Quoted,
    /// After a quote in a field in quotes: the field ends, or another quote follows, which stands for one.
    Quote,
}

/// Checks the quotes of a text of CSV that comes in pieces.
#[derive(Debug, Default)]
pub(super) struct Quotes {
    at: At,
    /// Line ends up to here.
    lines: u64,
    /// The line in which the last field in quotes begins, from 1.
    opened: u64,
}

impl Quotes {
    /// Checks the next bytes, which are some.
    ///
    /// # Errors
    /// What is wrong with a quote, in words.
    pub(super) fn check(&mut self, piece: &[u8]) -> Result<(), String> {
        let (mut from, mut counted) = (0, 0);
        while let Some(&next) = piece.get(from) {
            match self.at {
                At::Quote => {
                    self.at = match next {
                        b'"' => At::Quoted,
                        b',' | b'\n' | b'\r' => At::Field,
                        _ => {
                            let (line, opened) = (self.line(&piece[counted..from]), self.opened);
                            let of = format!("of the field that begins in line {opened}");
                            return Err(format!("line {line}: text follows the closing quote {of}"));
                        }
                    };
                    from += 1;
                }
                At::Quoted => match memchr(b'"', &piece[from..]) {
                    Some(length) => (self.at, from) = (At::Quote, from + length + 1),
                    None => break,
                },
                At::Field | At::Plain => {
                    let length = memchr(b'"', &piece[from..]);
                    let before = &piece[from..length.map_or(piece.len(), |length| from + length)];
                    self.at = match before.last() {
                        None => self.at,
                        Some(b',' | b'\n' | b'\r') => At::Field,
                        Some(_) => At::Plain,
                    };
                    let Some(length) = length else { break };
                    let line = self.line(&piece[counted..from + length]);
                    (self.lines, counted) = (line - 1, from + length);
                    if self.at == At::Plain {
                        return Err(format!(
                            "line {line}: a quote in a field without quotes; write \"a \"\"word\"\" of it\""
                        ));
                    }
                    (self.at, self.opened, from) = (At::Quoted, line, from + length + 1);
                }
            }
        }
        self.lines += line_ends(&piece[counted..]);
        Ok(())
    }

    /// Checks that the text may end here.
    ///
    /// # Errors
    /// When a quote is not closed.
    pub(super) fn end(&self) -> Result<(), String> {
        if self.at == At::Quoted {
            return Err(format!("a quote in the row that begins at line {} is not closed", self.opened));
        }
        Ok(())
    }

    /// The line after these bytes, from 1.
    fn line(&self, before: &[u8]) -> u64 {
        self.lines + line_ends(before) + 1
    }
}

fn line_ends(bytes: &[u8]) -> u64 {
    memchr_iter(b'\n', bytes).count() as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, piece: usize) -> Result<(), String> {
        let mut quotes = Quotes::default();
        text.as_bytes().chunks(piece).try_for_each(|piece| quotes.check(piece))?;
        quotes.end()
    }

    /// Whether the quotes of a text are those of the grammar of RFC 4180, field by field.
    fn is_by_the_grammar(text: &str) -> bool {
        let mut rest = text;
        loop {
            rest = match rest.strip_prefix('"') {
                None => &rest[rest.find([',', '\n', '\r', '"']).unwrap_or(rest.len())..],
                Some(mut quoted) => loop {
                    let Some(end) = quoted.find('"') else { return false };
                    quoted = &quoted[end + 1..];
                    match quoted.strip_prefix('"') {
                        Some(more) => quoted = more,
                        None => break quoted,
                    }
                },
            };
            match rest.chars().next() {
                None => return true,
                Some(',' | '\n' | '\r') => rest = &rest[1..],
                Some(_) => return false,
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_allowed_is_what_the_grammar_says_however_it_is_cut(text in "[a\",\r\n]{0,24}", piece in 1usize..8) {
            let found = check(&text, piece);
            prop_assert_eq!(found.is_ok(), is_by_the_grammar(&text), "{:?}: {:?}", &text, &found);
            prop_assert_eq!(found, check(&text, 100), "{:?}", &text);
        }
    }
}
