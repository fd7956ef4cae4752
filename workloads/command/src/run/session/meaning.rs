//! What runners of one run have in common.

use matrix_core::{Again, Reason};
use matrix_store::{Digest, Run, StoreError};

use crate::run::{Input, Part, PlanDocument};

/// The digest of what a command asks for: the text, and which cells of it, whether or not this machine can run them all.
pub(super) fn meaning(input: &Input, part: &Part, again: &Again) -> Digest {
    let selected = input.cells.iter().map(|cell| part.has(cell) || part.lacks(cell));
    digest(input, part.filter.as_deref(), again.name(), selected)
}

/// The same of what a run was made for. One that was made by a machine which could not run all cells seems to be made for those that it could.
pub(super) fn meaning_of_run(input: &Input, plan: &PlanDocument) -> Digest {
    let reasons = || plan.cells.iter().map(|cell| cell.reason);
    let selected = reasons().map(|reason| !matches!(reason, Reason::Filtered | Reason::OtherShard));
    digest(input, plan.filter.as_deref(), Again::name_in_plan(plan.fresh, reasons()), selected)
}

fn digest(input: &Input, filter: Option<&str>, again: &str, selected: impl Iterator<Item = bool>) -> Digest {
    let mut text = format!("{}\n{filter:?} {again}\n", input.text);
    text.extend(selected.map(|selected| if selected { '1' } else { '0' }));
    Digest::of(text.as_bytes())
}

/// Whether every cell that this machine can run is in a run under the same key. Files and products are part of keys: cells that this machine cannot
/// run may have others.
pub(super) fn fits(run: &Run, input: &Input, part: &Part) -> Result<bool, StoreError> {
    let Some(plan) = PlanDocument::of_run(run)? else { return Ok(false) };
    let mut cells = plan.cells.iter().zip(&input.cells);
    Ok(cells.all(|(planned, cell)| planned.key == cell.key || !part.has(cell)))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use matrix_core::Value;

    use super::*;
    use crate::cells::Cell;
    use crate::run::Session;

    const TEXT: &str = "schema = 2\nname = \"n\"\nworkload = \"command\"\nrounds = 1\nseed = 1\npaired = \"engine\"\n\
                        [axes]\nengine = [\"cpu\", \"gpu\"]\nsize = [1, 2]\n\
                        [command]\nrun = [\"run\", \"{engine}\", \"{size}\"]\nrows = \"csv:stdout\"\n\
                        [columns]\nx = { unit = \"1\", type = \"integer\" }\n";

    fn needs_gpu(cell: &Cell) -> bool {
        cell.point[0] == Value::Text("gpu".to_owned())
    }

    /// A machine and what it can run of the experiment; `prepares` as others do, or its cells for another one have other keys.
    fn machine(has_gpu: bool, prepares: bool) -> (Input, Part) {
        let mut input = Input::new("n.toml", TEXT.to_owned(), Path::new("nowhere"), None).unwrap();
        let mut part = Part::new(&input, None, None, &|_| true).unwrap();
        if !has_gpu {
            let points =
                input.cells.iter().filter(|cell| needs_gpu(cell)).map(|cell| (cell.point.clone(), String::new()));
            part.without(&points.collect());
        }
        for cell in input.cells.iter_mut().filter(|cell| needs_gpu(cell) && !prepares) {
            cell.key = cell.key.to_string().chars().rev().collect::<String>().parse().unwrap();
        }
        (input, part)
    }

    fn begin(results: &Path, (input, part): &(Input, Part)) -> Session {
        Session::begin(results, input, None, part, &Again::None, None).unwrap().session.unwrap()
    }

    #[test]
    fn machines_of_which_one_cannot_run_all_cells_join_one_run() {
        let (whole, lame, unprepared) = (machine(true, true), machine(false, true), machine(false, false));
        for (first, second, is_joined) in
            [(&whole, &lame, true), (&lame, &whole, true), (&whole, &unprepared, true), (&unprepared, &whole, false)]
        {
            let folder = tempfile::tempdir().unwrap();
            let (first, second) = (begin(folder.path(), first), begin(folder.path(), second));
            assert_eq!((first.is_new(), second.is_new(), first.id() == second.id()), (true, !is_joined, is_joined));
            for session in [first, second] {
                assert_eq!((session.len() + session.left_out.len(), session.left_out.len() % 2), (4, 0));
            }
        }
        // What a filter leaves out is another run's.
        let folder = tempfile::tempdir().unwrap();
        let filtered = Part::new(&whole.0, None, None, &|cell| !needs_gpu(cell)).unwrap();
        let (first, second) = (begin(folder.path(), &whole), begin(folder.path(), &(whole.0.clone(), filtered)));
        assert!(second.is_new() && first.id() != second.id() && second.left_out.is_empty());
    }

    #[test]
    fn a_run_is_made_for_what_its_command_asked_for() {
        let (input, part) = machine(true, true);
        let plan = crate::run::plan(None, &input, &part, &Again::None).unwrap();
        assert_eq!(meaning_of_run(&input, &plan), meaning(&input, &part, &Again::None));
        assert_ne!(meaning_of_run(&input, &plan), meaning(&input, &part, &Again::All));
    }
}
