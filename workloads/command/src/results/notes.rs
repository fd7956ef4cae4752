//! Notes of attempts, as far as they hold of rows as they are read now.

use matrix_store::GenericAttempt;

/// What the note on columns that nobody declared begins with, before the source's name.
pub(crate) const PASSED_OVER: &str = "passed over in ";

/// The notes of an attempt by name. Columns that were passed over then, and that rows which were read again since have, are
/// not named: `columns` are those of a source's rows now.
pub fn notes_now<'a>(
    attempt: &'a GenericAttempt,
    columns: &'a dyn Fn(&str) -> Vec<String>,
) -> impl Iterator<Item = (&'a str, String)> + 'a {
    attempt.notes.iter().filter_map(move |(name, note)| {
        let Some(source) = name.strip_prefix(PASSED_OVER) else { return Some((name.as_str(), note.clone())) };
        let known = columns(source);
        let left: Vec<&str> = note.split(", ").filter(|column| !known.iter().any(|known| known == column)).collect();
        (!left.is_empty()).then(|| (name.as_str(), left.join(", ")))
    })
}
