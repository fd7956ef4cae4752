//! The command that runs the cells of one point again.

use super::conclude::is_word;
use super::text::plain;

/// The command that runs all rounds of one point again, into a store of its own. None where the experiment's name or a value
/// cannot be typed as it is. An axis comes as its name and the point's value.
#[must_use]
pub fn run_again<'a>(experiment: &str, axes: impl Iterator<Item = (&'a str, &'a str)>) -> Option<String> {
    let filter = filter_of(axes)?;
    (is_word(experiment) && !filter.is_empty())
        .then(|| format!("matrix run {experiment}.toml --results again --filter '{filter}'"))
}

/// The filter that selects the points with these values, to be put between a shell's single quotes. `None` where a value
/// cannot be written so.
pub fn filter_of<'a>(axes: impl Iterator<Item = (&'a str, &'a str)>) -> Option<String> {
    let comparison = |(name, value): (&str, &str)| Some(format!("{name}={}", typed(value)?));
    Some(axes.map(comparison).collect::<Option<Vec<_>>>()?.join(" and "))
}

/// A value as a filter takes it within the shell's single quotes.
fn typed(value: &str) -> Option<String> {
    let is_bare = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.');
    if !value.is_empty() && value.chars().all(is_bare) && !matches!(value, "and" | "or" | "not") {
        return Some(value.to_owned());
    }
    let can_be_quoted = plain(value) == value && !value.contains(['\'', '"', '\n', '\t']);
    can_be_quoted.then(|| format!("\"{value}\""))
}

#[cfg(test)]
mod tests {
    use matrix_core::filter::{Field, Filter};
    use matrix_core::value::{Kind, Value};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_point_is_one_filter_and_what_cannot_be_typed_is_left_out() {
        let again = |name, value| run_again(name, [("regions", value), ("round", "2")].into_iter());
        let whole = "matrix run quick.toml --results again --filter 'regions=\"eu->us\" and round=2'";
        assert_eq!(again("quick", "eu->us").as_deref(), Some(whole));
        for (name, value) in [("a b", "eu"), ("$(id)", "eu"), ("quick", "it's"), ("quick", "a\"b"), ("quick", "a\nb")] {
            assert_eq!(again(name, value), None, "{name} {value}");
        }
        assert_eq!(run_again("quick", std::iter::empty()), None);
    }

    proptest! {
        /// The filter selects the point's value, and the shell takes it as one word.
        #[test]
        fn the_filter_of_any_text_selects_that_text(text in ".{0,12}") {
            let Some(command) = run_again("x", [("a", text.as_str())].into_iter()) else { return Ok(()) };
            let (_, quoted) = command.split_once("--filter ").unwrap();
            let filter = quoted.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')).unwrap();
            prop_assert!(!filter.contains('\''));
            let filter = Filter::parse(filter, &[Field { name: "a".to_owned(), kind: Kind::Text }]).unwrap();
            let (value, other) = (Value::Text(text.clone()), Value::Text(format!("{text}x")));
            prop_assert!(filter.matches(&|_| Some(&value)) && !filter.matches(&|_| Some(&other)));
        }
    }
}
