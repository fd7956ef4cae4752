//! Aggregates, distributions and exports against plain loops over the same rows.

use std::io::Read;

use matrix_core::metric::Function;
use matrix_core::stats::nearest_rank;
use matrix_core::{Field, Filter, Kind, Value};
use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
struct Row {
    t: Option<i64>,
    x: Option<f64>,
    ok: Option<bool>,
    who: Option<String>,
    n: u8,
}

fn columns(weighted: bool) -> Vec<Column> {
    [("t", Kind::Whole), ("x", Kind::Real), ("ok", Kind::Boolean), ("who", Kind::Text), ("n", Kind::Whole)]
        .map(|(name, kind)| Column {
            field: Field { name: name.to_owned(), kind },
            weight: (weighted && name != "n").then_some(4),
        })
        .to_vec()
}

fn fields() -> Vec<Field> {
    columns(false).into_iter().map(|column| column.field).collect()
}

fn row() -> impl Strategy<Value = Row> {
    let text = prop_oneof![Just("a"), Just("b"), Just("a,b"), Just("say \"hi\"\nand go")].prop_map(str::to_owned);
    let real = prop_oneof![(-1000i32..1000).prop_map(|x| f64::from(x) / 8.0), -1e300f64..1e300];
    let whole = prop_oneof![-20i64..20, any::<i64>().prop_map(|t| t / 4)];
    (
        prop::option::weighted(0.9, whole),
        prop::option::weighted(0.9, real),
        prop::option::weighted(0.9, any::<bool>()),
        prop::option::weighted(0.9, text),
        0u8..4,
    )
        .prop_map(|(t, x, ok, who, n)| Row { t, x, ok, who, n })
}

fn csv(rows: &[Row]) -> String {
    let mut text = "t,x,ok,who,n\n".to_owned();
    for row in rows {
        let real = |x: f64| Value::real(x).unwrap().to_string();
        let fields = [
            row.t.map(|t| t.to_string()),
            row.x.map(real),
            row.ok.map(|ok| ok.to_string()),
            row.who.as_ref().map(|who| {
                if who.contains([',', '"', '\n']) { format!("\"{}\"", who.replace('"', "\"\"")) } else { who.clone() }
            }),
            Some(row.n.to_string()),
        ];
        text += &(fields.map(Option::unwrap_or_default).join(",") + "\n");
    }
    text
}

fn with<T>(text: &str, columns: &[Column], run: impl FnOnce(&Source<'_>) -> T) -> T {
    let open = || Ok(Box::new(text.as_bytes()) as Box<dyn Read>);
    run(&Source::new(columns, &open))
}

/// A percentile of sorted numbers, each repeated.
fn percentile(mut values: Vec<f64>, p: u8) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let rank = nearest_rank(f64::from(p) / 100.0, values.len() as u64);
    values.get((rank as usize).checked_sub(1)?).copied()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn summaries_are_those_of_a_plain_loop(
        rows in prop::collection::vec(row(), 1..60), weighted: bool, few in 1usize..6, p in 1u8..100,
        filter in prop_oneof![
            Just("t >= 3"), Just("not who = a"), Just("ok = true or x < 0"), Just("who = \"a,b\" and not (t < 0 or ok = false)"),
        ],
    ) {
        let filter = Filter::parse(filter, &fields()).unwrap();
        let values = |row: &Row| [
            row.t.map(Value::Whole), row.x.and_then(Value::real), row.ok.map(Value::Boolean), row.who.clone().map(Value::Text),
            Some(Value::Whole(row.n.into())),
        ];
        let chosen: Vec<&Row> = rows.iter().filter(|row| {
            let values = values(row);
            filter.matches(&|field| values[field].as_ref())
        }).collect();
        let times = |row: &Row| if weighted { usize::from(row.n) } else { 1 };
        let repeated = |of: &dyn Fn(&Row) -> Option<f64>| -> Vec<f64> {
            chosen.iter().flat_map(|row| of(row).into_iter().flat_map(|value| std::iter::repeat_n(value, times(row)))).collect()
        };
        let request = |column| Request { column, filter: Some(&filter), percentiles: vec![p, 50] };
        let requests = [request(Some(0)), request(Some(1)), request(Some(2)), request(Some(3)), request(None)];
        let text = csv(&rows);
        let found = with(&text, &columns(weighted), |source| source.aggregate_within(&requests, few)).unwrap();
        let whole: Vec<i64> = chosen.iter().flat_map(|row| row.t.into_iter().flat_map(|t| std::iter::repeat_n(t, times(row)))).collect();
        let wholes: Vec<f64> = whole.iter().map(|t| *t as f64).collect();
        prop_assert_eq!(found[0].count as usize, whole.len());
        prop_assert_eq!(found[0].value(Function::Sum), Some(whole.iter().map(|t| i128::from(*t)).sum::<i128>() as f64));
        prop_assert_eq!(found[0].value(Function::Min), whole.iter().min().map(|t| *t as f64));
        for p in [p, 50] {
            prop_assert_eq!(found[0].value(Function::Percentile(p)), percentile(wholes.clone(), p));
            prop_assert_eq!(found[1].value(Function::Percentile(p)), percentile(repeated(&|row| row.x), p));
        }
        let real = chosen.iter().filter_map(|row| Some(row.x? * times(row) as f64)).fold(0.0, |sum, x| sum + x);
        prop_assert_eq!(found[1].value(Function::Sum), Some(real));
        prop_assert_eq!(found[1].value(Function::Max), repeated(&|row| row.x).into_iter().max_by(f64::total_cmp));
        let flags = repeated(&|row| row.ok.map(f64::from));
        let share = (!flags.is_empty()).then(|| flags.iter().sum::<f64>() / flags.len() as f64);
        prop_assert_eq!(found[2].value(Function::Share), share);
        prop_assert_eq!(found[3].count as usize, repeated(&|row| row.who.as_ref().map(|_| 0.0)).len());
        prop_assert_eq!(found[4].count as usize, chosen.len());

        let by = with(&text, &columns(weighted), |source| source.aggregate_by(3, &requests)).unwrap();
        let sum = |at: usize| by.values().map(|summaries| summaries[at].count).sum::<u64>() as usize;
        prop_assert_eq!(sum(4), chosen.iter().filter(|row| row.who.is_some()).count());
        for (value, summaries) in &by {
            let of = |row: &Row| row.t.filter(|_| row.who.clone().map(Value::Text).as_ref() == Some(value)).map(|t| t as f64);
            prop_assert_eq!(summaries[0].value(Function::Percentile(50)), percentile(repeated(&of), 50));
        }

        let mut distribution = Distribution::new(Kind::Whole);
        with(&text, &columns(weighted), |source| distribution.add(source, 0, Some(&filter))).unwrap();
        let curve = distribution.curve(1000);
        let share = |limit: f64| wholes.iter().filter(|t| **t <= limit).count() as f64 / wholes.len() as f64;
        prop_assert!(curve.iter().all(|(value, found)| *found == share(*value)));
        prop_assert_eq!(curve.last().map(|(_, share)| *share), (!wholes.is_empty()).then_some(1.0));
        prop_assert!(distribution.curve(3).len() <= 4);
    }

    #[test]
    fn an_export_holds_every_row_beside_its_cell(rows in prop::collection::vec(row(), 0..40)) {
        let cell = [("engine", Kind::Text), ("threads", Kind::Whole)]
            .map(|(name, kind)| Field { name: name.to_owned(), kind });
        let mut out = Vec::new();
        let text = csv(&rows);
        let mut export = Export::new(Form::Csv, cell.to_vec(), &fields(), &mut out).unwrap();
        let mut count = 0;
        for threads in [1, 2] {
            let mut reader = Reader::new(&fields(), |_| true, text.as_bytes()).unwrap();
            let values = [Some(Value::Text("a, b".to_owned())), Some(Value::Whole(threads))];
            count += export.cell(&values, &mut reader).unwrap();
        }
        export.finish().unwrap();
        prop_assert_eq!(count as usize, 2 * rows.len());
        let names = cell.iter().chain(&fields()).cloned().collect::<Vec<_>>();
        let mut reader = Reader::new(&names, |_| true, out.as_slice()).unwrap();
        let mut found = Vec::new();
        while let Some(block) = reader.next_block().unwrap() {
            let of = |name: usize| block.values(&names[name]).unwrap();
            let columns: Vec<Vec<Option<Value>>> = (0..names.len()).map(of).collect();
            found.extend((0..block.rows).map(|row| columns.iter().map(|column| column[row].clone()).collect::<Vec<_>>()));
        }
        let wanted = [1, 2].into_iter().flat_map(|threads| rows.iter().map(move |row| vec![
            Some(Value::Text("a, b".to_owned())), Some(Value::Whole(threads)), row.t.map(Value::Whole), row.x.and_then(Value::real),
            row.ok.map(Value::Boolean), row.who.clone().map(Value::Text), Some(Value::Whole(row.n.into())),
        ]));
        prop_assert_eq!(found, wanted.collect::<Vec<_>>());
    }
}

#[test]
fn rows_of_one_column_without_a_value_count_and_what_is_no_row_is_told() {
    let one = [Column::plain(Field { name: "t".to_owned(), kind: Kind::Whole })];
    let request = |column| Request { column, filter: None, percentiles: Vec::new() };
    let found = with("t\n1\n\n\n4\n", &one, |source| source.aggregate(&[request(None), request(Some(0))])).unwrap();
    assert_eq!((found[0].count, found[1].count, found[1].value(Function::Sum)), (4, 2, Some(5.0)));
    let two = columns(false)[..2].to_vec();
    let told = |text: &str| {
        let bad = with(text, &two, |source| source.aggregate(&[request(Some(0)), request(Some(1))]));
        bad.unwrap_err().to_string().lines().next().unwrap().to_owned()
    };
    assert_eq!(told("t,y\n1,2\n"), "its columns are not those of the experiment");
    assert_eq!(told("t,x\n1,2\n1\n"), "row 2: 1 fields instead of 2");
    assert_eq!(told("t,x\n1,2\n\n"), "row 2: 0 fields instead of 2");
    assert_eq!(told("t,x\n1,2"), "row 1: it is cut short");
    assert!(told("t,x\n1,2\nx,3\n").contains("could not parse"), "{}", told("t,x\n1,2\nx,3\n"));
}

#[test]
fn weights_of_any_size_overflow_nothing() {
    let (x, ok) = (i64::MAX, true);
    let rows: String = (0..5).map(|_| format!("{x},1.5,{ok},a,{}\n", i64::MAX)).collect();
    with(&format!("t,x,ok,who,n\n{rows}"), &columns(true), |source| {
        for most in [usize::MAX, 1] {
            let requests =
                [0, 1, 2].map(|column| Request { column: Some(column), filter: None, percentiles: vec![50] });
            let found = source.aggregate_within(&requests, most).unwrap();
            assert!(found.iter().all(|summary| summary.count == u64::MAX), "{found:?}");
            assert_eq!(found[0].value(Function::Percentile(50)), Some(x as f64));
            assert_eq!(found[2].value(Function::Share), Some(1.0));
        }
        let mut distribution = Distribution::new(Kind::Whole);
        distribution.add(source, 0, None).unwrap();
        assert_eq!((distribution.total(), distribution.curve(10)), (u64::MAX, vec![(x as f64, 1.0)]));
    });
}
