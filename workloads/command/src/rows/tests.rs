//! Each format, and what is wrong with texts that are not of it.

use super::read_into;
use crate::file::Experiment;

fn source(rows: &str, columns: &str) -> crate::file::Source {
    let text = format!(
        "schema = 2\nname = \"t\"\nworkload = \"command\"\n[axes]\na = [1]\n[command]\nrun = [\"x\"]\nrows = \"{rows}\"\n[columns]\n{columns}"
    );
    let experiment = Experiment::parse(&text).unwrap_or_else(|problems| panic!("{problems}"));
    experiment.sources.into_iter().next().unwrap()
}

fn read(rows: &str, columns: &str, text: &str) -> Result<String, String> {
    let mut out = Vec::new();
    match read_into(&source(rows, columns), text.as_bytes(), &mut out) {
        Ok(_) => Ok(String::from_utf8(out).unwrap()),
        Err(error) => Err(error.to_string()),
    }
}

const TWO: &str = "t = { unit = \"us\", type = \"integer\" }\nok = { type = \"boolean\", optional = true }";

#[test]
fn every_format_gives_the_same_rows() {
    let wanted = Ok("t,ok\n12,true\n7,\n".to_owned());
    assert_eq!(read("csv:stdout", TWO, "more,t,ok\nx,12,1\ny, 7 ,\n"), wanted);
    assert_eq!(read("jsonl:stdout", TWO, "{\"t\": 12, \"ok\": true}\n\n{\"t\": 7, \"z\": [1]}\n"), wanted);
    let json = "t = { unit = \"us\", type = \"integer\", each = \"/jobs\", path = \"/read/t\" }\n\
                ok = { type = \"boolean\", optional = true, each = \"/jobs\", path = \"/ok\" }";
    let text = r#"{"jobs": [{"read": {"t": 12}, "ok": true}, {"read": {"t": 7}}]}"#;
    assert_eq!(read("json:stdout", json, text), wanted);
    let regex = "t = { unit = \"us\", type = \"integer\", match = 't=(?<t>\\d+)', every = true }";
    assert_eq!(read("regex:stdout", regex, "a t=12\nb t=7"), Ok("t\n12\n7\n".to_owned()));
    let last = "drops = { unit = \"1\", type = \"integer\", match = 'drops: (?<drops>\\d+)', pick = \"last\" }";
    assert_eq!(read("regex:stdout", last, "drops: 3\ndrops: 9\n"), Ok("drops\n9\n".to_owned()));
    assert_eq!(read("kv:stdout", TWO, "# none\nt = 12\nok: 1\n"), Ok("t,ok\n12,true\n".to_owned()));
}

#[test]
fn what_is_not_as_declared_is_told_and_never_becomes_a_0() {
    let text = "t = { unit = \"us\", type = \"quantity\" }\nwho = { type = \"text\" }";
    let regex = "t = { unit = \"us\", type = \"integer\", match = 't=(?<t>\\d+)' }";
    let shown = [
        read("csv:stdout", TWO, ""),
        read("csv:stdout", TWO, "t,ok\n"),
        read("csv:stdout", TWO, "time,ok\n1,1\n"),
        read("csv:stdout", TWO, "t,ok\n1.5,1\n"),
        read("csv:stdout", TWO, "t,ok\n,1\n"),
        read("csv:stdout", TWO, "t,ok\n1\n"),
        read("csv:stdout", TWO, "t,ok\n1,yes\n"),
        read("csv:stdout", "t = { unit = \"us\", type = \"real\" }", "t\nNaN\n"),
        read("csv:stdout", "t = { unit = \"us\", type = \"real\" }", "t\ninf\n"),
        read("csv:stdout", text, "t,who\n12,a\n"),
        read("csv:stdout", text, "t,who\n12ms,\"a,b\"\n"),
        read("jsonl:stdout", TWO, "[1]\n"),
        read("json:stdout", TWO, "warning\n{}"),
        read("regex:stdout", regex, "t=1 t=2"),
        read("regex:stdout", regex, "T=1"),
        read("kv:stdout", TWO, "t=1\nt=2\n"),
    ];
    let lines: Vec<String> = shown.iter().map(|result| format!("{result:?}")).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn a_quote_that_swallows_rows_or_text_is_told_with_its_line() {
    let text = "t = { unit = \"us\", type = \"integer\" }\nok = { type = \"text\" }";
    for (csv, told) in [
        ("1,ok\n2,\"abc\n3,d\n4,e\n", "a quote in the row that begins at line 3 is not closed"),
        ("1,\"\n2,\"\"\n", "a quote in the row that begins at line 2 is not closed"),
        ("1,\"", "a quote in the row that begins at line 2 is not closed"),
        ("1,x\n2,a\"b\n", "line 3: a quote in a field without quotes; write \"a \"\"word\"\" of it\""),
        ("1, \"a\"\n", "line 2: a quote in a field without quotes; write \"a \"\"word\"\" of it\""),
        ("1,\"a\"b\n", "line 2: text follows the closing quote of the field that begins in line 2"),
        ("2,\"a\nb\n3,\"d\"\n", "line 4: text follows the closing quote of the field that begins in line 2"),
    ] {
        assert_eq!(read("csv:stdout", text, &format!("t,ok\n{csv}")), Err(told.to_owned()), "{csv}");
    }
    let good = "\u{feff}\"t\",ok\r\n\"1\",\"a,\"\"b\"\"\nc\"\r\n2,\"\"\"\"\n3,\"d\"";
    let wanted = "t,ok\n1,\"a,\"\"b\"\"\nc\"\n2,\"\"\"\"\n3,d\n";
    assert_eq!(read("csv:stdout", text, good), Ok(wanted.to_owned()));
}

#[test]
fn a_key_that_an_object_names_twice_is_refused_however_deep() {
    let twice = read("jsonl:stdout", TWO, "{\"t\": 1}\n{\"t\": 1, \"ok\": true, \"t\": 2}\n").unwrap_err();
    assert!(twice.starts_with("line 2: the key `t` stands there twice at line 1 column "), "{twice}");
    let deep = read("jsonl:stdout", TWO, "{\"t\": 1, \"z\": [{\"a\": {\"b\": 1, \"b\": 1}}]}\n").unwrap_err();
    assert!(deep.starts_with("line 1: the key `b` stands there twice"), "{deep}");
    let json = "t = { unit = \"us\", type = \"integer\", path = \"/r/t\" }";
    let document = read("json:stdout", json, "{\n\"r\": {\"t\": 1,\n \"t\": 2}}").unwrap_err();
    assert!(document.contains("the key `t` stands there twice at line 3 column "), "{document}");
    // What one object names, another may.
    let good =
        "{\"t\": 1e0, \"z\": {\"t\": [null, \"\\u00e9\", -1, 1.5, {\"t\": false}]}}\n{\"t\": 18446744073709551615}\n";
    let real = "t = { unit = \"us\", type = \"real\" }";
    assert_eq!(read("jsonl:stdout", real, good), Ok("t\n1\n18446744073709552000\n".to_owned()));
}

#[test]
fn what_a_program_writes_without_end_fills_no_memory_and_no_message() {
    let open = format!("t,ok\n\"{}", "x".repeat(65 << 20));
    let error = read("csv:stdout", TWO, &open).unwrap_err();
    assert!(error.contains("a row has more than 64 MiB; is there a quote that is not closed?"), "{error}");
    // Many rows are not one.
    let many = "1,1\n".repeat(17 << 20);
    assert_eq!(read("csv:stdout", TWO, &format!("t,ok\n{many}")).unwrap().lines().count(), 1 + (17 << 20));

    let passed_over =
        |rows: &str, text: &str| read_into(&source(rows, TWO), text.as_bytes(), &mut Vec::new()).unwrap().passed_over;
    let names: Vec<String> = (10..5000).map(|number| format!("n{number}\u{1b}[2J")).collect();
    let csv = format!("t,ok,{}\n1,1,{}\n", names.join(","), vec!["0"; names.len()].join(","));
    let told = passed_over("csv:stdout", &csv);
    assert_eq!((told.len(), told[0].as_str(), told[20].as_str()), (21, "n10?[2J", "and others"));
    let jsonl: Vec<String> = (10..5000).map(|number| format!("{{\"t\": 1, \"n{number}\": 0}}")).collect();
    assert_eq!(passed_over("jsonl:stdout", &jsonl.join("\n")).len(), 21);
    let error = read("csv:stdout", TWO, &format!("{}\n", names.join(","))).unwrap_err();
    assert!(error.len() < 2000 && error.ends_with(", ..."), "{error}");
}
