//! Claims about numbers of the authors' processor, judged where the results are of another one.

use std::collections::BTreeSet;

use matrix_core::claims::{Bound, Claim, Statement};
use matrix_core::judge::words;

use super::Loaded;
use super::load::CPU_MODEL;

/// The claim with the bound that holds elsewhere, if the results are of another processor than the authors', and what is to
/// be said of it.
pub(super) fn elsewhere(loaded: &Loaded<'_>, claim: &Claim) -> (Option<Claim>, Option<String>) {
    let (Some(bound), Statement::Bound { metric, bound: there }) = (claim.elsewhere, &claim.statement) else {
        return (None, None);
    };
    let hardware = loaded.experiment.artifact.get("hardware").map(String::as_str).unwrap_or_default();
    let selected = loaded.cells.iter().filter(|cell| cell.record.is_some());
    // Baselines may be outside of the selection, so that every result counts.
    let models: BTreeSet<Option<&str>> = selected.map(|cell| cell.notes.get(CPU_MODEL).map(String::as_str)).collect();
    let other = models.iter().find(|model| !model.is_some_and(|model| is_of(hardware, model)));
    let Some(other) = other else { return (None, None) };
    let claim = Claim { statement: Statement::Bound { metric: *metric, bound }, ..claim.clone() };
    (Some(claim), Some(note(there, &bound, *other, hardware)))
}

/// The verdict that is printed with it is that of the bound `here`.
fn note(there: &Bound, here: &Bound, model: Option<&str>, hardware: &str) -> String {
    let (model, there, here) = (model.unwrap_or("an unknown processor"), words(*there), words(*here));
    format!("on {model}, not the authors' ({hardware}): {there} holds only there; judged by `elsewhere`, {here}")
}

/// Whether a description of hardware names this model of a processor: every word of it that tells models apart.
fn is_of(hardware: &str, model: &str) -> bool {
    let hardware = telling(hardware);
    let model = telling(model.split('@').next().unwrap_or_default());
    !model.is_empty() && model.is_subset(&hardware)
}

fn telling(text: &str) -> BTreeSet<String> {
    let text = text.to_lowercase().replace("(r)", " ").replace("(tm)", " ");
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '-').filter(|word| !word.is_empty());
    words.filter(|word| !["cpu", "processor"].contains(word)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdict_beside_the_note_is_said_to_be_that_of_the_bound_for_elsewhere() {
        let note = note(&Bound::AtMost(1.0), &Bound::AtMost(9.0), None, "a Z80");
        assert_eq!(
            note,
            "on an unknown processor, not the authors' (a Z80): claimed at most 1 holds only there; judged by `elsewhere`, claimed at most 9"
        );
    }

    #[test]
    fn a_processor_is_recognised_as_authors_write_it() {
        let model = "Intel(R) Xeon(R) Gold 6348 CPU @ 2.60GHz";
        assert!(is_of("2 x Intel Xeon Gold 6348, 256 GiB", model));
        assert!(!is_of("Intel Xeon Gold 6338", model));
        assert!(!is_of("", model) && !is_of("AMD EPYC", ""));
        assert!(is_of("AMD EPYC 7763 64-Core Processor; 1 TiB", "AMD EPYC 7763 64-Core Processor"));
    }
}
