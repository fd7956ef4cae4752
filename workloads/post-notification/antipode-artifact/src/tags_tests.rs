//! Tests of the tags.

use super::*;
use proptest::prelude::*;

/// As Python's YAML writer puts it: names in order, quotes only where they must be.
const SAMPLE: &str = "'%_INCONSISTENCIES': 0.25
ANTIPODE_ENABLED: false
AVG_NOTIFICATION_SIZE_BYTES: 1187.5
AVG_POST_STORAGE_SIZE_BYTES: 350012
DELAY: 100
NOTIFICATION_STORAGE: mq
NUM_RESULTS: 4/5
POST_STORAGE: cache
READER_REGION: us-east-1
THROUGHPUT_ON_CLIENT: 12.25
TOTAL_NOTIFICATION_SIZE_BYTES: 4750
TOTAL_POST_STORAGE_SIZE_BYTES: 1400048
WRITER_REGION: eu-central-1
";

fn parse(text: &str) -> Result<Tags, ParseError> {
    parse_tags(text.as_bytes())
}

#[test]
fn spellings_of_python_and_of_people() {
    let tags = parse(SAMPLE).unwrap();
    assert_eq!((tags.post_storage, tags.notification_storage), (PostStorage::Redis, NotificationStorage::Amq));
    assert_eq!((tags.results, tags.requests, tags.delay_ms, tags.antipode), (4, 5, 100, false));
    assert_eq!(tags.others["AVG_NOTIFICATION_SIZE_BYTES"], Scalar::Number("1187.5".to_owned()));
    let other = SAMPLE
        .replace("false", "No")
        .replace("4/5", "\"4/5\"")
        .replace(": cache", ": 'redis'")
        .replace("DELAY: 100", "DELAY: 100.0 # ms");
    assert_eq!(parse(&format!("---\n{other}RENDEZVOUS_ENABLED: off\n...\n")).unwrap(), tags);
    assert!(parse(&SAMPLE.replace("false", "yes")).unwrap().antipode);
}

#[test]
fn faults_name_place_and_fix() {
    let deep = format!("A: {}", "[".repeat(10_000));
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n";
    let faults: Vec<String> = [
        "",
        "# nothing\n",
        "hello",
        "- a\n- b\n",
        "a: {b: c}\n",
        "a: b: c\n",
        "a: &x 1\nb: *x\n",
        "a: 1\n---\nb: 2\n",
        "A: !!python/object:os.system 1\n",
        bomb,
        &deep,
        &SAMPLE.replace("DELAY: 100", "DELAY: soon"),
        &SAMPLE.replace("DELAY: 100", "DELAY: -1"),
        &SAMPLE.replace("DELAY: 100\n", ""),
        &SAMPLE.replace("DELAY: 100", "DELAY: 100\nDELAY: 200"),
        &SAMPLE.replace("false", "'false'"),
        &SAMPLE.replace("4/5", "6/5"),
        &SAMPLE.replace("4/5", "4 of 5"),
        &SAMPLE.replace("cache", "mongo"),
        &SAMPLE.replace("0.25", "25"),
        &SAMPLE.replace("us-east-1", "../x"),
        &format!("{SAMPLE}RENDEZVOUS_ENABLED: true\n"),
        &format!("{SAMPLE}MATRIX_PLATFORM: moon\n"),
    ]
    .iter()
    .map(|text| {
        let error = parse(text).unwrap_err();
        format!("{error}\n    fix: {}", error.problem.fix())
    })
    .collect();
    insta::assert_snapshot!("faults", faults.join("\n"));
    let large = vec![b' '; MAX_TAGS_BYTES as usize + 1];
    assert!(matches!(parse_tags(&large).unwrap_err().problem, Problem::TooLarge { .. }));
}

#[test]
fn the_largest_nests_do_no_harm() {
    for (part, end) in
        [("[", ""), ("{", ""), ("- ", ""), ("? ", ""), ("a: ", ""), ("\n ", ""), ("!", ""), ("&a ", ""), ("x,", "]")]
    {
        for start in ["", "a: ", "a: [", "'", "\"", "|\n "] {
            let text = format!("{start}{}{end}", part.repeat((MAX_TAGS_BYTES as usize - 20) / part.len()));
            assert!(parse(&text).is_err());
        }
    }
    let mut steps = String::new();
    for depth in 0..350 {
        steps.push_str(&format!("{}a:\n", " ".repeat(depth)));
    }
    assert!(matches!(parse(&steps).unwrap_err().problem, Problem::NotFlat(_)));
}

fn scalar() -> impl Strategy<Value = Scalar> {
    let number = prop_oneof![
        (-1_000_000_000i64..1_000_000_000).prop_map(|n| n.to_string()),
        (-1e9f64..1e9).prop_map(crate::number::write_float),
    ];
    let hard = prop::sample::select(vec![
        "", "~", "null", "yes", "1e3", "12", "- a", "a: b", " x ", "#", "'", "\"\\", "\n", "\u{85}", "\u{FEFF}", "*a",
    ]);
    prop_oneof![
        number.prop_map(Scalar::Number),
        hard.prop_map(|text| Scalar::Text(text.to_owned())),
        any::<String>().prop_map(Scalar::Text),
        any::<bool>().prop_map(Scalar::Flag),
        Just(Scalar::Null),
    ]
}

proptest! {
    #[test]
    fn tags_come_back(others in prop::collection::btree_map(any::<String>(), scalar(), 0..6), antipode: bool, delay_ms in 0u64..100_000) {
        let tags = Tags { others, antipode, delay_ms, ..parse(SAMPLE).unwrap() };
        let text = write_tags(&tags, &["a comment".to_owned()]);
        prop_assert_eq!(parse(&text), Ok(tags), "{}", text);
    }

    #[test]
    fn no_input_breaks_the_parser(at: prop::sample::Index, text in prop_oneof!["[-?:{},&*!|>'\"%@`#\\[\\]\n\t ]{1,4}", any::<String>()]) {
        let mut bytes = SAMPLE.as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes.splice(at..at, text.bytes());
        if let Ok(tags) = parse_tags(&bytes) {
            prop_assert_eq!(parse(&write_tags(&tags, &[])), Ok(tags));
        }
    }

    #[test]
    fn no_bytes_break_the_parser(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse_tags(&bytes);
    }
}
