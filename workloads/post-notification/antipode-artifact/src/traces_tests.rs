//! Tests of `traces.rs`.

use super::*;
use proptest::prelude::*;

const SAMPLE: &str = ";reader_received_at;consistent_read;notification_to_reader_spent_ms;antipode_spent_ms;\
client_latency_ms;client_visibility_latency_ms;writer_latency_ms;writer_visibility_latency_ms
0;1694785607.123456;1;130;412;210;1034;180;1004
1;1694785607.5;0;-2;0;208;631;171;594
";

fn fault(text: &str) -> String {
    let error = parse_traces(text.as_bytes()).unwrap_err();
    format!("{error}\n    fix: {}", error.problem.fix())
}

#[test]
fn a_file_of_the_original_comes_back_to_the_byte() {
    let traces = parse_traces(SAMPLE.as_bytes()).unwrap();
    assert_eq!(traces.rows[1].notification_to_reader_ms, Some(-2));
    assert_eq!(traces.to_csv(), SAMPLE);
    let dos = format!("\u{FEFF}{}\r\n\r\n", SAMPLE.trim_end().replace('\n', "\r\n"));
    assert_eq!(parse_traces(dos.as_bytes()).unwrap(), traces);
    let quoted = SAMPLE
        .replace("consistent_read", "\"consistent_read\"")
        .replace(";130;", ";130.0;")
        .replace(";0;-2", ";False;-2");
    assert_eq!(parse_traces(quoted.as_bytes()).unwrap(), traces);
}

#[test]
fn faults_name_place_and_fix() {
    let faults: Vec<String> = [
        "".to_owned(),
        SAMPLE.replacen(';', "i;", 1),
        SAMPLE.replacen("antipode_spent_ms", "rendezvous_spent_ms", 1),
        SAMPLE.replacen("client_latency_ms", "consistent_read", 1),
        ";consistent_read\n".to_owned(),
        SAMPLE.replacen(";0;208", ";208", 1),
        SAMPLE.replacen("\n1;", "\n2;", 1),
        SAMPLE.replacen(";412;", ";4.5;", 1),
        SAMPLE.replacen(";412;", ";nan;", 1),
        SAMPLE.replacen(";1;130", ";2;130", 1),
        SAMPLE.replacen("1694785607.5", "", 1),
        SAMPLE.replacen("1694785607.5", "1e300", 1),
        SAMPLE.replacen("\n1;", "\n\n1;", 1),
    ]
    .iter()
    .map(|text| fault(text))
    .collect();
    insta::assert_snapshot!("faults", faults.join("\n"));
    let error = parse_traces(b";reader_received_at\n0;\xFF").unwrap_err();
    assert_eq!((error.problem, error.place), (Problem::NotUtf8, matrix_yaml::Position { line: 2, column: 3 }));
}

proptest! {
    /// Whatever a byte becomes: an error, or a reading that says the same when it is written.
    #[test]
    fn no_input_breaks_the_parser(at: prop::sample::Index, byte in prop_oneof![Just(b';'), Just(b'\n'), any::<u8>()], remove: bool) {
        let mut bytes = SAMPLE.as_bytes().to_vec();
        let at = at.index(bytes.len());
        if remove { bytes.remove(at); } else { bytes[at] = byte; }
        if let Ok(traces) = parse_traces(&bytes) {
            prop_assert_eq!(parse_traces(traces.to_csv().as_bytes()), Ok(traces));
        }
    }

    #[test]
    fn no_bytes_break_the_parser(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(traces) = parse_traces(&bytes) {
            prop_assert_eq!(parse_traces(traces.to_csv().as_bytes()), Ok(traces));
        }
    }
}
