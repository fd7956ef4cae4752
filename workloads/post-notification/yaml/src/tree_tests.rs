//! Tests of `tree.rs`.

use super::*;

/// A tree in one line: names in their order, `~` for nothing.
fn show(node: &Node) -> String {
    match &node.value {
        _ if node.is_nothing() => "~".to_owned(),
        Value::Scalar(scalar) => scalar.text.clone(),
        Value::List(items) => format!("[{}]", items.iter().map(|item| show(item)).collect::<Vec<_>>().join(" ")),
        Value::Map(entries) => {
            let entry = |entry: &Entry| format!("{}={}", entry.name, show(&entry.node));
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(" "))
        }
    }
}

fn read(text: &str) -> String {
    match parse(text) {
        Ok(root) => root.map_or_else(|| "nothing".to_owned(), |root| show(&root)),
        Err(error) => error.to_string(),
    }
}

#[test]
fn anchors_aliases_and_merge_keys_are_resolved() {
    for (text, tree) in [
        ("", "nothing"),
        ("a: &x {p: 1, q: 2}\nb: *x\n", "{a={p=1 q=2} b={p=1 q=2}}"),
        ("a: &x {p: 1, q: 2}\nb:\n  q: 3\n  <<: *x\n", "{a={p=1 q=2} b={q=3 p=1}}"),
        ("a: &x {p: 1}\nb: &y {p: 2, r: 4}\nc: {<<: [*x, *y]}\n", "{a={p=1} b={p=2 r=4} c={p=1 r=4}}"),
        ("a: &x one\nb: *x\nc: [*x, \"~\", ~]\n", "{a=one b=one c=[one ~ ~]}"),
        ("\"<<\": 1\n", "{<<=1}"),
        ("&k a: 1\nb: *k\n", "{a=1 b=a}"),
    ] {
        assert_eq!(read(text), tree, "{text}");
    }
}

#[test]
fn what_is_not_accepted_is_refused_where_it_stands() {
    for (text, error) in [
        ("a: 1\na: 2\n", "2:1: `a` is given twice"),
        ("a: &x\n  b: *x\n", "2:6: an alias inside of what it stands for"),
        ("a: 1\n---\nb: 1\n", "2:1: a second document"),
        ("a: !!str 1\n", "1:4: a type is written out: leave it away"),
        ("? [a]\n: 1\n", "1:3: a name must be a single value"),
        ("<<: 3\n", "1:5: `<<` merges names and values, or a list of such"),
    ] {
        assert_eq!(read(text), error, "{text}");
    }
    assert!(read("a: *nobody\n").starts_with("1:"));
    assert!(read(&"[".repeat(MAX_DEPTH + 1)).contains("levels"));
}

/// As YAML counts, and editors that know files of all systems: each of the three ways to end a line is one line.
#[test]
fn lines_end_with_a_line_feed_a_carriage_return_or_both() {
    for end in ["\n", "\r", "\r\n"] {
        let text = ["a: 1", "# b", "\"c\": \"d", "  e\"", "a: 2", ""].join(end);
        assert_eq!(read(&text), "5:1: `a` is given twice", "{text:?}");
    }
}

#[test]
fn no_fault_is_beyond_the_end() {
    assert_eq!(read("a: 1\nsim"), "2:4: simple key expected");
    assert_eq!(read("a: 1\nsim\n"), "3:1: simple key expect ':'");
}

#[test]
fn a_bomb_of_aliases_does_not_go_off() {
    let mut text = "a0: &a0 {k: v}\n".to_owned();
    for n in 1..100 {
        let before = n - 1;
        text += &format!("a{n}: &a{n} [{}]\n", vec![format!("*a{before}"); 50].join(", "));
    }
    assert!(parse(&text).is_ok(), "shared, not copied");

    let mut text = "a0: &a0 {k: v}\n".to_owned();
    for n in 1..400 {
        text += &format!("a{n}: &a{n}\n  k{n}: v\n  <<: *a{}\n", n - 1);
    }
    assert!(read(&text).contains("too large"));
}
