//! Problems as tests show them.

use matrix_core::Problems;

/// The problems of a bad input as tests show them: place, message, label, help.
pub(crate) fn render(text: &str, problems: &Problems) -> String {
    let mut out = String::new();
    for problem in &problems.0 {
        let place = problem.span.as_ref().map(|span| {
            let before = &text[..span.start];
            let line = before.matches('\n').count() + 1;
            let column = span.start - before.rfind('\n').map_or(0, |at| at + 1) + 1;
            format!("{line}:{column} `{}`: ", &text[span.clone()])
        });
        out += &format!("{}{}\n", place.unwrap_or_default(), problem.message);
        for (name, words) in [("label", &problem.label), ("help", &problem.help)] {
            if let Some(words) = words {
                out += &format!("  {name}: {words}\n");
            }
        }
    }
    out
}
