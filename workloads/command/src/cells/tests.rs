//! Keys of cells, of a file in which every key is used.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::cells_of_text;
use crate::file::Experiment;

/// A file with every key, whose `env` has several.
fn everything() -> String {
    let text = include_str!("../everything.toml");
    let env = text.lines().find(|line| line.starts_with("env      = ")).unwrap();
    text.replace(env, "") + "\n[command.env]\nTHREADS = \"{threads}\"\nB = \"{engine}\"\nA = \"1\"\n"
}

/// The same file with its tables, and the keys of each, in the order of ranks, of which every line has one. Tables of one
/// array stay together, in their order: it means something.
fn shuffled(text: &str, ranks: &[u32]) -> String {
    let mut tables = vec![(0, String::new(), Vec::new())];
    let mut of_array: BTreeMap<&str, u32> = BTreeMap::new();
    for (line, rank) in text.lines().zip(ranks) {
        if line.starts_with('[') {
            // What is above the first table stays there.
            let rank = *of_array.entry(line.split(']').next().unwrap()).or_insert(rank | 1);
            tables.push((rank, format!("{line}\n"), Vec::new()));
        } else {
            tables.last_mut().unwrap().2.push((rank, line));
        }
    }
    tables.sort_by_key(|(rank, ..)| *rank);
    let table = |(_, head, mut lines): (u32, String, Vec<(&u32, &str)>)| {
        lines.sort_by_key(|(rank, _)| *rank);
        head + &lines.iter().map(|(_, line)| format!("{line}\n")).collect::<String>()
    };
    tables.into_iter().map(table).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn keys_of_cells_do_not_depend_on_the_order_of_tables_and_keys(ranks in vec(any::<u32>(), everything().lines().count())) {
        let text = everything();
        let keys = |text: &str| {
            let experiment = Experiment::parse(text).unwrap_or_else(|problems| panic!("{problems}\n{text}"));
            let cells = cells_of_text(&experiment).unwrap();
            (cells.len(), cells.into_iter().map(|cell| (cell.key, cell.inputs)).collect::<BTreeMap<_, _>>())
        };
        let (count, by_key) = keys(&text);
        prop_assert_eq!(by_key.len(), count, "as many keys as cells");
        prop_assert_eq!(keys(&shuffled(&text, &ranks)), (count, by_key));
    }
}
