//! What a claim may say, and what nothing would come of.

use toml::de::DeTable;

use super::*;

/// The claims of a text over `k` of 1 and 2, and everything that is wrong with them, each with the text at its place.
fn read(text: &str, reading: Reading) -> (Vec<Claim>, Vec<(String, String)>) {
    let text = format!("[axes]\nk = [1, 2]\n[[claim]]\nid = \"C\"\nsays = \"x\"\n{text}\n");
    let (document, _) = DeTable::parse_recoverable(&text);
    let mut problems = Vec::new();
    let root = Table::of(document.get_ref(), 0..0, "the experiment", &["axes", "claim"], &mut problems);
    let axes = AxisSet::parse(&root, &mut problems);
    let metric = KnownMetric { name: "v".to_owned(), higher_is_better: Some(true), source: 0 };
    let columns = [("v", Kind::Whole), ("ok", Kind::Boolean)].map(|(name, kind)| Field { name: name.to_owned(), kind });
    let known = Known {
        source: &text,
        axes: &axes,
        metrics: &[metric],
        sources: &[("rows".to_owned(), columns.to_vec())],
        points: &[1, 2].map(|k| vec![Value::Whole(k)]),
        reading,
    };
    let claims = parse(&root, &known, &mut problems);
    let shown = |problem: &Problem| (problem.message.clone(), text[problem.span.clone().unwrap()].to_owned());
    (claims, problems.iter().map(shown).collect())
}

#[test]
fn a_key_that_the_statement_does_not_use_is_a_mistake_in_a_file_and_none_in_what_was_saved() {
    let statements = [
        ("every_row = \"ok\"", ["where", "from"].as_slice()),
        ("metric = \"v\"\nbest_over = \"k\"", &["where", "over", "basis"]),
        ("metric = \"v\"\ntrend = \"increasing\"\nalong = \"k\"", &["where", "over", "basis"]),
        ("metric = \"v\"\nat_least = 1", &["where", "ratio_to", "over", "basis", "elsewhere"]),
        ("uncovered = \"why\"", &[]),
    ];
    let keys = [
        ("where", "where = { k = 2 }"),
        ("from", "from = \"rows\""),
        ("metric", "metric = \"v\""),
        ("ratio_to", "ratio_to = { k = 1 }"),
        ("over", "over = { max = [] }"),
        ("at_least", "at_least = 100"),
        ("at_most", "at_most = 100"),
        ("within", "within = { value = 1, percent = 1 }"),
        ("along", "along = \"k\""),
        ("basis", "basis = \"point\""),
        ("elsewhere", "elsewhere = { at_least = 1 }"),
    ];
    for (statement, used) in statements {
        assert_eq!(read(statement, Reading::Given).1, [], "{statement}");
        for (key, line) in keys.iter().filter(|(key, _)| !statement.contains(&format!("{key} ="))) {
            // Two bounds were never allowed, nor `elsewhere` and an `over` of nothing.
            if *key == "over" || ["at_most", "within"].contains(key) && statement.contains("at_least") {
                continue;
            }
            let text = format!("{statement}\n{line}");
            let (_, told) = read(&text, Reading::Given);
            assert_eq!(told.is_empty(), used.contains(key), "{text}: {told:?}");
            assert!(told.iter().all(|(message, place)| message.contains(&format!("`{key}`")) && line.contains(place)));
            if *key != "elsewhere" || statement.starts_with("uncovered") {
                let (claims, told) = read(&text, Reading::Saved);
                assert_eq!((claims.len(), told), (1, Vec::new()), "{text}");
            }
        }
    }
    let (_, told) = read("where = { k = 2 }\nmetric = \"v\"\nbest_over = \"k\"\nat_least = 10", Reading::Given);
    assert_eq!(told, [("`at_least` does not go with `best_over`".to_owned(), "at_least".to_owned())]);
}

#[test]
fn a_where_that_leaves_only_the_baseline_is_a_mistake_in_a_file() {
    let text = |only: &str| format!("{only}\nmetric = \"v\"\nratio_to = {{ k = 1 }}\nat_least = 1");
    for only in ["{ k = 1 }", "\"k < 2\""] {
        let (_, told) = read(&text(&format!("where = {only}")), Reading::Given);
        assert_eq!(told, [("`where` matches only the baseline of `ratio_to`".to_owned(), only.to_owned())]);
        assert_eq!(read(&text(&format!("where = {only}")), Reading::Saved).0.len(), 1);
    }
    for only in ["", "where = { k = 2 }", "where = { k = [1, 2] }"] {
        assert_eq!(read(&text(only), Reading::Given).1, [], "{only}");
    }
}

#[test]
fn claims_that_state_the_same_are_equal_wherever_they_stand() {
    let claim = |before: &str, bound: &str| {
        read(&format!("{before}metric = \"v\"\nat_least = {bound}"), Reading::Given).0.pop().unwrap()
    };
    assert_eq!(claim("", "1"), claim("# A comment.\n", "1"));
    assert_ne!(claim("", "1"), claim("", "2"));
}
