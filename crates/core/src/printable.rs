//! Text from elsewhere, made safe to print on a terminal: what would move the cursor, change colours, forge a line or
//! hide letters is shown as an escape, as in `\u{1b}`.

use std::borrow::Cow;

/// Whether a character does something else on a terminal than stand there: control characters, marks of writing
/// direction, and what has no width.
#[must_use]
pub fn is_unprintable(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{61c}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

/// The text in one line: line ends and tabs are escaped too, so that it cannot pose as a line of ours.
#[must_use]
pub fn one_line(text: &str) -> Cow<'_, str> {
    escaped(text, |_| false)
}

/// The text with its line ends and tabs.
#[must_use]
pub fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, |letter| matches!(letter, '\n' | '\t'))
}

fn escaped(text: &str, stays: impl Fn(char) -> bool) -> Cow<'_, str> {
    let bad = |letter: char| is_unprintable(letter) && !stays(letter);
    if !text.contains(bad) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        if bad(letter) {
            // `escape_default` writes `\n`, `\t`, `\r` and `\u{1b}`.
            shown.extend(letter.escape_default());
        } else {
            shown.push(letter);
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_on_a_terminal_is_escaped_and_words_of_any_script_stay() {
        for harmless in ["", "plain", "naïve – 日本語 עברית", "a|b\\c"] {
            assert!(matches!(one_line(harmless), Cow::Borrowed(text) if text == harmless));
        }
        assert_eq!(one_line("a\u{1b}[31m\r\nb\t\u{9b}2J"), "a\\u{1b}[31m\\r\\nb\\t\\u{9b}2J");
        assert_eq!(lines("a\r\n\tb\u{7f}"), "a\\r\n\tb\\u{7f}");
        for hidden in ['\u{202e}', '\u{2066}', '\u{200b}', '\u{200d}', '\u{feff}', '\u{2028}', '\u{e0041}', '\u{0}'] {
            assert_eq!(one_line(&hidden.to_string()), hidden.escape_default().to_string(), "{hidden:?}");
        }
    }
}
