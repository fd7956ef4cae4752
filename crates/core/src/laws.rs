//! Laws of expansion, keys and filters, over axes of every type.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use toml::de::DeTable;

use crate::axes::{AxisSet, Point};
use crate::claims::fields;
use crate::expand;
use crate::filter::Filter;
use crate::key::key_of;
use crate::read::Table;
use crate::value::{Kind, Value};

/// An axis as it is drawn: its type, its values, and the place of its default.
#[derive(Clone, Debug)]
struct Drawn {
    values: Vec<Value>,
    default: Option<usize>,
}

/// A matrix as it is drawn: for each axis the places of the values that it names, and whether it excludes one point.
#[derive(Clone, Debug)]
struct Matrix {
    named: Vec<Option<Vec<usize>>>,
    excludes: Option<Vec<bool>>,
}

fn values() -> impl Strategy<Value = Vec<Value>> {
    let distinct = |values: Vec<Value>| values.into_iter().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>();
    let text =
        select(vec!["a", "b", "1", "0.5", "true", "x-1", "é", "a b"]).prop_map(|text| Value::Text(text.to_owned()));
    let real = prop_oneof![(-4i32..4).prop_map(|n| f64::from(n) / 2.0), Just(1e300), Just(0.1), Just(1e-9)];
    prop_oneof![
        vec(prop_oneof![-3i64..20, Just((1 << 53) - 1), Just(1 << 53), Just(-(1 << 53))].prop_map(Value::Whole), 1..5),
        vec(real.prop_filter_map("finite", Value::real), 1..5),
        vec(any::<bool>().prop_map(Value::Boolean), 1..3),
        vec(text, 1..5),
    ]
    .prop_map(distinct)
    .prop_shuffle()
}

fn axes() -> impl Strategy<Value = Vec<Drawn>> {
    let axis = values().prop_flat_map(|values| {
        let default = prop::option::of(0..values.len());
        (Just(values), default).prop_map(|(values, default)| Drawn { values, default })
    });
    vec(axis, 1..5)
}

fn matrix(axes: &[Drawn]) -> impl Strategy<Value = Matrix> + use<> {
    let of_axis = |axis: &Drawn| {
        let places: Vec<usize> = (0..axis.values.len()).collect();
        let some = places.len();
        prop::option::of(subsequence(places, 1..=some).prop_shuffle())
    };
    let named: Vec<_> = axes.iter().map(of_axis).collect();
    (named, prop::option::of(vec(any::<bool>(), axes.len()))).prop_map(|(named, excludes)| Matrix { named, excludes })
}

fn written(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("{text:?}"),
        // A number of this type has a point, in TOML as well.
        Value::Real(number) => format!("{number:?}"),
        other => other.to_string(),
    }
}

fn list(values: impl IntoIterator<Item = Value>) -> String {
    let values: Vec<String> = values.into_iter().map(|value| written(&value)).collect();
    format!("[{}]", values.join(", "))
}

/// The file, with its axes in this order.
fn file(axes: &[Drawn], order: &[usize], matrices: &[Matrix]) -> String {
    let mut text = "[axes]\n".to_owned();
    for &place in order {
        let Drawn { values, default } = &axes[place];
        let values_text = list(values.iter().cloned());
        let default = default.map(|at| format!(", default = {}", written(&values[at]))).unwrap_or_default();
        text += &format!("axis_{place} = {{ values = {values_text}{default} }}\n");
    }
    for matrix in matrices {
        text += "[[matrix]]\n";
        for (place, named) in matrix.named.iter().enumerate() {
            if let Some(named) = named {
                text += &format!("axis_{place} = {}\n", list(named.iter().map(|at| axes[place].values[*at].clone())));
            }
        }
        if let Some(pattern) = excluded(axes, matrix) {
            let parts = pattern.iter().enumerate().filter_map(|(place, value)| Some((place, value.as_ref()?)));
            let parts: Vec<String> = parts.map(|(place, value)| format!("axis_{place} = {}", written(value))).collect();
            text += &format!("exclude = [{{ {} }}]\n", parts.join(", "));
        }
    }
    text
}

/// The places of the values that a matrix has of an axis.
fn places(axis: &Drawn, named: &Option<Vec<usize>>) -> Vec<usize> {
    match (named, axis.default) {
        (Some(named), _) => named.clone(),
        (None, Some(default)) => vec![default],
        (None, None) => (0..axis.values.len()).collect(),
    }
}

/// What a matrix excludes: some values of its first point, by axis.
fn excluded(axes: &[Drawn], matrix: &Matrix) -> Option<Vec<Option<Value>>> {
    let chosen = matrix.excludes.as_ref()?;
    let value = |(place, chosen): (usize, &bool)| {
        chosen.then(|| axes[place].values[places(&axes[place], &matrix.named[place])[0]].clone())
    };
    Some(chosen.iter().enumerate().map(value).collect())
}

/// Every point of the cross-product, in order; then those that some matrix has and does not exclude.
fn oracle(axes: &[Drawn], matrices: &[Matrix]) -> Vec<Point> {
    let mut all: Vec<Vec<usize>> = vec![Vec::new()];
    for axis in axes {
        all = all.iter().flat_map(|point| (0..axis.values.len()).map(|at| [&point[..], &[at]].concat())).collect();
    }
    let value = |(place, at): (usize, &usize)| axes[place].values[*at].clone();
    let has = |matrix: &Matrix, point: &[usize]| {
        let inside =
            point.iter().enumerate().all(|(place, at)| places(&axes[place], &matrix.named[place]).contains(at));
        let out = excluded(axes, matrix).is_some_and(|pattern| {
            point.iter().enumerate().zip(pattern).all(|(at, wanted)| wanted.is_none_or(|wanted| wanted == value(at)))
        });
        inside && !out
    };
    all.retain(|point| matrices.is_empty() || matrices.iter().any(|matrix| has(matrix, point)));
    all.iter().map(|point| point.iter().enumerate().map(value).collect()).collect()
}

fn read(text: &str) -> (AxisSet, Vec<Point>) {
    let document = DeTable::parse(text).unwrap();
    let mut problems = Vec::new();
    let root = Table::of(document.get_ref(), 0..0, "the experiment", &["axes", "matrix"], &mut problems);
    let axes = AxisSet::parse(&root, &mut problems);
    let points = expand::points(&expand::matrices(&root, &axes, &mut problems), &axes);
    assert_eq!(problems, [], "{text}");
    (axes, points)
}

/// An expression, as it is drawn.
#[derive(Clone, Debug)]
enum Drawing {
    Compare(usize, &'static str, usize),
    Not(Box<Self>),
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
}

fn expression(axes: &[Drawn]) -> impl Strategy<Value = Drawing> + use<> {
    let sizes: Vec<(usize, bool)> =
        axes.iter().map(|axis| (axis.values.len(), axis.values[0].kind() == Kind::Boolean)).collect();
    let leaf = (0..sizes.len(), 0usize..6, 0usize..64).prop_map(move |(axis, sign, at)| {
        let (size, boolean) = sizes[axis];
        let signs = ["=", "!=", "<", "<=", ">", ">="];
        Drawing::Compare(axis, signs[if boolean { sign % 2 } else { sign }], at % size)
    });
    leaf.prop_recursive(4, 24, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|one| Drawing::Not(one.into())),
            (inner.clone(), inner.clone()).prop_map(|(one, other)| Drawing::And(one.into(), other.into())),
            (inner.clone(), inner).prop_map(|(one, other)| Drawing::Or(one.into(), other.into())),
        ]
    })
}

impl Drawing {
    /// As a person writes it: parentheses only where `not`, `and`, `or` in this order of strength do not do without.
    fn text(&self, axes: &[Drawn], strength: u8) -> String {
        let (own, text) = match self {
            Self::Compare(axis, sign, at) => {
                let value = match &axes[*axis].values[*at] {
                    Value::Text(text) => format!("{text:?}"),
                    value => format!("\"{value}\""),
                };
                (3, format!("axis_{axis} {sign} {value}"))
            }
            Self::Not(one) => (2, format!("not {}", one.text(axes, 2))),
            Self::And(one, other) => (1, format!("{} and {}", one.text(axes, 1), other.text(axes, 2))),
            Self::Or(one, other) => (0, format!("{} or {}", one.text(axes, 0), other.text(axes, 1))),
        };
        if own < strength { format!("({text})") } else { text }
    }

    fn holds(&self, axes: &[Drawn], point: &[Value]) -> bool {
        match self {
            Self::Compare(axis, sign, at) => {
                let (found, wanted) = (&point[*axis], &axes[*axis].values[*at]);
                let less = match (found, wanted) {
                    (Value::Text(found), Value::Text(wanted)) => found < wanted,
                    (Value::Whole(found), Value::Whole(wanted)) => found < wanted,
                    _ => found.number() < wanted.number(),
                };
                let equal = written(found) == written(wanted);
                match *sign {
                    "=" => equal,
                    "!=" => !equal,
                    "<" => less,
                    "<=" => less || equal,
                    ">" => !less && !equal,
                    _ => !less,
                }
            }
            Self::Not(one) => !one.holds(axes, point),
            Self::And(one, other) => one.holds(axes, point) && other.holds(axes, point),
            Self::Or(one, other) => one.holds(axes, point) || other.holds(axes, point),
        }
    }
}

proptest! {
    #[test]
    fn expansion_is_what_a_naive_oracle_says(
        (axes, matrices) in axes().prop_flat_map(|axes| {
            let matrices = vec(matrix(&axes), 0..4);
            (Just(axes), matrices)
        })
    ) {
        let order: Vec<usize> = (0..axes.len()).collect();
        let (set, points) = read(&file(&axes, &order, &matrices));
        prop_assert_eq!(set.axes.len(), axes.len());
        prop_assert_eq!(points, oracle(&axes, &matrices));
    }

    #[test]
    fn keys_never_collide_and_do_not_depend_on_the_order_of_the_file(
        (axes, order) in axes().prop_flat_map(|axes| {
            let order = Just((0..axes.len()).collect::<Vec<_>>()).prop_shuffle();
            (Just(axes), order)
        })
    ) {
        let keys = |order: &[usize]| {
            let (set, points) = read(&file(&axes, order, &[]));
            let inputs = |point: &Point| serde_json::json!({ "axes": set.to_json(point), "round": 1 });
            let keyed = points.iter().map(|point| (key_of(&inputs(point)).unwrap(), set.to_json(point)));
            (points.len(), keyed.collect::<BTreeMap<_, _>>())
        };
        let in_order: Vec<usize> = (0..axes.len()).collect();
        let (count, by_key) = keys(&in_order);
        prop_assert_eq!(by_key.len(), count, "as many keys as points");
        prop_assert_eq!(keys(&order), (count, by_key));
    }

    #[test]
    fn filters_select_what_evaluation_by_hand_selects(
        (axes, drawing) in axes().prop_flat_map(|axes| {
            let drawing = expression(&axes);
            (Just(axes), drawing)
        })
    ) {
        let order: Vec<usize> = (0..axes.len()).collect();
        let (set, points) = read(&file(&axes, &order, &[]));
        let text = drawing.text(&axes, 0);
        let filter = Filter::parse(&text, &fields(&set)).unwrap();
        for point in &points {
            let found = filter.matches(&|axis| point.get(axis));
            prop_assert_eq!(found, drawing.holds(&axes, point), "{} {}", &text, set.show(point));
        }
    }
}

#[test]
fn whole_numbers_that_keys_would_not_tell_apart_are_refused() {
    for (number, refused) in [("9007199254740992", 0), ("9007199254740993", 1), ("-9007199254740993", 1)] {
        let text = format!("[axes]\na = [{number}]\n");
        let document = DeTable::parse(&text).unwrap();
        let mut problems = Vec::new();
        let root = Table::of(document.get_ref(), 0..0, "the experiment", &["axes"], &mut problems);
        AxisSet::parse(&root, &mut problems);
        assert_eq!(problems.len(), refused, "{text}: {problems:?}");
    }
}
