//! Expansion against a naive oracle, which checks for every conceivable point whether any matrix names it, and against the
//! expansion of axes of any type.

use matrix_core::walk::Table;
use matrix_core::{AxisSet, expand};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use toml::de::DeTable;

use super::Experiment;
use crate::axes::{NotificationStorage, PostStorage, RegionPair};
use crate::point::{Axes, Combination};

const PAIRS: [&str; 3] = ["eu->us", "eu->sg", "us->eu"];
const DELAYS: [u64; 4] = [0, 5, 100, 200];

/// A value of each axis, or none.
type Pattern = (Option<PostStorage>, Option<NotificationStorage>, Option<&'static str>, Option<u64>, Option<bool>);

#[derive(Clone, Debug)]
struct Matrix {
    post_storage: Vec<PostStorage>,
    notification_storage: Vec<NotificationStorage>,
    regions: Vec<&'static str>,
    delay_ms: Vec<u64>,
    antipode: Vec<bool>,
    exclude: Vec<Pattern>,
    include: Vec<Axes>,
}

fn universe() -> Vec<Axes> {
    let mut all = Vec::new();
    for post_storage in PostStorage::ALL {
        for notification_storage in NotificationStorage::ALL {
            for pair in PAIRS {
                for delay_ms in DELAYS {
                    for antipode in [false, true] {
                        let regions: RegionPair = pair.parse().unwrap();
                        let (post_storage, notification_storage) = (*post_storage, *notification_storage);
                        let combination = Combination { post_storage, notification_storage, regions };
                        all.push(Axes { combination, delay_ms, antipode });
                    }
                }
            }
        }
    }
    all
}

fn some<T: Clone + std::fmt::Debug + 'static>(values: &'static [T]) -> impl Strategy<Value = Vec<T>> {
    subsequence(values, 1..=values.len()).prop_shuffle()
}

fn matrix() -> impl Strategy<Value = Matrix> {
    let axes =
        (some(PostStorage::ALL), some(NotificationStorage::ALL), some(&PAIRS), some(&DELAYS), some(&[false, true]));
    axes.prop_flat_map(|(post_storage, notification_storage, regions, delay_ms, antipode)| {
        let of = |chance| prop::option::weighted(chance, Just(()));
        let pattern = (
            (of(0.6), select(post_storage.clone())),
            (of(0.6), select(notification_storage.clone())),
            (of(0.3), select(regions.clone())),
            (of(0.3), select(delay_ms.clone())),
            (of(0.3), select(antipode.clone())),
        );
        let pattern = pattern
            .prop_map(|(a, b, c, d, e)| {
                (a.0.map(|()| a.1), b.0.map(|()| b.1), c.0.map(|()| c.1), d.0.map(|()| d.1), e.0.map(|()| e.1))
            })
            .prop_filter("an exclude names an axis", |pattern: &Pattern| *pattern != (None, None, None, None, None));
        let include = prop::collection::vec(select(universe()), 0..3);
        (prop::collection::vec(pattern, 0..3), include).prop_map(move |(exclude, include)| Matrix {
            post_storage: post_storage.clone(),
            notification_storage: notification_storage.clone(),
            regions: regions.clone(),
            delay_ms: delay_ms.clone(),
            antipode: antipode.clone(),
            exclude,
            include,
        })
    })
}

impl Matrix {
    fn in_product(&self, axes: &Axes) -> bool {
        let Combination { post_storage, notification_storage, regions } = &axes.combination;
        self.post_storage.contains(post_storage)
            && self.notification_storage.contains(notification_storage)
            && self.regions.contains(&regions.to_string().as_str())
            && self.delay_ms.contains(&axes.delay_ms)
            && self.antipode.contains(&axes.antipode)
    }

    fn names(&self, axes: &Axes) -> bool {
        let excluded = |pattern: &Pattern| {
            let Combination { post_storage, notification_storage, regions } = &axes.combination;
            pattern.0.is_none_or(|value| value == *post_storage)
                && pattern.1.is_none_or(|value| value == *notification_storage)
                && pattern.2.is_none_or(|value| value == regions.to_string())
                && pattern.3.is_none_or(|value| value == axes.delay_ms)
                && pattern.4.is_none_or(|value| value == axes.antipode)
        };
        self.include.contains(axes) || self.in_product(axes) && !self.exclude.iter().any(excluded)
    }

    fn toml(&self, number: usize) -> String {
        let quoted = |names: Vec<String>| names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
        let names = |values: &[&str]| quoted(values.iter().map(|value| (*value).to_owned()).collect());
        let post: Vec<&str> = self.post_storage.iter().map(|value| value.as_str()).collect();
        let notification: Vec<&str> = self.notification_storage.iter().map(|value| value.as_str()).collect();
        let mut text = format!(
            "[[matrix]]\nname = \"m{number}\"\npost_storage = [{}]\nnotification_storage = [{}]\nregions = [{}]\n\
             delay_ms = {:?}\nantipode = {:?}\n",
            names(&post),
            names(&notification),
            names(&self.regions),
            self.delay_ms,
            self.antipode,
        );
        let exclude = self.exclude.iter().map(|(post, notification, regions, delay, antipode)| {
            let parts = [
                post.map(|value| format!("post_storage = \"{value}\"")),
                notification.map(|value| format!("notification_storage = \"{value}\"")),
                regions.map(|value| format!("regions = \"{value}\"")),
                delay.map(|value| format!("delay_ms = {value}")),
                antipode.map(|value| format!("antipode = {value}")),
            ];
            parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
        });
        let include = self.include.iter().map(|axes| {
            let Combination { post_storage, notification_storage, regions } = &axes.combination;
            format!(
                "post_storage = \"{post_storage}\", notification_storage = \"{notification_storage}\", \
                 regions = \"{regions}\", delay_ms = {}, antipode = {}",
                axes.delay_ms, axes.antipode
            )
        });
        for (key, tables) in [("exclude", exclude.collect::<Vec<_>>()), ("include", include.collect())] {
            let tables: Vec<String> = tables.iter().map(|table| format!("{{ {table} }}")).collect();
            text += &format!("{key} = [{}]\n", tables.join(", "));
        }
        text
    }
}

/// The points of the same matrices as core expands them, over axes whose values stand in the order in which points ascend.
fn by_core(matrices: &str) -> Vec<Vec<String>> {
    let mut pairs = PAIRS.map(|pair| pair.parse::<RegionPair>().unwrap());
    pairs.sort();
    let post: Vec<&str> = PostStorage::ALL.iter().map(|value| value.as_str()).collect();
    let notification: Vec<&str> = NotificationStorage::ALL.iter().map(|value| value.as_str()).collect();
    let text = format!(
        "[axes]\npost_storage = {post:?}\nnotification_storage = {notification:?}\nregions = {:?}\ndelay_ms = {DELAYS:?}\n\
         antipode = [false, true]\n{matrices}",
        pairs.map(|pair| pair.to_string())
    );
    let document = DeTable::parse(&text).unwrap();
    let mut problems = Vec::new();
    let root = Table::of(document.get_ref(), 0..0, "the experiment", &["axes", "matrix"], &mut problems);
    let axes = AxisSet::parse(&root, &mut problems);
    let points = expand::points(&expand::matrices(&root, &axes, &mut problems), &axes);
    // The one difference: core also refuses an exclude whose points an earlier one left out.
    let all = problems.iter().all(|problem| problem.message == "`exclude` matches no point of its matrix");
    assert!(all, "{problems:?}\n{text}");
    points.iter().map(|point| point.iter().map(ToString::to_string).collect()).collect()
}

proptest! {
    #[test]
    fn cells_are_those_that_the_oracle_and_the_core_find(matrices in prop::collection::vec(matrix(), 1..4), rounds in 1u32..4) {
        let tables: String = matrices.iter().enumerate().map(|(number, matrix)| matrix.toml(number)).collect();
        let text = format!("schema = 1\nname = \"n\"\nrequests = 1\nrounds = {rounds}\n{tables}");
        let all = universe();
        let empty = matrices.iter().any(|matrix| !all.iter().any(|axes| matrix.names(axes)));
        let parsed = Experiment::parse(&text);
        if empty {
            let problems = crate::rendered::render(&text, &parsed.unwrap_err());
            prop_assert!(problems.contains("names no cell"), "{}", problems);
            return Ok(());
        }
        let mut expected = Vec::new();
        for axes in &all {
            if matrices.iter().any(|matrix| matrix.names(axes)) {
                expected.extend((1..=rounds).map(|round| (axes.clone(), round)));
            }
        }
        expected.sort();
        let cells = parsed.unwrap_or_else(|problems| panic!("{problems}\n{text}")).cells();
        let found: Vec<_> = cells.into_iter().map(|cell| (cell.axes, cell.round)).collect();
        prop_assert_eq!(&found, &expected);
        let points = found.iter().filter(|(_, round)| *round == 1).map(|(Axes { combination, delay_ms, antipode }, _)| {
            let Combination { post_storage, notification_storage, regions } = combination;
            let texts = [post_storage.to_string(), notification_storage.to_string(), regions.to_string()];
            texts.into_iter().chain([delay_ms.to_string(), antipode.to_string()]).collect::<Vec<_>>()
        });
        prop_assert_eq!(by_core(&tables), points.collect::<Vec<_>>());
    }
}
