//! Plans that were forged.

use matrix_bundle::{BundleReader, Extras, GenericOptions, Limits};
use matrix_command::run::PlanDocument;
use matrix_core::CellKey;

use super::fixture::{EXPERIMENT, faster, forged};
use crate::bundle::{Contents, CreateOptions, Selection, check};
use crate::{Texts, follow};

type Forge<'a> = &'a dyn Fn(&mut PlanDocument, &mut String);

#[test]
fn a_plan_that_does_not_follow_from_its_experiment_and_the_results_is_a_fault() {
    let forgeries: [(Forge<'_>, &str); 9] = [
        (&|_, _| (), ""),
        // Otherwise whatever one treatment measured could be shown as another's.
        (
            &|plan, _| {
                let key = plan.cells[0].key;
                plan.cells[0].key = plan.cells[1].key;
                plan.cells[1].key = key;
            },
            "is not what its experiment and the result's inputs come to",
        ),
        (&|plan, _| drop(plan.cells.pop()), "it has 17 cells, its experiment 18"),
        (&|plan, _| plan.cells[1] = plan.cells[0].clone(), "has the values and the round of another one"),
        (&|plan, _| plan.cells[0].round = 9, "is none of its experiment"),
        (&|plan, _| drop(plan.cells[0].axes.insert("threads".to_owned(), 3.into())), "is none of its experiment"),
        (&|plan, _| plan.experiment = "other".to_owned(), "its experiment is other, and kv in its experiment"),
        (&|plan, _| plan.seed = "8".to_owned(), "its seed is 8, and 7 in its experiment"),
        (
            &|_, text| *text = text.replace("./bench", "./other"),
            "is not what its experiment and the result's inputs come to",
        ),
    ];
    for (forge, what) in forgeries {
        let folder = tempfile::tempdir().unwrap();
        let store = forged(&folder.path().join("store"), EXPERIMENT, None, faster(4), forge);
        let followed = follow(&store).unwrap();
        assert_eq!((followed.plans, followed.wrong.len()), (1, usize::from(!what.is_empty())), "{followed:?}");
        assert!(followed.wrong.iter().all(|(_, wrong)| wrong.contains(what)), "{what}: {followed:?}");
        let out = folder.path().join("out");
        let runs = store.all_runs().unwrap();
        let options = GenericOptions { allow_incomplete: true, ..GenericOptions::default() };
        matrix_bundle::create_generic(&store, &runs, &Extras::default(), &options, &out).unwrap();
        let findings = check(BundleReader::open(&out, Limits::default()).unwrap(), false).unwrap();
        let found = findings.faults.iter().any(|fault| fault.file.starts_with("data/plans"));
        assert_eq!(found, !what.is_empty(), "{findings:?}");
        let selection = Selection { run: None, experiments: &Texts::new(), filter: None };
        let contents = Contents::of(&store, &selection).map(Option::unwrap);
        let made = contents.and_then(|contents| contents.create(CreateOptions::default(), &folder.path().join("made")));
        assert_eq!(made.is_err(), !what.is_empty(), "{what}");
    }
}

#[test]
fn a_cell_without_a_result_may_have_the_key_that_it_had_before_its_files_were_there() {
    let folder = tempfile::tempdir().unwrap();
    let tried = faster(4);
    let store = forged(
        &folder.path().join("store"),
        EXPERIMENT,
        None,
        |cell| tried(cell).filter(|_| cell.round < 3),
        &|plan, _| {
            for cell in plan.cells.iter_mut().filter(|cell| cell.round == 3) {
                cell.key = CellKey::of(cell.place().0.as_bytes());
            }
        },
    );
    assert_eq!(follow(&store).unwrap().wrong, []);
}
