//! What people write: experiments, filters, models.

use std::ops::Range;

use matrix_plan::{
    Axes, Combination, Experiment, Filter, NotificationStorage, PostStorage, Problems, Regions, cell_experiment,
};
use matrix_sim::{Model, ModelError};

/// Most cells that are looked at one by one.
const FEW: usize = 300;

/// An experiment's file, and, because it becomes one, a cell from flags. Every problem has a place in the text.
pub fn experiment(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Experiment::parse(text) {
        Ok(experiment) => {
            if experiment.points.len().saturating_mul(experiment.rounds as usize) <= FEW {
                expand(&experiment);
            }
        }
        Err(problems) => have_places(text, &problems),
    }
    match cell_experiment(text) {
        Ok(made) => assert!(Experiment::parse(&made).is_ok(), "flags make an experiment: {made}"),
        Err(problems) => have_places(text, &problems),
    }
}

fn expand(experiment: &Experiment) {
    let cells = experiment.cells();
    let planned = cells.len();
    let placed = matrix_plan::order::arrange(experiment.seed, cells);
    assert_eq!(placed.len(), planned);
    let fingerprint = matrix_plan::Fingerprint::new(&1).expect("a number is a fingerprint");
    let keys = placed.into_iter().map(|placed| {
        let cell = placed.spec.with_fingerprint(fingerprint.clone(), 1);
        cell.expect("the numbers of an experiment are finite").key
    });
    assert_eq!(keys.collect::<std::collections::BTreeSet<_>>().len(), planned, "no two cells have one key");
}

/// A filter.
pub fn filter(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let regions = Regions::built_in();
    let filter = match Filter::parse(text, &regions) {
        Ok(filter) => filter,
        Err(problems) => return have_places(text, &problems),
    };
    let opposite = Filter::parse(&format!("not ({text})"), &regions).expect("what is a filter can be negated");
    for combination in combinations() {
        for antipode in [false, true] {
            let axes = Axes { combination: combination.clone(), delay_ms: 100, antipode };
            assert_ne!(filter.matches(&axes, 2), opposite.matches(&axes, 2));
        }
    }
}

/// A model of the services.
pub fn model(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let model = match Model::parse(text) {
        Ok(model) => model,
        Err(ModelError::Text { problem, line, column }) => {
            assert!(line >= 1 && column >= 1);
            return is_place(text, &problem.span.unwrap_or_else(|| panic!("{} has no place", problem.message)));
        }
        Err(error) => panic!("a text has errors of its text: {error}"),
    };
    for combination in combinations() {
        if let Ok(fingerprint) = model.fingerprint(&combination) {
            assert_eq!(Ok(fingerprint), model.fingerprint(&combination));
        }
    }
}

fn combinations() -> impl Iterator<Item = Combination> {
    let pairs = ["eu->us", "us->sg"].map(|pair| pair.parse::<matrix_plan::RegionPair>().expect("a pair"));
    let storages = [PostStorage::Mysql, PostStorage::Dynamo, PostStorage::S3, PostStorage::Redis];
    let notifications = [NotificationStorage::Sns, NotificationStorage::Amq, NotificationStorage::Dynamo];
    storages.into_iter().flat_map(move |post_storage| {
        let pairs = pairs.clone();
        notifications.into_iter().flat_map(move |notification_storage| {
            pairs.clone().into_iter().map(move |regions| Combination { post_storage, notification_storage, regions })
        })
    })
}

fn have_places(text: &str, problems: &Problems) {
    assert!(!problems.0.is_empty(), "a failure says why");
    for problem in &problems.0 {
        assert!(!problem.message.is_empty());
        if let Some(span) = &problem.span {
            is_place(text, span);
        }
    }
}

fn is_place(text: &str, span: &Range<usize>) {
    assert!(text.get(span.clone()).is_some(), "{span:?} is no place in {} bytes", text.len());
}
