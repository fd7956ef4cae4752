//! Words in Markdown.

/// Words of an experiment as a table's cell shows them: what would be markup there is escaped, and a letter that `is_blank` says
/// is not shown becomes a space.
#[must_use]
pub fn cell(words: &str, is_blank: fn(char) -> bool) -> String {
    let mut text = String::with_capacity(words.len());
    for letter in words.chars() {
        match letter {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '\\' | '|' | '*' | '`' | '[' => text.extend(['\\', letter]),
            letter if is_blank(letter) => text.push(' '),
            letter => text.push(letter),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_an_experiment_are_no_markup() {
        let cell = |words| cell(words, char::is_control);
        assert_eq!(cell("No reader misses its post"), "No reader misses its post");
        assert_eq!(
            cell("a | b *c* <script>\n`d` [e](f) \\ &"),
            "a \\| b \\*c\\* &lt;script> \\`d\\` \\[e](f) \\\\ &amp;"
        );
    }
}
