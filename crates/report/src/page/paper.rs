//! How a wide table fits on paper, which does not scroll: where words may be broken, and how small the letters have to be.

use minijinja::HtmlEscape;

/// Letters of a word that is never broken.
const WHOLE: usize = 7;
/// Letters of a part of a word that has no place to break it at.
const MOST: usize = 16;
/// Letters that stand side by side on a page of A4 in the print style's usual and small size, in a wide font.
const LINE: usize = 100;
const SMALL_LINE: usize = 122;
/// What a column's edges take, in letters.
const EDGES: usize = 1;

/// The parts of a word, between which a line may break: after what is no letter, and where there is no such place.
fn parts(word: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut count) = (0, 0);
    if word.chars().count() > WHOLE {
        let mut after = false;
        for (at, letter) in word.char_indices() {
            if at > start && ((after && letter.is_alphanumeric()) || count == MOST) {
                parts.push(&word[start..at]);
                (start, count) = (at, 0);
            }
            after = !letter.is_alphanumeric();
            count += 1;
        }
    }
    parts.push(&word[start..]);
    parts
}

/// A text, escaped, with the places where its long words may be broken.
pub(super) fn breakable(text: &str) -> String {
    let word =
        |word: &str| parts(word).into_iter().map(|part| HtmlEscape(part).to_string()).collect::<Vec<_>>().join("<wbr>");
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// The style of a table on paper: `fits` where whole parts of words fit side by side, `small` where they do in small letters,
/// else `broken`, where words have to be broken anywhere. A column comes as all its texts.
pub(super) fn style<'a>(columns: impl Iterator<Item = Vec<&'a str>>) -> &'static str {
    let widest = |texts: Vec<&str>| {
        let words = texts.into_iter().flat_map(str::split_whitespace);
        EDGES + words.flat_map(parts).map(|part| part.chars().count()).max().unwrap_or(0)
    };
    match columns.map(widest).sum::<usize>() {
        width if width <= LINE => "fits",
        width if width <= SMALL_LINE => "small",
        _ => "broken",
    }
}

/// The style of a table on paper that comes as its head and its rows.
pub(super) fn of_rows(heads: &[String], rows: &[Vec<String>]) -> &'static str {
    style(heads.iter().enumerate().map(|(n, head)| {
        std::iter::once(head).chain(rows.iter().filter_map(|row| row.get(n))).map(String::as_str).collect()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_words_break_between_their_parts_and_short_ones_never() {
        for (text, expected) in [
            ("eu->us", "eu-&gt;us"),
            ("several_of_them_here", "several_<wbr>of_<wbr>them_<wbr>here"),
            ("window p50, ms", "window p50, ms"),
            ("abcdefghijklmnopqrstuvwxyz", "abcdefghijklmnop<wbr>qrstuvwxyz"),
            ("a_<b>_c_d", "a_&lt;<wbr>b&gt;_<wbr>c_<wbr>d"),
            ("  ", "  "),
            ("", ""),
        ] {
            assert_eq!(breakable(text), expected, "{text}");
        }
    }

    #[test]
    fn a_table_is_small_or_broken_only_where_it_has_to() {
        let table = |columns: usize, text: &'static str| style((0..columns).map(|_| vec!["state", text]));
        assert_eq!(table(11, "anything"), "fits");
        assert_eq!(table(12, "anything"), "small");
        assert_eq!(table(14, "anything"), "broken");
        assert_eq!(table(11, "no word of this text is long, however long the text may become in the end"), "fits");
        let row = ["a".to_owned(), "b".repeat(300)];
        assert_eq!(of_rows(&["x".to_owned(), "y".to_owned()], &[row.to_vec()]), "fits");
    }
}
